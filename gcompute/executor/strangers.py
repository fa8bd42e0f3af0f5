"""What to do with a result of a task that nobody here waits for.

It may belong to another process that consumes the same task group's queue: it is given back to
the broker, which offers it to the next consumer. It may also belong to nobody who listens (a
task of ``Client.run``, a process that has ended), and then it would come back at once, again
and again. So it is held a little longer each time, and after some times taken off the queue;
the service still has it for who asks over HTTP. Pure: no clock, no I/O. Memory is bounded.
"""

from __future__ import annotations

#: How long a result is held before it is given back, in seconds: the first time, and at most.
_FIRST_S = 0.25
_LONGEST_S = 5.0

#: How often it is given back before it is taken off the queue: after half a minute or so.
_MAX_RELEASES = 10

#: Strangers that are counted; one more, and the oldest is forgotten.
_REMEMBERED = 10_000


class Strangers:
    """Counts how often each stranger's result came."""

    def __init__(self) -> None:
        #: Task id to how often its result was given back; oldest first.
        self._releases: dict[str, int] = {}

    def hold_s(self, task_id: str) -> float | None:
        """Say for how many seconds to hold a result before it is given back.

        Returns:
            ``None`` when it has come often enough to be taken off the queue.
        """
        releases = self._releases.pop(task_id, 0)
        if releases >= _MAX_RELEASES:
            return None
        self._releases[task_id] = releases + 1
        if len(self._releases) > _REMEMBERED:
            del self._releases[next(iter(self._releases))]
        return min(_LONGEST_S, _FIRST_S * 2.0**releases)
