"""A limit of time for a block of code.

In the main thread it is a signal, which also interrupts a wait in the operating system such as
``time.sleep``. Elsewhere there are no signals: there the exception is raised in the thread when
it next runs Python code, so that one which waits goes on waiting first.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds after which it is raised again in a thread: one that was in a finalizer has ignored it.
_AGAIN_S = 1.0

#: Seconds after which a thread that waits for the end of its watch looks again.
_LOOK_S = 0.05


class TaskTimeout(TimeoutError):
    """A task took longer than ``GC_TASK_TIMEOUT`` allows."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``TaskTimeout`` in the block when it takes longer; 0 for no limit."""
    if not seconds:
        yield
        return
    in_main_thread = threading.current_thread() is threading.main_thread()
    try:
        with _by_signal(seconds) if in_main_thread else _by_thread(seconds):
            yield
    except TaskTimeout as error:
        # The interpreter makes the exception without a text where it is raised from elsewhere.
        error.args = error.args or (f"Task exceeded its limit of {seconds:g} s (GC_TASK_TIMEOUT)",)
        raise


@contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    def on_alarm(_number: int, _frame: object) -> None:
        raise TaskTimeout

    handler_before = signal.signal(signal.SIGALRM, on_alarm)
    timer_before = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer_before)
        signal.signal(signal.SIGALRM, handler_before)


@contextmanager
def _by_thread(seconds: float) -> Iterator[None]:
    thread, error = ctypes.c_ulong(threading.get_ident()), ctypes.py_object(TaskTimeout)
    # Bare locks, held until somebody is told: an exception that is raised inside an event or a
    # join leaves a lock of theirs behind, and then everybody waits for ever.
    begun, over, watching = threading.Lock(), threading.Lock(), threading.Lock()
    for lock in (begun, over, watching):
        lock.acquire()
    ended: list[bool] = []
    #: Whether the block has ended. The interpreter changes threads after a call or at the end of
    #: a loop, not where this is set, nor between a look at it and the call behind that: so once
    #: it is set nothing is raised any more, and one exception at most is on its way.
    left = False

    def watch() -> None:
        begun.acquire()
        wait_s = seconds
        while not over.acquire(timeout=wait_s):
            if not left:
                _raise_in(thread, error)
            wait_s = _AGAIN_S
        ended.append(True)
        watching.release()

    try:
        try:
            threading.Thread(target=watch, name="gcompute-time-limit", daemon=True).start()
        except RuntimeError:  # the system has no more threads
            ended.append(True)
            raise
        begun.release()  # only now: a thread that is interrupted as it starts another breaks it
        yield
    finally:
        left = True
        try:
            _await(ended, over, watching)
        except TaskTimeout:  # came as the block ended
            _await(ended, over, watching)
        # It may have been raised, but not have arrived, when the block ended.
        _raise_in(thread, None)


def _await(ended: list[bool], over: threading.Lock, watching: threading.Lock) -> None:
    """Tell a watch that it is over, and wait for its end."""
    while not ended:
        if over.locked():
            over.release()
        watching.acquire(timeout=_LOOK_S)


_raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
