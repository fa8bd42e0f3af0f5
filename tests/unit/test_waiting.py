"""Waiting for many futures."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION
from typing import Any

import pytest

import gcompute
from gcompute import ComputeFuture
from gcompute.executor.future import settle
from tests.support.event_loop import in_event_loop

Future = concurrent.futures.Future[Any]


def ended(value: object = None, error: Exception | None = None) -> ComputeFuture:
    """Give a future that has ended."""
    future = ComputeFuture()
    settle(future, value, error)
    return future


# as_completed


def test_futures_come_as_they_end() -> None:
    """Those that have ended first, then the others, each in the moment of its end."""
    late, early, already = ComputeFuture(), ComputeFuture(), ended(1)
    completed = gcompute.as_completed([late, early, already])
    assert next(completed) is already
    settle(early, 2)
    assert next(completed) is early
    thread = threading.Timer(0, settle, (late, 3))
    thread.start()
    assert list(completed) == [late]
    thread.join()
    assert list(completed) == []


def test_those_of_other_executors_come_as_well() -> None:
    """Any future of the standard library's kind, and each once."""
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        theirs = threads.submit(pow, 2, 3)
        assert list(gcompute.as_completed([theirs, theirs])) == [theirs]


def test_failed_and_cancelled_ones_come_too() -> None:
    """What became of them is theirs to tell."""
    failed, cancelled = ended(error=ValueError("no")), ComputeFuture()
    cancelled.cancel()
    assert list(gcompute.as_completed([failed, cancelled])) == [failed, cancelled]


def test_a_time_that_is_over_is_an_error() -> None:
    """After what has ended in time; the error counts what has not."""
    done, pending = ended(1), ComputeFuture()
    completed = gcompute.as_completed([pending, done], timeout=0)
    assert next(completed) is done
    with pytest.raises(TimeoutError, match="1 of 2 futures have not ended"):
        next(completed)


def test_of_no_futures_there_are_none() -> None:
    """And nothing to wait for."""
    assert list(gcompute.as_completed([])) == []


@pytest.mark.parametrize("waiting", [gcompute.as_completed, gcompute.wait])
def test_what_is_no_future_is_refused(waiting: Callable[[Any], object]) -> None:
    """At once, and named."""
    with pytest.raises(TypeError, match=r"futures of an executor are needed, not 3 \(int\)"):
        waiting([ended(), 3])


@in_event_loop
async def test_in_an_event_loop_they_come_as_they_end() -> None:
    """While it waits, the loop goes on."""
    first, second, already = ComputeFuture(), ComputeFuture(), ended(1)
    thread = threading.Timer(0.01, settle, (first, 3))

    def settle_second() -> None:
        settle(second, 2)
        thread.start()

    asyncio.get_running_loop().call_soon(settle_second)
    async with asyncio.timeout(10):
        got = [f async for f in gcompute.as_completed([first, second, already])]
    assert got == [already, second, first]
    thread.join()


@in_event_loop
async def test_in_an_event_loop_a_time_that_is_over_is_an_error() -> None:
    """After what has ended in time."""
    done, pending = ended(1), ComputeFuture()
    completed = gcompute.as_completed([pending, done], timeout=0.001)
    assert await anext(completed) is done
    with pytest.raises(TimeoutError, match="1 of 2 futures have not ended"):
        await anext(completed)


@in_event_loop
async def test_a_cancelled_step_loses_no_future() -> None:
    """What ends later is given by the next step."""
    future = ComputeFuture()
    completed = gcompute.as_completed([future])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await anext(completed)
    settle(future, 1)
    assert await anext(completed) is future


def test_an_iterator_that_is_dropped_is_not_kept() -> None:
    """Futures live longer than the loops over them."""
    future = ComputeFuture()
    completed = gcompute.as_completed([future])
    gone = weakref.ref(completed)
    del completed
    gc.collect()
    assert gone() is None
    settle(future, 1)
    assert future.result(0) == 1


# wait


@pytest.mark.parametrize("progress", [False, True])
def test_waiting_tells_who_has_ended(progress: bool) -> None:
    """In two sets, as the standard library does; a time that is over is no error."""
    done, pending = ended(1), ComputeFuture()
    both = gcompute.wait([done, pending, done], timeout=0.001, progress=progress)
    assert (both.done, both.not_done) == ({done}, {pending})
    settle(pending)
    assert gcompute.wait(iter([done, pending]), progress=progress).not_done == set()


@pytest.mark.parametrize("progress", [False, True])
@pytest.mark.parametrize(
    ("return_when", "ends"),
    [(FIRST_COMPLETED, ended(1)), (FIRST_EXCEPTION, ended(error=ValueError("no")))],
)
def test_waiting_ends_with_the_first(return_when: str, ends: Future, progress: bool) -> None:
    """Although another one goes on."""
    pending = ComputeFuture()
    both = gcompute.wait([pending, ends], return_when=return_when, progress=progress)
    assert (both.done, both.not_done) == ({ends}, {pending})


@pytest.mark.parametrize("progress", [False, True])
@pytest.mark.parametrize("return_when", [FIRST_EXCEPTION, ALL_COMPLETED])
def test_waiting_goes_on_after_what_it_does_not_wait_for(return_when: str, progress: bool) -> None:
    """A result, or a cancellation, is no exception."""
    cancelled, pending = ComputeFuture(), ComputeFuture()
    cancelled.cancel()
    cancelled.set_running_or_notify_cancel()  # as executors do
    thread = threading.Timer(0.01, settle, (pending, 1))
    thread.start()
    both = gcompute.wait([ended(), cancelled, pending], 10, return_when, progress=progress)
    thread.join()
    assert len(both.done) == 3


def test_a_wrong_condition_is_refused() -> None:
    """Before anything is waited for."""
    with pytest.raises(ValueError, match="return_when must be ALL_COMPLETED"):
        gcompute.wait([ComputeFuture()], return_when="SOME", progress=True)
