"""The Executor: futures, whatever order they end in, and how it ends itself."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import as_completed, wait
from typing import Any

from gcompute.errors import SerializationError
from gcompute.serialize import JSONData
from tests.matrix.scripts.play import (
    OFFICIAL,
    PATIENCE_S,
    Setting,
    play,
    raised,
    until,
)

#: Executors that stay where they are in memory.
_KEPT: list[object] = []


def square(number: int) -> int:
    """Multiply a number with itself."""
    return number * number


def report(first: int, *others: int, scale: int = 2, **named: int) -> dict[str, Any]:
    """Tell how this was called."""
    return {"first": first, "others": others, "scale": scale, "named": named}


def reverse(text: bytes) -> bytes:
    """Turn it round."""
    return text[::-1]


def own_task_id() -> str:
    """Tell which task this is, as the worker knows it."""
    import os

    return os.environ["GC_TASK_UUID"]


def nap(seconds: float = 0.3) -> str:
    """Take a moment."""
    import time

    time.sleep(seconds)
    return "awake"


def fifty_in_any_order(setting: Setting) -> None:
    """Each of many futures ends with its own result."""
    with setting.executor() as executor:
        numbers = {executor.submit(square, number): number for number in range(50)}
        ended = set(as_completed(numbers, timeout=PATIENCE_S))
    assert ended == numbers.keys()
    assert all(future.result() == number**2 for future, number in numbers.items())
    assert len({future.task_id for future in numbers}) == 50


def arguments(setting: Setting) -> None:
    """By position, by name, and left to their defaults."""
    with setting.executor() as executor:
        plain = executor.submit(report, 1)
        full = executor.submit(report, 1, 2, 3, scale=5, extra=7)
        assert plain.result(PATIENCE_S) == {"first": 1, "others": (), "scale": 2, "named": {}}
        assert full.result(PATIENCE_S) == {
            "first": 1,
            "others": (2, 3),
            "scale": 5,
            "named": {"extra": 7},
        }


def one_megabyte(setting: Setting) -> None:
    """An argument and a result of 1 MB come through unchanged."""
    text = os.urandom(1_000_000)
    with setting.executor() as executor:
        assert executor.submit(reverse, text).result(PATIENCE_S) == text[::-1]


def by_id(setting: Setting) -> None:
    """A function that was registered before needs no more than its id."""
    function_id = setting.client.register_function(square)
    with setting.executor() as executor:
        future = executor.submit_to_registered_function(function_id, args=(9,))
        assert future.result(PATIENCE_S) == 81


def results_as_json(setting: Setting) -> None:
    """Workers write results with the strategy that was asked for: JSON knows no tuples."""
    with setting.executor(result_serializers=[JSONData()]) as executor:
        told = executor.submit(report, 1, 2).result(PATIENCE_S)
    assert told["others"] == [2], told


def worker_knows_its_task(setting: Setting) -> None:
    """In an environment variable."""
    with setting.executor() as executor:
        future = executor.submit(own_task_id)
        assert future.result(PATIENCE_S) == future.task_id


def task_group(setting: Setting) -> None:
    """Executors may share a task group, which is made by the first submit."""
    with setting.executor() as first:
        first.task_group_id = None
        assert first.submit(square, 2).result(PATIENCE_S) == 4
        group = str(first.task_group_id)
        assert uuid.UUID(group)
        with setting.executor(task_group_id=group) as second:
            futures = [executor.submit(square, 3) for executor in (first, second)]
            assert [future.result(PATIENCE_S) for future in futures] == [9, 9]
            assert str(second.task_group_id) == group


def reloaded(setting: Setting) -> None:
    """The tasks of a group can be found again, finished or not."""
    with setting.executor(task_group_id=None) as executor:
        executor.task_group_id = None
        first = [executor.submit(square, number) for number in range(5)]
        assert [future.result(PATIENCE_S) for future in first] == [0, 1, 4, 9, 16]
        late = executor.submit(nap)
        until(lambda: late.task_id)
        group = executor.task_group_id
    with setting.executor(task_group_id=group) as another:
        found = {future.task_id: future for future in another.reload_tasks()}
        assert found.keys() == {future.task_id for future in (*first, late)}
        for future in (*first, late):
            assert found[future.task_id].result(PATIENCE_S) == future.result(PATIENCE_S)


def no_argument_to_send(setting: Setting) -> None:
    """What cannot be serialized fails its own future; the official one never ends."""
    executor = setting.executor()
    stuck = executor.submit(square, (number for number in range(3)))  # type: ignore[arg-type]
    if OFFICIAL:
        assert not wait([stuck], timeout=2).done
        executor.shutdown(wait=False, cancel_futures=True)
        return
    raised(SerializationError, lambda: stuck.result(PATIENCE_S))
    assert executor.submit(square, 3).result(PATIENCE_S) == 9
    executor.shutdown()


def cancel(setting: Setting) -> None:
    """A task that was sent runs: we say that, the official future says it is cancelled."""
    executor = setting.executor()
    # Long enough that the official future is there to be cancelled, also on a slow machine.
    sent = executor.submit(nap, 5.0 if OFFICIAL else 0.3)
    until(lambda: sent.task_id)
    assert sent.cancel() is OFFICIAL
    assert executor.submit(square, 4).result(PATIENCE_S) == 16
    if not OFFICIAL:
        assert sent.result(PATIENCE_S) == "awake"
    # The official one would wait for ever for the future that it called cancelled, and so would
    # the next one if it came to lie where this one was: it knows its futures by its id().
    executor.shutdown(wait=not OFFICIAL)
    _KEPT.append(executor)


def shutdown(setting: Setting) -> None:
    """Shutting down waits for what was submitted, and takes nothing more.

    The official one does not wait for tasks that are just being sent, so its futures may end
    a little later.
    """
    executor = setting.executor()
    futures = [executor.submit(square, number) for number in range(20)]
    executor.shutdown()
    assert OFFICIAL or all(future.done() for future in futures)
    assert [future.result(PATIENCE_S) for future in futures] == [n**2 for n in range(20)]
    raised(RuntimeError, lambda: executor.submit(square, 1))
    executor.shutdown()


if __name__ == "__main__":
    play(
        fifty_in_any_order,
        arguments,
        one_megabyte,
        by_id,
        results_as_json,
        worker_knows_its_task,
        task_group,
        reloaded,
        no_argument_to_send,
        cancel,
        shutdown,
    )
