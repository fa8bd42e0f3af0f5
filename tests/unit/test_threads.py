"""The one place that starts threads."""

from __future__ import annotations

import threading

from gcompute.threads import join, spawn


def test_a_thread_is_a_named_daemon() -> None:
    """It says whose it is, and never keeps the interpreter from exiting."""
    release = threading.Event()
    thread = spawn("example", release.wait)  # type: ignore[arg-type]
    try:
        assert thread.name == "gcompute-example"
        assert thread.daemon
    finally:
        release.set()
        join(thread)
    assert not thread.is_alive()


def test_a_thread_does_not_wait_for_itself() -> None:
    """A shutdown that happens on a thread's own turn comes back."""
    returned = threading.Event()

    def joins_itself() -> None:
        join(threading.current_thread())
        returned.set()

    thread = spawn("example", joins_itself)
    join(thread, 5)
    assert returned.is_set()


def test_joining_no_thread_returns() -> None:
    """What was never started need not be waited for."""
    join(None)
