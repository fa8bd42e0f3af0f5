"""A limit of time, by signal in the main thread and without signals elsewhere."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from gcompute.local.agent import time_limit as time_limit_module
from gcompute.local.agent.time_limit import TaskTimeout, time_limit

_ROOT = Path(__file__).parents[4]


def work_until_stopped(seconds: float) -> None:
    """Run Python code that nothing but the limit ends."""
    with time_limit(seconds):
        while True:
            threading.Event().wait(0.001)


def test_the_main_thread_is_interrupted_while_it_waits() -> None:
    """Neither the handler nor the timer outlives the block, whether it was in time or not."""
    before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0] > 0
    with time_limit(60):
        pass
    with pytest.raises(TaskTimeout, match=r"limit of 0\.01 s"), time_limit(0.01):
        signal.pause()
    after = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert after == before


def check_interruption() -> None:
    """The error says the limit, and has the line that was interrupted."""
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(work_until_stopped, 0.01).exception(30)
    assert isinstance(error, TaskTimeout)
    assert str(error) == "Task exceeded its limit of 0.01 s (GC_TASK_TIMEOUT)"
    names = []
    traceback = error.__traceback__
    while traceback is not None:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert "work_until_stopped" in names


def check_a_finalizer_that_ignores_the_limit() -> None:
    """Python drops what is raised in a finalizer; the limit is raised again."""
    time_limit_module._AGAIN_S = 0.01
    ignored = threading.Event()
    sys.unraisablehook = lambda _: ignored.set()

    class Slow:
        def __del__(self) -> None:
            work_until_stopped(0)

    def work() -> None:
        with time_limit(0.01):
            Slow()
            while True:
                threading.Event().wait(0.001)

    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(work).exception(30), TaskTimeout)
    assert ignored.is_set()


def check_one_in_time() -> None:
    """A limit that is just met disturbs nothing that comes after the block."""

    def meet_limits() -> int:
        late = 0
        for _ in range(200):
            try:
                with time_limit(0.0005):
                    threading.Event().wait(0.0004)
            except TaskTimeout:
                late += 1
        return late

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(meet_limits).result(30)
    assert 0 <= late <= 200


def check_beside_busy_threads() -> None:
    """Nothing but the limit's own error comes out, at any moment, and nothing afterwards."""
    time_limit_module._AGAIN_S = 0.001
    sys.setswitchinterval(1e-5)
    enough = threading.Event()

    def be_busy() -> None:
        while not enough.is_set():
            sum(range(50))

    def meet_limits() -> None:
        for _ in range(50):
            # An event that is interrupted while it waits may fail for that.
            with suppress(TaskTimeout, RuntimeError), time_limit(0.0005):
                threading.Event().wait(0.0004)

    busy = [threading.Thread(target=be_busy) for _ in range(3)]
    for thread in busy:
        thread.start()
    try:
        for _ in range(8):
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(meet_limits).exception(30) is None
            for thread in threading.enumerate():
                if thread.name == "gcompute-time-limit":
                    thread.join(30)
                    assert not thread.is_alive()
    finally:
        enough.set()


@pytest.mark.parametrize(
    "check",
    [
        check_interruption,
        check_a_finalizer_that_ignores_the_limit,
        check_one_in_time,
        check_beside_busy_threads,
    ],
    ids=lambda check: str(check.__name__),
)
def test_another_thread(check: Callable[[], None]) -> None:
    """In a process of its own, which nobody traces, as coverage does with this one.

    A traced thread of CPython 3.11 can hang when an exception is raised in it from elsewhere.
    """
    program = (
        f"from tests.unit.local.agent.test_time_limit import {check.__name__} as check; check()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=_ROOT, timeout=90, check=True)


def test_no_limit_is_no_thread() -> None:
    """Zero means that nothing watches."""

    def others() -> set[threading.Thread]:
        before = set(threading.enumerate())
        with time_limit(0):
            return set(threading.enumerate()) - before

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(others).result(30) == set()
