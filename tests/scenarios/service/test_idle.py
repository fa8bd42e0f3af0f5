"""A service that nobody asks for anything costs next to nothing."""

from __future__ import annotations

import os
import threading

import psutil

from gcompute.local import LocalService

_OBSERVED_S = 3.0
#: Of one processor. What a loop that polls every few milliseconds takes is more.
_SHARE = 0.03


def test_an_idle_service_leaves_the_processor_alone() -> None:
    """The service, its broker, its agent and two workers, with an executor that waits."""
    me = psutil.Process()
    before_it = set(me.children())  # services of other tests, for a whole session
    with LocalService(workers=2) as service, service.executor() as executor:
        assert executor.submit(os.getpid).result(60)
        (root,) = set(me.children()) - before_it
        processes = [me, root, *root.children(recursive=True)]
        # Connections are opened and leases renewed in the first moments.
        pause = threading.Event()
        pause.wait(1.0)
        before = _taken_s(processes)
        pause.wait(_OBSERVED_S)
        taken_s = _taken_s(processes) - before
    assert taken_s < _SHARE * _OBSERVED_S, f"{taken_s / _OBSERVED_S:.1%} of a processor"


def _taken_s(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)
