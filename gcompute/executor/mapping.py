"""``Executor.map``: results in the order of their calls, while the calls are still being made.

The iterables are read as far as results are taken::

    iterables -> submit -> window: futures in order, `buffersize` at most -> results

Results that are taken make room for calls, so that an endless iterable needs no more memory than
a window. The iterables are read in the thread of the caller, in ``map`` itself and then in steps
of the iteration. A step reads nothing until a quarter of the window is free, and then until it
is full: calls that trickled in one by one would go in small batches, and requests are few. Only
an iterable that is slow is left as soon as the next result is there.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gcompute.executor.chunks import ChunkFunction, chunk_results
from gcompute.executor.future import ComputeFuture

if TYPE_CHECKING:
    from gcompute.executor.executor import Executor

R = TypeVar("R")

#: Tasks between the call that is read and the result that is taken, at most. Enough for 32 full
#: batches, and for a large endpoint while one slow task is waited for; some 10 MB.
DEFAULT_BUFFERSIZE = 4096

#: Seconds for which calls are read although a result could be given; then an iterable is slow.
_SLOW_S = 0.01


def map_calls(
    executor: Executor,
    function: Callable[..., R],
    iterables: tuple[Iterable[Any], ...],
    *,
    timeout: float | None,
    chunksize: int,
    buffersize: int | None,
) -> MappedResults[R]:
    """Do what :meth:`gcompute.Executor.map` documents."""
    _check_size("chunksize", chunksize)
    if buffersize is not None:
        _check_size("buffersize", buffersize)
    deadline = None if timeout is None else time.monotonic() + timeout
    submit: Callable[[Any], ComputeFuture]
    results: Callable[[ComputeFuture, Any], tuple[list[Any], Exception | None]]
    calls: Iterator[Any] = zip(*iterables, strict=False)  # the shortest ends it
    if chunksize == 1:
        submit, results = partial(_submit_call, executor, function), _single_result
    else:
        calls = _chunks(calls, chunksize)
        submit = partial(_submit_chunk, executor, ChunkFunction(function))
        results = partial(chunk_results, endpoint_id=str(executor.endpoint_id))
    return MappedResults(
        calls,
        submit,
        results,
        deadline=deadline,
        buffersize=DEFAULT_BUFFERSIZE if buffersize is None else buffersize,
        # What has a length can be read without waiting for anybody.
        at_hand=all(hasattr(iterable, "__len__") for iterable in iterables),
    )


class MappedResults(Iterator[R], Generic[R]):
    """Results in the order of their calls; what :meth:`gcompute.Executor.map` gives.

    Args:
        calls: what to submit, in order.
        submit: submits one of them.
        results: gives the results that one future's value stands for, and an error to be raised
            after them.
        deadline: when a result must be there, on the monotonic clock.
        buffersize: how many futures there are at once, at most.
        at_hand: read as many calls as that at once, however early the first result comes.
        clock: the monotonic clock.
    """

    _started = False
    _unread: Iterator[Any] | None = None

    def __init__(
        self,
        calls: Iterator[Any],
        submit: Callable[[Any], ComputeFuture],
        results: Callable[[ComputeFuture, Any], tuple[list[R], Exception | None]],
        *,
        deadline: float | None,
        buffersize: int,
        at_hand: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._submit = submit
        self._results = results
        self._deadline = deadline
        self._buffersize = buffersize
        #: Futures of the calls that were read and whose results were not taken, in order.
        self._window: deque[ComputeFuture] = deque()
        #: Calls to come; ``None`` when there are none any more.
        self._unread = calls
        #: What reading or submitting a call raised: to be raised in the place of its result.
        self._failure: Exception | None = None
        #: Results of the task that was taken last, and what is to be raised after them.
        self._ready: deque[R] = deque()
        self._ready_failure: Exception | None = None
        self._read(at_hand=at_hand)
        if not self._window:
            self._raise_failure()

    def __next__(self) -> R:
        self._started = True
        try:
            while not self._ready:
                self._take()
        except BaseException:  # whatever it is, nobody waits for the others any more
            self.close()
            raise
        return self._ready.popleft()

    def close(self) -> None:
        """Read no more calls, and cancel those that were not sent yet."""
        self._unread = self._failure = self._ready_failure = None
        self._ready.clear()
        while self._window:
            self._window.pop().cancel()  # the last first, so that none is sent meanwhile

    def __del__(self) -> None:
        if self._started:
            self.close()
        elif self._unread is not None:
            warnings.warn(
                "the results of Executor.map() were never asked for, and its iterables not read "
                "to the end: calls that were not read are not made. Iterate over the results",
                RuntimeWarning,
                stacklevel=2,
                source=self,
            )

    def _take(self) -> None:
        """Wait for the results of the next task; raise where there is none."""
        if self._ready_failure is not None:
            raise self._ready_failure
        if len(self._window) <= self._buffersize * 3 // 4:
            self._read()
        if not self._window:
            self._raise_failure()
            raise StopIteration
        future = self._window.popleft()
        results, self._ready_failure = self._results(future, self._wait(future))
        self._ready.extend(results)

    def _read(self, *, at_hand: bool = False) -> None:
        """Submit calls until the window is full, or a slow iterable holds up a result."""
        slow_from = self._clock() + _SLOW_S
        while self._unread is not None and len(self._window) < self._buffersize:
            try:
                call = next(self._unread)
            except StopIteration:
                self._unread = None
                return
            except Exception as error:
                self._fail(error)
                return
            try:
                self._window.append(self._submit(call))
            except Exception as error:
                self._fail(error)
                return
            if not at_hand and self._window[0].done() and self._clock() > slow_from:
                return

    def _fail(self, error: Exception) -> None:
        self._unread = None
        self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _wait(self, future: ComputeFuture) -> Any:
        try:
            if self._deadline is None:
                return future.result()
            left_s = max(0.0, self._deadline - self._clock())
            return future.result(min(left_s, threading.TIMEOUT_MAX))
        finally:
            future.cancel()  # where the time is over; else it has ended


def _submit_call(
    executor: Executor, function: Callable[..., Any], call: tuple[Any, ...]
) -> ComputeFuture:
    return executor.submit(function, *call)


def _submit_chunk(
    executor: Executor, function: ChunkFunction, calls: list[tuple[Any, ...]]
) -> ComputeFuture:
    return executor.submit(function, calls)


def _single_result(_future: ComputeFuture, value: Any) -> tuple[list[Any], None]:
    return [value], None


def _chunks(calls: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while chunk := list(itertools.islice(calls, min(size, sys.maxsize))):
        yield chunk


def _check_size(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
