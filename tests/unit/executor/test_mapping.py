"""Results in the order of their calls, while the calls are still being made."""

from __future__ import annotations

import gc
import itertools
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from gcompute import ComputeFuture, TaskExecutionFailed
from gcompute.executor.future import settle
from gcompute.executor.mapping import DEFAULT_BUFFERSIZE, MappedResults
from gcompute.serialize import ComputeSerializer, unpack_buffers
from tests.unit.executor.stand_ins import Service, answer_all, double, executor_of

WAIT_S = 60


class Calls:
    """Submits calls to nobody, and keeps their futures; a call is its own result."""

    def __init__(self, *, answers: bool = False) -> None:
        self.futures: list[ComputeFuture] = []
        self.answers = answers
        self.now = 0.0

    def submit(self, call: object) -> ComputeFuture:
        """Take a call."""
        future = ComputeFuture()
        if self.answers:
            settle(future, call)
        self.futures.append(future)
        return future

    def map(
        self,
        calls: Iterator[Any],
        *,
        timeout: float | None = None,
        buffersize: int = 8,
        **rest: Any,
    ) -> MappedResults[Any]:
        """Map over calls, on this object's clock."""
        deadline = None if timeout is None else self.now + timeout
        settings: dict[str, Any] = {"at_hand": False, "clock": lambda: self.now} | rest
        return MappedResults(
            calls,
            self.submit,
            lambda _, value: ([value], None),
            deadline=deadline,
            buffersize=buffersize,
            **settings,
        )


# How far the iterables are read


def test_calls_are_submitted_at_once_up_to_the_window() -> None:
    """Before anybody asks for a result."""
    calls = Calls()
    results = calls.map(itertools.count())
    assert len(calls.futures) == 8
    results.close()


def test_an_endless_iterable_needs_no_more_than_the_window() -> None:
    """However many results are taken; room is filled in lumps, so that batches are full."""
    calls = Calls(answers=True)
    results = calls.map(itertools.count())
    read = []
    for n in range(100):
        assert next(results) == n
        assert len(calls.futures) <= n + 1 + 8
        read.append(len(calls.futures))
    assert set(itertools.pairwise(read)) >= {(8, 10), (10, 10)}
    assert all(b - a in (0, 2) for a, b in itertools.pairwise(read))
    results.close()


@pytest.mark.parametrize("buffersize", [1, 2, 3])
def test_a_small_window_works_as_well(buffersize: int) -> None:
    """Down to one call after the other."""
    calls = Calls(answers=True)
    assert list(calls.map(iter(range(7)), buffersize=buffersize)) == list(range(7))


def test_a_slow_iterable_does_not_hold_up_results() -> None:
    """A result that is there is given before the next but one call is read."""
    calls = Calls(answers=True)

    def slow() -> Iterator[int]:
        for n in itertools.count():
            calls.now += 1.0
            yield n

    results = calls.map(slow())
    assert len(calls.futures) == 1
    for n in range(5):
        assert next(results) == n
        assert len(calls.futures) == n + 2
    results.close()


def test_what_is_at_hand_is_submitted_although_results_are_there() -> None:
    """A list's calls do not depend on somebody who takes results."""
    calls = Calls(answers=True)

    def slow() -> Iterator[int]:
        for n in range(5):
            calls.now += 1.0
            yield n

    results = calls.map(slow(), at_hand=True)
    assert len(calls.futures) == 5
    assert list(results) == list(range(5))


def test_results_are_not_kept() -> None:
    """A result that was taken is the caller's alone."""

    class Large:
        pass

    calls = Calls()
    results = calls.map(iter(range(2)))
    settle(calls.futures[0], Large())
    calls.futures[0] = ComputeFuture()
    large = next(results)
    assert not [r for r in gc.get_referrers(large) if isinstance(r, ComputeFuture)]
    results.close()


# Failures


def fails_at(position: int, error: Exception) -> Iterator[int]:
    """Give numbers, and raise in the place of one."""
    yield from range(position)
    raise error


def test_an_error_of_the_iterable_comes_in_its_place() -> None:
    """After the results before it."""
    results = Calls(answers=True).map(fails_at(3, OSError("disk")))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="disk"):
        next(results)
    assert list(results) == []


def test_an_error_of_the_first_item_comes_at_once() -> None:
    """There is nothing before it."""
    with pytest.raises(OSError, match="disk"):
        Calls().map(fails_at(0, OSError("disk")))


def test_an_error_of_a_call_ends_the_iteration() -> None:
    """The others are cancelled, as far as they were not sent."""
    calls = Calls()
    results = calls.map(iter(range(4)))
    calls.futures[3].set_running_or_notify_cancel()
    settle(calls.futures[0], 0)
    settle(calls.futures[1], error=ValueError("no"))
    assert next(results) == 0
    with pytest.raises(ValueError, match="no"):
        next(results)
    assert list(results) == []
    assert [f.cancelled() for f in calls.futures] == [False, False, True, False]


def test_the_time_counts_from_the_call() -> None:
    """When it is over, results that are there are still given, and the others cancelled."""
    calls = Calls()
    results = calls.map(iter(range(3)), timeout=5)
    calls.now += 6
    settle(calls.futures[0], 0)
    assert next(results) == 0
    with pytest.raises(TimeoutError):
        next(results)
    assert [f.cancelled() for f in calls.futures] == [False, True, True]


def test_a_cancelled_call_is_an_error() -> None:
    """As by a shutdown that cancels."""
    calls = Calls()
    results = calls.map(iter(range(2)))
    calls.futures[0].cancel()
    with pytest.raises(CancelledError):
        next(results)


# Leaving


def test_closing_cancels_what_was_not_sent() -> None:
    """Also before the first result was asked for; then nothing more comes."""
    for taken in (0, 1):
        calls = Calls()
        results = calls.map(itertools.count(), buffersize=3)
        settle(calls.futures[0], 0)
        for _ in range(taken):
            next(results)
        results.close()
        results.close()
        assert all(f.cancelled() for f in calls.futures[1:])
        assert list(results) == []


def test_an_iterator_that_is_dropped_midway_cancels() -> None:
    """As one that is closed."""
    calls = Calls()
    results = calls.map(itertools.count(), buffersize=3)
    settle(calls.futures[0], 0)
    next(results)
    del results
    assert all(f.cancelled() for f in calls.futures[1:])


def test_one_that_nobody_asked_warns_of_calls_that_are_not_made() -> None:
    """Where all were submitted it is no matter, as in the standard library: they are made."""
    calls = Calls()
    results = calls.map(iter(range(3)))
    del results
    assert not any(f.cancelled() for f in calls.futures)
    results = calls.map(itertools.count())
    with pytest.warns(RuntimeWarning, match="were never asked for"):
        del results


# On an executor


def test_map_of_an_executor_submits_calls(service: Service) -> None:
    """With an argument of each iterable, as far as the shortest goes."""
    answer_all(service, 7)
    with executor_of(service) as executor:
        assert list(executor.map(pow, range(5), itertools.count())) == [7] * 5
    assert service.sent() == list(range(5))


def test_the_default_window_is_documented(service: Service) -> None:
    """An endless iterable is read as far as that, also with chunks: those are the tasks."""
    service.gate.clear()
    executor = executor_of(service)
    taken: list[int] = []
    results = executor.map(double, map(taken.append, itertools.count()), chunksize=2)
    assert len(taken) == 2 * DEFAULT_BUFFERSIZE
    assert str(DEFAULT_BUFFERSIZE) in (executor.map.__doc__ or "")
    results.close()
    executor.shutdown(wait=False, cancel_futures=True)
    answer_all(service, [[], None])
    service.gate.set()
    executor.shutdown()


def test_chunks_are_tasks(service: Service) -> None:
    """One function, registered once, with lists of calls; the last is shorter."""
    with executor_of(service) as executor:
        answer_all(service, [["a", "b"], None])
        results = executor.map(double, range(5), chunksize=2, timeout=WAIT_S)
        assert list(map(str, results)) == ["a", "b"] * 3
    assert service.sent() == [[(0,), (1,)], [(2,), (3,)], [(4,)]]
    (registration,) = service.registered
    (code,) = unpack_buffers(registration["function_code"])
    assert ComputeSerializer().deserialize(code)([(3,), (4,)]) == [[6, 8], None]


def test_whatever_is_large_is_no_limit(service: Service) -> None:
    """Sizes beyond those of a list, and a time without an end."""
    service.gate.clear()
    huge = 2**70
    with executor_of(service) as executor:
        results = executor.map(double, [1, 2], chunksize=huge, buffersize=huge, timeout=math.inf)
        answer_all(service, [[2, 4], None])
        service.gate.set()
        assert list(results) == [2, 4]


def test_a_failure_in_a_chunk_comes_after_the_results_before_it(service: Service) -> None:
    """And ends the iteration, although other chunks went well."""
    answer_all(service, [["a"], "Boom"])
    with executor_of(service) as executor:
        results = executor.map(double, range(6), chunksize=2, timeout=WAIT_S)
        assert str(next(results)) == "a"
        with pytest.raises(TaskExecutionFailed, match="Boom"):
            next(results)
        assert list(results) == []


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"chunksize": 0}, ValueError, "chunksize must be at least 1, not 0"),
        ({"buffersize": 0}, ValueError, "buffersize must be at least 1, not 0"),
        ({"chunksize": 1.5}, TypeError, "chunksize must be a whole number, not 1.5"),
        ({"buffersize": True}, TypeError, "buffersize must be a whole number, not True"),
    ],
)
def test_wrong_sizes_are_named(
    service: Service, options: dict[str, Any], error: type[Exception], named: str
) -> None:
    """Before anything is read."""
    with executor_of(service) as executor, pytest.raises(error, match=named):
        executor.map(double, fails_at(0, OSError()), **options)


def test_wrong_uses_fail_in_the_call(service: Service) -> None:
    """And not when the first result is asked for."""
    executor = executor_of(service, endpoint_id=None)
    with pytest.raises(ValueError, match="no endpoint is set"):
        executor.map(double, [1])
    with pytest.raises(TypeError, match="iter"):
        executor.map(double, 1)  # type: ignore[arg-type]
    executor.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        executor.map(double, [1])


def test_a_shutdown_midway_comes_after_the_results(service: Service) -> None:
    """What was submitted is given; then the error says that the rest cannot be."""
    answer_all(service, 7)
    with executor_of(service) as executor:
        results = executor.map(double, range(10), buffersize=4)
    got: list[object] = []

    def take(step: Callable[[], object]) -> None:
        while True:
            got.append(step())

    with pytest.raises(RuntimeError, match="shut down"):
        take(results.__next__)
    assert got == [7] * 4


def test_other_threads_may_go_on_meanwhile(service: Service) -> None:
    """Two maps on one executor, each with its own results."""
    answer_all(service, 7)
    got: list[list[int]] = []

    def use() -> None:
        got.append(list(executor.map(double, range(200), buffersize=16)))

    with executor_of(service) as executor:
        threads = [threading.Thread(target=use) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
    assert got == [[7] * 200] * 2
