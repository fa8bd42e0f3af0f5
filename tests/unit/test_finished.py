"""Finished tasks are remembered, the latest ones."""

from __future__ import annotations

from gcompute.finished import FinishedTasks


def test_the_latest_are_remembered() -> None:
    """Beyond the limit the oldest goes; adding one again keeps its new state."""
    finished = FinishedTasks(limit=3)
    for n in range(5):
        finished.add(str(n), {"result": n})
    finished.add("4", {"result": "new"})
    assert [finished.get(str(n)) for n in range(5)] == [
        None,
        None,
        {"result": 2},
        {"result": 3},
        {"result": "new"},
    ]
