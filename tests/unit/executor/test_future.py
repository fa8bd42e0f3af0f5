"""The future of a task."""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import logging
import os
import pickle
import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dill
import pytest

from gcompute import ComputeFuture, TaskExecutionFailed
from gcompute.awaiting import in_thread
from gcompute.errors import ResultsUnavailable, SerializationError, SubmissionUncertain
from gcompute.executor.callbacks import running_callbacks, waits_for_itself
from gcompute.executor.future import settle
from gcompute.serialize import ComputeSerializer
from tests.support.event_loop import in_event_loop
from tests.unit.executor.stand_ins import WAIT_S


def test_it_is_a_future_that_knows_its_task() -> None:
    """Of the standard library's kind; the id comes when the service gives it."""
    future = ComputeFuture()
    assert isinstance(future, concurrent.futures.Future)
    assert future.task_id is None
    assert "not sent yet" in repr(future)
    future.task_id = "t-1"
    assert "t-1" in repr(future)
    assert ComputeFuture("t-2").task_id == "t-2"


def test_settling_ends_with_a_result_or_an_error() -> None:
    """None is a result as well."""
    for value in (1, None):
        future = ComputeFuture()
        settle(future, value)
        assert future.result(0) == value
    failed = ComputeFuture()
    settle(failed, error=ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        failed.result(0)


def test_settling_twice_changes_nothing() -> None:
    """A result that comes twice, or after a cancellation, disturbs nobody."""
    future = ComputeFuture()
    settle(future, 1)
    settle(future, 2)
    settle(future, error=ValueError())
    assert future.result(0) == 1
    cancelled = ComputeFuture()
    assert cancelled.cancel()
    settle(cancelled, 1)
    assert cancelled.cancelled()


@pytest.mark.parametrize("raised", [ValueError("callback"), SystemExit(3), KeyboardInterrupt()])
def test_a_callback_that_raises_is_logged_and_no_more(
    raised: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """Even one that tries to end the thread that delivers."""

    def callback(_future: object) -> None:
        raise raised

    future = ComputeFuture()
    future.add_done_callback(callback)
    with caplog.at_level(logging.ERROR):
        settle(future, 1)
    assert future.result(0) == 1
    assert caplog.records


# The service's view of the task


def future_of(answer: Mapping[str, Any] | None, task_id: str | None = "t-1") -> ComputeFuture:
    """Give a future whose service answers so."""

    def ask(asked: str) -> Mapping[str, Any] | None:
        assert asked == task_id
        return answer

    return ComputeFuture(task_id, ask_status=ask)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ({"status": "waiting-for-ep"}, "waiting-for-ep"),
        ({"status": "RUNNING"}, "running"),
        ({"status": "success", "result": "00\n"}, "success"),
        ({"status": None}, "unknown"),
        ({}, "unknown"),
        (None, "unknown"),
    ],
)
def test_the_service_is_asked_for_a_task_under_way(
    answer: Mapping[str, Any] | None, word: str
) -> None:
    """Its word is given, in lower case."""
    assert future_of(answer).status() == word


def test_a_task_that_was_not_sent_is_not_asked_for() -> None:
    """Nor is one that never will be."""
    future = future_of({"status": "running"}, task_id=None)
    assert future.status() == "not sent"
    settle(future, error=SerializationError("a lock"))
    assert future.status() == "not sent"
    cancelled = future_of({"status": "running"})
    cancelled.cancel()
    assert cancelled.status() == "cancelled"


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (None, "success"),
        (TaskExecutionFailed("boom", task_id="t-1"), "failed"),
        (SubmissionUncertain("broke off"), "unknown"),
    ],
)
def test_what_the_end_tells_is_not_asked_for(error: Exception | None, word: str) -> None:
    """A service that is asked needlessly would answer otherwise."""
    future = future_of({"status": "running"})
    settle(future, 1, error)
    assert future.status() == word


def test_a_result_that_cannot_be_had_leaves_the_task_to_the_service() -> None:
    """The task itself may have gone well."""
    future = future_of({"status": "success"})
    settle(future, error=ResultsUnavailable("no connection"))
    assert future.status() == "success"


def test_a_future_that_nobody_can_ask_for_is_unknown() -> None:
    """As one that was made by hand."""
    assert ComputeFuture("t-1").status() == "unknown"


# Awaiting


@in_event_loop
async def test_awaiting_gives_the_result() -> None:
    """Before and after the end, also of many at once."""
    futures = [ComputeFuture() for _ in range(3)]
    gathering = asyncio.ensure_future(asyncio.gather(*futures))
    await asyncio.sleep(0)

    def end() -> None:
        for n, future in enumerate(futures):
            settle(future, n)

    await in_thread("ends", end)
    assert await gathering == [0, 1, 2]
    assert await futures[1] == 1


@in_event_loop
async def test_awaiting_raises_the_error() -> None:
    """Of the task, or that it was cancelled, in the words of asyncio."""
    failed, cancelled = ComputeFuture(), ComputeFuture()
    settle(failed, error=ValueError("no"))
    cancelled.cancel()
    with pytest.raises(ValueError, match="no"):
        await failed
    with pytest.raises(asyncio.CancelledError, match="was cancelled"):
        await cancelled
    later = ComputeFuture()
    both = asyncio.gather(failed, later, return_exceptions=True)
    await asyncio.sleep(0)
    settle(later, 1)
    error, value = await both
    assert isinstance(error, ValueError)
    assert value == 1


@in_event_loop
async def test_a_cancelled_waiter_takes_nothing_from_the_others() -> None:
    """Neither a time that is over nor a cancellation ends the future."""
    future = ComputeFuture()
    other = asyncio.ensure_future(future)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await future
    waiter = asyncio.ensure_future(future)
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])
    assert not future.cancelled()
    settle(future, 7)
    assert await other == 7


@in_event_loop
async def test_the_tools_of_asyncio_take_it() -> None:
    """``as_completed`` and ``wait_for`` as it is, ``wait`` as a future of the loop."""
    futures = [ComputeFuture() for _ in range(3)]
    for n, future in enumerate(futures):
        settle(future, n)
    assert {await ended for ended in asyncio.as_completed(futures)} == {0, 1, 2}
    assert await asyncio.wait_for(futures[0], 10) == 0
    done, not_done = await asyncio.wait([asyncio.ensure_future(f) for f in futures])
    assert {f.result() for f in done} == {0, 1, 2}
    assert not_done == set()


def test_many_loops_wait_for_one_future() -> None:
    """Each wakes up by itself."""
    future = ComputeFuture()
    waiting = threading.Semaphore(0)
    values: list[int] = []

    async def main() -> None:
        asyncio.get_running_loop().call_soon(waiting.release)
        values.append(await future)

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert waiting.acquire(timeout=10)
    settle(future, 7)
    for thread in threads:
        thread.join(10)
    assert values == [7, 7, 7]


def test_a_closed_loop_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A result that comes when the loop is gone is nothing to complain of."""
    future = ComputeFuture()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await future

    asyncio.run(main())
    settle(future, 7)
    assert future.result(0) == 7
    assert not caplog.records


# Callbacks


@pytest.mark.parametrize("leaving", [SystemExit(3), KeyboardInterrupt()])
def test_a_callback_that_leaves_takes_nothing_from_those_behind_it(
    leaving: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """They are called all the same; and so are those behind one that fails."""
    future = ComputeFuture()
    called: list[str] = []

    def fail(_future: object) -> None:
        called.append("fail")
        raise ValueError("mine")

    def leave(_future: object) -> None:
        called.append("leave")
        raise leaving

    for callback in (fail, leave, lambda _: called.append("last")):
        future.add_done_callback(callback)
    settle(future, 1)
    assert called == ["fail", "leave", "last"]
    raised = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert raised == ["mine", str(leaving)]


def test_who_cancels_in_his_own_thread_can_be_interrupted() -> None:
    """What a callback raises there is raised, once all were called."""
    future = ComputeFuture()
    called: list[int] = []

    def leave(_future: object) -> None:
        raise KeyboardInterrupt

    future.add_done_callback(leave)
    future.add_done_callback(lambda _: called.append(1))
    with pytest.raises(KeyboardInterrupt):
        future.cancel()
    assert called == [1]


@pytest.mark.parametrize("wait", [ComputeFuture.result, ComputeFuture.exception])
def test_who_ends_a_future_cannot_wait_for_it(wait: Callable[..., object]) -> None:
    """It says so, in place of a wait without an end; others wait as ever."""
    mine, others, ended = ComputeFuture(), ComputeFuture(), ComputeFuture()
    settle(ended, None)
    with running_callbacks(lambda future: future in (mine, ended)):
        for timeout in (5.0, None):
            with pytest.raises(RuntimeError, match="add_done_callback there"):
                wait(mine, timeout)
        for future in (mine, others):
            with pytest.raises(TimeoutError):
                wait(future, 0)
        with pytest.raises(TimeoutError):
            wait(others, 0.001)
        assert wait(ended) is None
    with pytest.raises(TimeoutError):
        wait(mine, 0.001)


def test_a_forked_process_has_no_thread_that_ends_futures() -> None:
    """Its first threads have the idents of the parent's, and may wait for whatever they like."""
    running, over = threading.Event(), threading.Event()

    def run() -> None:
        with running_callbacks(lambda future: True):
            running.set()
            over.wait(WAIT_S)

    thread = threading.Thread(target=run)
    thread.start()
    assert running.wait(WAIT_S)
    with running_callbacks(lambda future: True):
        child = os.fork()
        allowed = not child and not waits_for_itself([ComputeFuture()])
    if not child:
        try:
            with ThreadPoolExecutor(1) as pool:
                allowed &= not pool.submit(waits_for_itself, [ComputeFuture()]).result(WAIT_S)
            os._exit(0 if allowed else 1)
        finally:  # else the child would go on with the tests
            os._exit(1)
    over.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


# Copies


@pytest.mark.parametrize("copying", [pickle.dumps, dill.dumps, copy.copy, copy.deepcopy])
def test_it_is_neither_pickled_nor_copied(copying: Callable[[object], object]) -> None:
    """The error says what to send in its place."""
    future = ComputeFuture()
    with pytest.raises(TypeError, match="wait until it has a task_id"):
        copying(future)
    future.task_id = "t-1"
    with pytest.raises(TypeError, match=r"task_id, t-1, .*reload_tasks"):
        copying(future)
    settle(future, 1)
    with pytest.raises(TypeError, match=r"future\.result\(\)"):
        copying(future)


def test_a_future_as_an_argument_is_explained() -> None:
    """A result has to be waited for before it is an argument."""
    future = ComputeFuture()
    settle(future, 1)
    with pytest.raises(SerializationError, match=r"argument 0.*future\.result\(\)"):
        ComputeSerializer().pack_arguments((future,), {})


@pytest.mark.parametrize("ask", [ComputeFuture.result, ComputeFuture.exception])
def test_what_is_late_is_named(ask: Callable[[ComputeFuture, float], object]) -> None:
    """The standard library's error says nothing."""
    with pytest.raises(TimeoutError, match=r"no result of task t-1 after 0.001 s: it goes on"):
        ask(ComputeFuture("t-1"), 0.001)
    with pytest.raises(TimeoutError, match="a task that has not been sent yet after 0 s"):
        ask(ComputeFuture(), 0)


def test_a_task_that_ran_out_of_time_is_not_late() -> None:
    """The error of its end is given as it is."""
    future = ComputeFuture("t-1")
    error = TimeoutError("the callee's own")
    settle(future, error=error)
    assert future.exception(0) is error
    with pytest.raises(TimeoutError) as caught:
        future.result(0)
    assert caught.value is error


def test_an_error_that_was_raised_does_not_keep_its_future() -> None:
    """Its traceback holds the frames that it went through, and none of these holds the future."""
    future = ComputeFuture("t-1")
    settle(future, error=TaskExecutionFailed("no"))
    with pytest.raises(TaskExecutionFailed) as caught:
        future.result(0)
    gone = weakref.ref(future)
    traceback = caught.value.__traceback__
    del future
    assert (traceback is not None, gone()) == (True, None)
