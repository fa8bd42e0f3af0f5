"""The one place that starts threads.

All are daemons, so that none keeps the interpreter from exiting: what must be done before the
exit, sending what was queued, is done by the ``atexit`` hook of its owner. All are named
``gcompute-…``, so that a stack dump says whose they are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


def spawn(name: str, target: Callable[[], None]) -> threading.Thread:
    """Start a thread that runs ``target``."""
    thread = threading.Thread(target=target, name=f"gcompute-{name}", daemon=True)
    thread.start()
    return thread


def join(thread: threading.Thread | None, timeout_s: float | None = None) -> None:
    """Wait for a thread to end; a thread does not wait for itself."""
    if thread is not None and thread is not threading.current_thread():
        thread.join(timeout_s)
