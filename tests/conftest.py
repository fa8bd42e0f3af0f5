"""What holds for every test: nothing that a test starts outlives it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

#: Seconds that a thread which was told to stop may take to end.
_GRACE_S = 5.0


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
