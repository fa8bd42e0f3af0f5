"""Waiting for a service that has to be asked, with a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    """Ask again and again until it holds; fail when it does not in time."""
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"did not come true within {within_s} s"
        pause.wait(0.02)
