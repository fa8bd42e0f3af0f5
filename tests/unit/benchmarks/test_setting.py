"""How the two sides take turns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import sides
from benchmarks.answering import Answering, Observed
from benchmarks.setting import Setting
from benchmarks.sides import Side, official, ours


def test_sides_take_turns() -> None:
    """Rounds alternate between the sides, and each side gets its own numbers back."""
    both = official("theirs"), ours("mine")
    order: list[str] = []

    def measure(side: Side) -> str:
        order.append(side.name)
        return f"{side.package} {len(order)}"

    with Setting(*both) as setting:
        answers = setting.take_turns(3, measure)
        assert not setting.started
    assert order == ["official", "ours"] * 3
    assert answers == (
        ["globus_compute_sdk 1", "globus_compute_sdk 3", "globus_compute_sdk 5"],
        ["gcompute 2", "gcompute 4", "gcompute 6"],
    )


class _Answering(Answering):
    """A service that is not there; each of our submits had 1, then 2, then 3 tasks."""

    def reset(self) -> None:
        pass

    def observed(self) -> Observed:
        return Observed({}, [], [1, 2, 3])


def test_the_floor_sends_what_ours_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both clients and the floor take turns, the floor with the batches of ours but the first."""
    driven: list[tuple[str, str, dict[str, Any]]] = []

    def drive(side: Side, order: dict[str, Any], driver: Path = sides.DRIVER) -> dict[str, Any]:
        driven.append((side.name, driver.name, order))
        return {"answer": len(driven)}

    monkeypatch.setattr(Side, "drive", drive)
    with Setting(official("theirs"), ours("mine")) as setting:
        setting.answering = _Answering("http://service")
        rounds = setting.isolate(2, "burst", 5, official_options={"api_burst_limit": 8})
    assert [(name, driver) for name, driver, _ in driven] == [
        ("official", "driver.py"),
        ("ours", "driver.py"),
        ("ours", "floor_driver.py"),
    ] * 2
    assert [order.get("options") for *_, order in driven[:3]] == [{"api_burst_limit": 8}, {}, None]
    assert driven[2][2]["settings"] == {"batches": [2, 3], "acknowledge_every": 128}
    assert {(o["scenario"], o["count"], o["url"]) for *_, o in driven} == {
        ("burst", 5, "http://service")
    }
    assert rounds == {
        "official": [{"answer": 1}, {"answer": 4}],
        "ours": [{"answer": 2}, {"answer": 5}],
        "floor": [{"answer": 3}, {"answer": 6}],
    }
