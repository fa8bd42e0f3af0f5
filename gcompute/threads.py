"""The one place that starts threads.

All are daemons, so that none keeps the interpreter from exiting: what must be done before the
exit, sending what was queued, is done by the ``atexit`` hook of its owner. All are named
``gcompute-…``, so that a stack dump says whose they are.

It also has the waits that a Ctrl-C must end. CPython looks for one before it waits and is woken by
one that comes while it waits; one in between it does not see until the wait is over, and the same
goes for ``_thread.interrupt_main`` and, on Windows, for all. So these waits are many short ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: Seconds after which a wait lets Python look for a Ctrl-C.
_GLANCE_S = 0.5


def spawn(name: str, target: Callable[[], None]) -> threading.Thread:
    """Start a thread that runs ``target``."""
    thread = threading.Thread(target=target, name=f"gcompute-{name}", daemon=True)
    thread.start()
    return thread


def join(thread: threading.Thread | None, timeout_s: float | None = None) -> None:
    """Wait for a thread to end; a thread does not wait for itself."""
    if thread is None or thread is threading.current_thread():
        return
    if timeout_s is not None:
        thread.join(timeout_s)
        return
    while thread.is_alive():
        thread.join(_GLANCE_S)


def wait_until(
    changed: threading.Condition, holds: Callable[[], bool], timeout_s: float | None = None
) -> bool:
    """Wait, with the condition's lock held, until something holds; tell whether it does.

    A Ctrl-C may come when ``Condition.wait`` has let go of the lock and is not yet where it takes
    it again. Whoever holds the lock by ``with`` would then get a RuntimeError in its place.
    """
    end = None if timeout_s is None else time.monotonic() + timeout_s
    try:
        while not changed.wait_for(holds, _until(end)):
            if end is not None and time.monotonic() >= end:
                return False
    except KeyboardInterrupt:
        if not changed._is_owned():  # type: ignore[attr-defined]  # typeshed leaves it out
            changed.acquire()
        raise
    return True


def _until(end: float | None) -> float:
    return _GLANCE_S if end is None else min(_GLANCE_S, max(0.0, end - time.monotonic()))


def wait_for(event: threading.Event) -> None:
    """Wait until an event is set."""
    while not event.wait(_GLANCE_S):
        pass
