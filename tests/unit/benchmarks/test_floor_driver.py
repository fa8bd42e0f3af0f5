"""What the floor's driver does with a service."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import floor_driver


class _Arrivals:
    """Messages on a queue, and a channel that notes which were acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self._tag = 0

    def consume(self, _queue: str, inactivity_timeout: float) -> Any:
        assert inactivity_timeout > 0
        return self

    def __next__(self) -> tuple[Any, None, bytes]:
        self._tag += 1
        return SimpleNamespace(delivery_tag=self._tag), None, b""

    def basic_ack(self, tag: int) -> None:
        self.acknowledged.append(tag)


def test_calls_are_timed_one_by_one() -> None:
    """One request warms up; each after it has a time of its own, until its message is there."""
    channel = _Arrivals()
    posted: list[int] = []
    connection = SimpleNamespace(channel=lambda: channel, close=lambda: None)
    floor: Any = SimpleNamespace(
        queue="q", body=lambda tasks: tasks, post=posted.append, connect=lambda: connection
    )
    answer = floor_driver.measure_calls(floor, 4)
    assert len(answer["laps"]) == 4
    assert posted == [1] * 5
    assert channel.acknowledged == [1, 2, 3, 4, 5, 6]  # the first is of the group's first submit


def test_other_batches_are_no_measurement() -> None:
    """The floor of a burst has as many tasks as the burst."""
    floor: Any = SimpleNamespace(body=lambda tasks: tasks)
    with pytest.raises(RuntimeError, match="the batches have 5 tasks and not 6"):
        floor_driver.measure_burst(floor, 6, [2, 3], 128)
