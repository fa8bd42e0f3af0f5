"""How the two sides take turns."""

from __future__ import annotations

from benchmarks.setting import Setting
from benchmarks.sides import Side, official, ours


def test_sides_take_turns() -> None:
    """Rounds alternate between the sides, and each side gets its own numbers back."""
    sides = official("theirs"), ours("mine")
    order: list[str] = []

    def measure(side: Side) -> str:
        order.append(side.name)
        return f"{side.package} {len(order)}"

    with Setting(*sides) as setting:
        answers = setting.take_turns(3, measure)
        assert not setting.started
    assert order == ["official", "ours"] * 3
    assert answers == (
        ["globus_compute_sdk 1", "globus_compute_sdk 3", "globus_compute_sdk 5"],
        ["gcompute 2", "gcompute 4", "gcompute 6"],
    )
