"""What the driver does with an executor."""

from __future__ import annotations

import concurrent.futures
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks import driver


class _Immediate:
    """Runs each call at once; fails from the call of a given number on."""

    def __init__(self, fails_at: int | None = None, result: object = None) -> None:
        self.calls = 0
        self._result = result
        self._fails_at = fails_at

    def submit(self, function: Callable[..., object], *arguments: object) -> Any:
        self.calls += 1
        future: Any = concurrent.futures.Future()
        future.task_id = str(self.calls)
        if self._fails_at is not None and self.calls >= self._fails_at:
            future.set_exception(OSError("lost"))
        else:
            future.set_result(self._result or function(*arguments))
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


def test_series_begins_with_the_first_call() -> None:
    """Without a rest nothing warms up: the first call of all is one of the series."""
    executor = _Immediate()
    answer = driver.measure_series(executor, 4)
    assert executor.calls == len(answer["laps"]) == 4
    assert answer["elapsed"] >= sum(answer["laps"]) > 0


def test_series_after_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest comes after a call that warms up, and before the first that counts."""
    executor = _Immediate()
    rests: list[tuple[float, int]] = []
    monkeypatch.setattr("time.sleep", lambda s: rests.append((s, executor.calls)))
    answer = driver.measure_series(executor, 4, rest_s=16.0)
    assert rests == [(16.0, 1)]
    assert executor.calls == 5
    assert len(answer["laps"]) == 4


def test_a_stream_has_a_wait_for_each_call() -> None:
    """Behind the one that warms up, and without the time that a call takes."""
    executor = _Immediate(result="at once")
    answer = driver.measure_stream(executor, 5, rate_hz=1000, duration_s=0.5)
    assert executor.calls == 6
    assert len(answer["waits"]) == 5
    assert all(-0.5 <= wait < 0 for wait in answer["waits"])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give what the service is told."""
    said: list[str] = []
    monkeypatch.setattr(driver, "tell", lambda _url, what: said.append(what))
    return said


def test_pending_futures_are_timed(told: list[str]) -> None:
    """Results are held back until every task has its id; without tracing there is no memory."""
    executor = _Immediate()
    answer = driver.measure_pending(executor, 50, "http://service", traced=False)
    assert executor.calls == 51
    assert told == ["hold", "release"]
    assert answer["taken"] > 0
    assert answer["delivered"] > 0
    assert answer["held"] is answer["peak"] is None


@pytest.mark.usefixtures("told", "tracing")
def test_pending_futures_take_memory() -> None:
    """The futures that wait are counted, and what was there before is not."""
    before = bytearray(2**20)
    answer = driver.measure_pending(_Immediate(), 200, "http://service", traced=True)
    assert 200 * 100 < answer["held"] <= answer["peak"] < len(before)


@pytest.fixture
def tracing() -> Iterator[None]:
    """End what the driver, which is a process of its own, leaves to the end of the process."""
    yield
    tracemalloc.stop()


def test_large_results_are_dropped(told: list[str]) -> None:
    """Results of the size come, held back until all are expected, and are looked at."""
    answer = driver.measure_large(_Immediate(result=bytes(500)), 3, "http://s", 500, traced=False)
    assert told == ["result?bytes=500", "hold", "release"]
    assert answer["allocated"] is None
    assert answer["resident"] >= 0


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("result", [None, bytes(499), "x" * 500])
def test_other_results_are_no_measurement(result: object) -> None:
    """A result that is not what was asked for ends the scenario."""
    with pytest.raises(RuntimeError, match="3 of 3 results are wrong"):
        driver.measure_large(_Immediate(result=result), 3, "http://s", 500, traced=False)
