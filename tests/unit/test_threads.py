"""The one place that starts threads."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from gcompute.threads import join, spawn, wait_until


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


_INTERRUPTED = """
import _thread, threading, time
from gcompute.threads import join, spawn, wait_for, wait_until

changed, never = threading.Condition(), threading.Event()

def interrupt():
    time.sleep(0.3)
    _thread.interrupt_main()

def waits():
    with changed:
        wait_until(changed, never.is_set)

joined = spawn("joined", never.wait)
spawn("interrupts", interrupt)
try:
    {}
except KeyboardInterrupt:
    print("left")
"""


@pytest.mark.parametrize("waiting", ["join(joined)", "waits()", "wait_for(never)"])
def test_an_interrupt_that_wakes_nobody_ends_a_wait(waiting: str) -> None:
    """As one does that comes between CPython's look for it and the beginning of the wait."""
    script = _INTERRUPTED.format(waiting)
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "left\n", "")


class _Interrupted:
    """A lock with a Ctrl-C right after it was let go of, to be waited with."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.acquire, self.release = self._lock.acquire, self._lock.release
        self._is_owned = self._lock._is_owned  # type: ignore[attr-defined]
        self._acquire_restore = self._lock._acquire_restore  # type: ignore[attr-defined]

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _release_save(self) -> None:
        self._lock._release_save()  # type: ignore[attr-defined]
        raise KeyboardInterrupt


def test_a_ctrl_c_leaves_a_lock_as_it_was() -> None:
    """Where a condition has let go of it, and would not take it again."""
    lock: Any = _Interrupted()
    changed = threading.Condition(lock)
    with pytest.raises(KeyboardInterrupt), lock:
        wait_until(changed, lambda: False)
    assert not lock._is_owned()


@pytest.mark.parametrize("timeout_s", [0.0, 0.01])
def test_a_wait_may_end_before_its_time(timeout_s: float) -> None:
    """It says whether what it waited for came."""
    changed = threading.Condition()
    with changed:
        assert not wait_until(changed, lambda: False, timeout_s)
        assert wait_until(changed, lambda: True, timeout_s)
