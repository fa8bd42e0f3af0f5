"""What the driver does with an executor."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import driver


class _Immediate:
    """Runs each call at once; fails from the call of a given number on."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.calls = 0
        self._fails_at = fails_at

    def submit(self, function: Callable[[], object]) -> concurrent.futures.Future[object]:
        self.calls += 1
        future: concurrent.futures.Future[object] = concurrent.futures.Future()
        if self._fails_at is not None and self.calls >= self._fails_at:
            future.set_exception(OSError("lost"))
        else:
            future.set_result(function())
        return future


def test_calls_are_timed_one_by_one() -> None:
    """One call warms up, and each call after it has a time of its own."""
    executor = _Immediate()
    answer = driver.measure_calls(executor, 4)
    assert executor.calls == 5
    assert len(answer["laps"]) == 4
    assert all(lap > 0 for lap in answer["laps"])
    assert answer["first"] > sum(answer["laps"])


def test_burst_is_timed_as_a_whole() -> None:
    """One call warms up; the submits are a part of the time of the burst."""
    executor = _Immediate()
    answer = driver.measure_burst(executor, 100)
    assert executor.calls == 101
    assert 0 < answer["submitted"] < answer["elapsed"]
    assert answer["cpu"] > 0


@pytest.mark.parametrize("scenario", [driver.measure_calls, driver.measure_burst])
@pytest.mark.parametrize("fails_at", [1, 2, 5])
def test_failure_is_no_measurement(
    scenario: Callable[[Any, int], dict[str, Any]], fails_at: int
) -> None:
    """A call that fails ends the scenario: a failure is not counted as a fast call."""
    with pytest.raises(OSError, match="lost"):
        scenario(_Immediate(fails_at), 4)
