"""Waiting in an event loop for what a thread ends.

A :class:`concurrent.futures.Future` goes in, and the task that waits goes on, in its own loop,
when the future has ended. Any number of tasks, in any number of loops, may wait for one future.
Waiting only watches: a task that is cancelled, or whose loop is closed, takes nothing from the
others, and the future goes on. So it is the same whether its work was sent already or not; who
wants to stop the work calls ``future.cancel()``.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Generic, TypeVar

from gcompute.executor.callbacks import check_wait
from gcompute.threads import spawn

T = TypeVar("T")


class LoopAlarm:
    """Wakes one task of the running event loop, once; ``ring`` may be called in any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = self._loop.create_future()

    def ring(self) -> None:
        """Wake the task that waits; nothing happens where none does any more."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if not self._rung.done():
            self._rung.set_result(None)

    def __await__(self) -> Generator[Any, None, None]:
        return self._rung.__await__()


def outcome(future: concurrent.futures.Future[T]) -> Generator[Any, None, T]:
    """Wait for a future and give its result; the body of an ``__await__``.

    Raises:
        asyncio.CancelledError: the future was cancelled.
        Exception: what the future failed with.
        RuntimeError: the loop runs in a callback, and waits for what only its own thread can end.
    """
    if not future.done():
        check_wait(future)
        alarm = LoopAlarm()
        future.add_done_callback(lambda _: alarm.ring())
        yield from alarm.__await__()
    try:
        return future.result(0)
    except concurrent.futures.CancelledError as error:
        raise asyncio.CancelledError(f"{future!r} was cancelled") from error


async def in_thread(name: str, call: Callable[[], T]) -> T:
    """Run something that blocks in a thread of its own, and wait for it.

    The thread is a daemon: an interpreter that is told to exit does not wait for it.

    Args:
        name: for the thread.
        call: what blocks.
    """
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # whatever it is belongs to the task that waits
            future.set_exception(error)

    spawn(name, run)
    return await _Awaitable(future)


class _Awaitable(Generic[T]):
    def __init__(self, future: concurrent.futures.Future[T]) -> None:
        self._future = future

    def __await__(self) -> Generator[Any, None, T]:
        return outcome(self._future)
