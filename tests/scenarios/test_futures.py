"""Futures in many ways: mapped, awaited, waited for with a bar, asked for their status."""

from __future__ import annotations

import asyncio
import itertools
import pickle
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gcompute
from gcompute import Client, Executor, TaskExecutionFailed
from gcompute.local import LocalService
from gcompute.serialize import AllCodeStrategies, ComputeSerializer
from tests.scenarios.waiting import eventually
from tests.support.event_loop import in_event_loop

#: Seconds in which any single result must be there.
SOON = 30.0


def square(x: int) -> int:
    """Square."""
    return x * x


def reciprocal(x: int) -> float:
    """Fail for zero."""
    return 1 / x


def wait_for_file(path: str) -> str:
    """Wait until a file is there."""
    import os
    import time

    while not os.path.exists(path):
        time.sleep(0.01)
    return path


def megabyte(n: int) -> bytes:
    """Give a large value."""
    return bytes([n]) * 1_000_000


# Callbacks


def test_large_results_behind_a_slow_callback_take_no_memory(
    executor: Executor,
) -> None:
    """They stay with the broker until the callback has returned; then all of them come."""
    blocked, release = threading.Event(), threading.Event()

    def callback(_future: object) -> None:
        blocked.set()
        release.wait(SOON)

    first = executor.submit(square, 1)
    first.add_done_callback(callback)
    assert blocked.wait(SOON)
    tracemalloc.start()
    try:
        futures = [executor.submit(megabyte, n) for n in range(40)]
        eventually(lambda: all(f.task_id for f in futures))
        eventually(lambda: futures[-1].status() == "success")
        held = [_traced_after(0.25) for _ in range(8)]
    finally:
        tracemalloc.stop()
        release.set()
    assert max(held) < 20_000_000  # of 40 MB, and as much again as text
    assert [f.result(SOON)[0] for f in futures] == list(range(40))


def _traced_after(seconds: float) -> int:
    """Give the bytes that Python holds after a while in which nothing else is to happen."""
    threading.Event().wait(seconds)
    return tracemalloc.get_traced_memory()[0]


# map


def test_an_endless_iterable_gives_results_as_they_come(executor: Executor) -> None:
    """With no more calls under way than fit."""
    read: list[int] = []
    results = executor.map(square, map(_noted(read), itertools.count()), buffersize=32)
    for n, result in enumerate(itertools.islice(results, 200)):
        assert result == n * n
        assert len(read) <= n + 1 + 32
    results.close()
    assert list(results) == []


def _noted(read: list[int]) -> Callable[[int], int]:
    def note(n: int) -> int:
        read.append(n)
        return n

    return note


def test_the_first_results_are_there_before_the_last_calls(executor: Executor) -> None:
    """An iterable may need the results of its own earlier calls."""
    first = threading.Event()

    def numbers() -> Iterator[int]:
        yield 3
        assert first.wait(SOON)
        yield 4

    results = executor.map(square, numbers(), buffersize=1, timeout=SOON)
    assert next(results) == 9
    first.set()
    assert list(results) == [16]


@pytest.mark.parametrize("strategy", [None, AllCodeStrategies])
def test_calls_in_chunks_are_fewer_tasks(
    service: LocalService, client: Client, strategy: type[AllCodeStrategies] | None
) -> None:
    """The results are those of single calls, in their order."""
    serializer = None if strategy is None else ComputeSerializer(strategy_code=strategy())
    with Executor(service.endpoint_id, client=client, serializer=serializer) as executor:
        assert list(executor.map(square, range(100), chunksize=30, timeout=SOON)) == [
            n * n for n in range(100)
        ]
        assert len(client.get_task_group(str(executor.task_group_id))["tasks"]) == 4


@pytest.mark.parametrize("chunksize", [1, 4])
def test_a_failed_call_ends_the_iteration_in_its_place(
    executor: Executor, service: LocalService, chunksize: int
) -> None:
    """The results before it are given, also those of its own chunk."""
    results = executor.map(reciprocal, [1, 2, 4, 5, 0.5, 0, 8], chunksize=chunksize)
    assert list(itertools.islice(results, 5)) == [1, 0.5, 0.25, 0.2, 2]
    with pytest.raises(TaskExecutionFailed, match="ZeroDivisionError") as caught:
        next(results)
    assert caught.value.endpoint_id == service.endpoint_id
    assert "in reciprocal" in caught.value.remote_traceback
    assert "gcompute" not in caught.value.remote_traceback
    assert list(results) == []


def test_a_time_that_is_over_ends_the_iteration(executor: Executor, tmp_path: Path) -> None:
    """It counts from the call; what runs goes on."""
    gate = tmp_path / "gate"
    results = executor.map(wait_for_file, [str(gate)], timeout=0.05)
    with pytest.raises(TimeoutError):
        next(results)
    gate.touch()


# await


def test_leaving_an_executor_does_not_block_the_loop(
    service: LocalService, client: Client, tmp_path: Path
) -> None:
    """Another task of the loop opens the gate that the last call waits for."""
    gate = tmp_path / "gate"

    async def main() -> None:
        async with Executor(service.endpoint_id, client=client) as executor:
            future = executor.submit(wait_for_file, str(gate))
            asyncio.get_running_loop().call_later(0.1, gate.touch)
        assert future.result(0) == str(gate)

    asyncio.run(asyncio.wait_for(main(), SOON))


@in_event_loop
async def test_futures_are_awaited(executor: Executor) -> None:
    """Alone, together, and as they end."""
    futures = [executor.submit(square, n) for n in range(50)]
    assert await asyncio.gather(*futures) == [n * n for n in range(50)]
    async with asyncio.timeout(SOON):
        assert await executor.submit(square, 7) == 49
        with pytest.raises(TaskExecutionFailed, match="ZeroDivisionError"):
            await executor.submit(reciprocal, 0)
        ended = [f async for f in gcompute.as_completed(futures, progress=True)]
    assert set(ended) == set(futures)


def test_futures_are_awaited_in_two_loops(executor: Executor) -> None:
    """One after the other, as in a program that calls asyncio.run twice."""
    future = executor.submit(square, 3)

    async def main() -> object:
        return await future

    assert [asyncio.run(main()) for _ in range(2)] == [9, 9]


# Waiting, status, copies


def test_futures_come_as_they_end(executor: Executor, tmp_path: Path) -> None:
    """The one that waits comes last, although it was first."""
    gate = tmp_path / "gate"
    slow = executor.submit(wait_for_file, str(gate))
    quick = executor.submit(square, 2)
    completed = gcompute.as_completed([slow, quick], timeout=SOON)
    assert next(completed) is quick
    gate.touch()
    assert list(completed) == [slow]
    assert gcompute.wait([slow, quick], progress=True).done == {slow, quick}


def test_the_status_is_the_services(executor: Executor, tmp_path: Path) -> None:
    """From the task's beginning to its end."""
    gate = tmp_path / "gate"
    future = executor.submit(wait_for_file, str(gate))
    bad = executor.submit(reciprocal, 0)
    assert isinstance(bad.exception(SOON), TaskExecutionFailed)  # so the other was taken, too
    assert future.status() in {"received", "waiting-for-ep", "waiting-for-launch", "running"}
    assert bad.status() == "failed"
    gate.touch()
    future.result(SOON)
    assert future.status() == "success"


def test_a_pending_future_does_not_travel(executor: Executor, tmp_path: Path) -> None:
    """The error says what does."""
    gate = tmp_path / "gate"
    future = executor.submit(wait_for_file, str(gate))
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        pickle.dumps(future)
    error = executor.submit(square, future).exception(0)  # type: ignore[arg-type]
    assert "cannot be pickled or copied" in str(error)
    gate.touch()
