"""Waiting for many futures: as the standard library does, in event loops too, and with a bar.

::

    for future in gcompute.as_completed(futures, progress=True):
        print(future.result())

Futures put themselves into a queue when they end, in the thread that ends them; who iterates
takes them out. Nothing is polled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import time
import weakref
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION
from contextlib import suppress
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from gcompute.awaiting import LoopAlarm
from gcompute.executor.callbacks import check_waits
from gcompute.progress import ProgressBar, has_failed

F = TypeVar("F", bound=concurrent.futures.Future[Any])


def as_completed(
    futures: Iterable[F], timeout: float | None = None, *, progress: bool = False
) -> CompletedFutures[F]:
    """Give futures as they end, the first first: for ``for`` and ``async for``.

    Args:
        futures: what to wait for, of any executor; one that is there twice comes once.
        timeout: seconds, from now, in which all of them must end.
        progress: show a bar on standard error, where that is a terminal, or in a notebook. It
            needs the extra ``progress``.

    Returns:
        An iterator for one consumer. It raises a TimeoutError when the time is over; futures
        that have ended by then come before it.

    Raises:
        TypeError: there is something among the futures that is none.
        ImportError: a bar is wanted, and tqdm is not installed.
        RuntimeError: a callback would wait for what only its own thread can end.
    """
    distinct = _distinct(futures)
    if timeout != 0:
        check_waits(distinct)
    return CompletedFutures(distinct, timeout, progress=progress)


class Waited(NamedTuple, Generic[F]):
    """What :func:`wait` gives: the futures that have ended, and the others."""

    done: set[F]
    not_done: set[F]


def wait(
    futures: Iterable[F],
    timeout: float | None = None,
    return_when: str = ALL_COMPLETED,
    *,
    progress: bool = False,
) -> Waited[F]:
    """Block until futures have ended, as :func:`concurrent.futures.wait` does.

    In a coroutine use ``asyncio.gather(*futures)`` or :func:`as_completed`.

    Args:
        futures: what to wait for, of any executor.
        timeout: seconds to wait at most.
        return_when: ``FIRST_COMPLETED``, ``FIRST_EXCEPTION`` or ``ALL_COMPLETED`` of
            :mod:`concurrent.futures`.
        progress: as for :func:`as_completed`.

    Returns:
        Two sets, ``done`` and ``not_done``. That the time is over is no error.

    Raises:
        TypeError: there is something among the futures that is none.
        ValueError: ``return_when`` is none of the three.
        ImportError: a bar is wanted, and tqdm is not installed.
        RuntimeError: a callback would wait for what only its own thread can end.
    """
    distinct = _distinct(futures)
    if return_when not in (ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION):
        raise ValueError(
            f"return_when must be ALL_COMPLETED, FIRST_COMPLETED or FIRST_EXCEPTION, not "
            f"{return_when!r}"
        )
    first_is_there = return_when == FIRST_COMPLETED and any(future.done() for future in distinct)
    if timeout != 0 and not first_is_there:
        check_waits(distinct)
    if progress:
        _watch(CompletedFutures(distinct, timeout, progress=True), return_when)
    else:
        concurrent.futures.wait(distinct, timeout, return_when)
    done = {future for future in distinct if future.done()}
    return Waited(done, set(distinct) - done)


class CompletedFutures(Iterator[F], AsyncIterator[F], Generic[F]):
    """The iterator that :func:`as_completed` gives."""

    def __init__(self, futures: list[F], timeout: float | None, *, progress: bool) -> None:
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._total = len(futures)
        #: How many are still to come.
        self._left = len(futures)
        self._bar = ProgressBar(self._total) if progress else None
        #: Futures that have ended and were not given yet.
        self._ended: queue.SimpleQueue[F] = queue.SimpleQueue()
        #: Wakes the task that waits in an event loop, where one does.
        self._alarm: LoopAlarm | None = None
        # A future that outlives this iterator must not keep it, and all it has, alive.
        arrived = partial(_arrived, weakref.ref(self))
        for future in futures:
            future.add_done_callback(arrived)

    def __iter__(self) -> CompletedFutures[F]:
        return self

    def __aiter__(self) -> CompletedFutures[F]:
        return self

    def __next__(self) -> F:
        if not self._left:
            raise StopIteration
        try:
            return self._give(self._ended.get(timeout=self._seconds_left()))
        except queue.Empty:
            raise self._too_late() from None

    async def __anext__(self) -> F:
        if not self._left:
            raise StopAsyncIteration
        while True:
            alarm = self._alarm = LoopAlarm()
            try:  # after the alarm was set: what ends from now on rings it
                return self._give(self._ended.get_nowait())
            except queue.Empty:
                if self._seconds_left() == 0:
                    raise self._too_late() from None
            with suppress(TimeoutError):  # what has ended just now is still given
                async with asyncio.timeout(self._seconds_left()):
                    await alarm

    def close(self) -> None:
        """Leave the bar as it is, where there is one; for loops that are left early."""
        if self._bar is not None:
            self._bar.close()

    def _arrive(self, future: F) -> None:
        """Take in a future that has ended; in the thread that ended it."""
        self._ended.put(future)
        if self._alarm is not None:
            self._alarm.ring()

    def _give(self, future: F) -> F:
        self._left -= 1
        if self._bar is not None:
            self._bar.count(future)
            if not self._left:
                self._bar.close()
        return future

    def _seconds_left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _too_late(self) -> TimeoutError:
        self.close()
        return TimeoutError(f"{self._left} of {self._total} futures have not ended in time")


def _arrived(iterator: weakref.ref[CompletedFutures[Any]], future: Any) -> None:
    alive = iterator()
    if alive is not None:
        alive._arrive(future)


def _watch(completed: CompletedFutures[Any], return_when: str) -> None:
    """Take futures until what ``wait`` waits for has happened, or the time is over."""
    try:
        for future in completed:
            if return_when == FIRST_COMPLETED:
                break
            # A cancelled future is no exception, as in the standard library.
            if return_when == FIRST_EXCEPTION and has_failed(future) and not future.cancelled():
                break
    except TimeoutError:
        pass  # what has not ended is in the answer
    finally:
        completed.close()


def _distinct(futures: Iterable[Any]) -> list[Any]:
    """List futures in their order, each once."""
    distinct = list(dict.fromkeys(futures))
    for future in distinct:
        if not isinstance(future, concurrent.futures.Future):
            raise TypeError(
                f"futures of an executor are needed, not {future!r} ({type(future).__name__})"
            )
    return distinct
