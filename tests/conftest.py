"""What holds for every test: nothing that it starts outlives it, and no slow machine fails it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

#: Seconds that a thread which was told to stop may take to end.
_GRACE_S = 20.0

# Hypothesis fails an example that takes 200 ms, and one that it was slow to make: a machine that is
# busy for a moment is no defect.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# A shell that runs the tests in the background has these ignored, and so would every program that
# a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _ours() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name.startswith("gcompute-")}


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    """Fail the test that leaves a thread of gcompute behind."""
    before = _ours()
    yield
    deadline = time.monotonic() + _GRACE_S
    for thread in _ours() - before:
        thread.join(max(0.0, deadline - time.monotonic()))
    leaked = sorted(t.name for t in _ours() - before)
    assert not leaked, f"threads left behind: {leaked}"
