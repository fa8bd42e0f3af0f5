"""The states of finished tasks, which the service forgets once they are fetched.

Safe to use from many threads.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from gcompute.forking import tell_of_forks

#: Tasks that are remembered; one more, and the oldest is forgotten.
_REMEMBERED = 100_000


class FinishedTasks:
    """Remembers the latest states, by task id.

    Args:
        limit: how many.
    """

    def __init__(self, limit: int = _REMEMBERED) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        #: Oldest first. In a plain dict the oldest is found by a search, 18 us of it.
        self._states: OrderedDict[str, dict[str, Any]] = OrderedDict()
        tell_of_forks(self)

    def abandon(self) -> None:
        """Be usable in a forked process: whoever held the lock is not there."""
        self._lock = threading.Lock()

    def get(self, task_id: str) -> dict[str, Any] | None:
        """Give the state of a task, where it is remembered."""
        return self._states.get(task_id)

    def add(self, task_id: str, state: dict[str, Any]) -> None:
        """Remember the state of a task."""
        with self._lock:
            self._states[task_id] = state
            if len(self._states) > self._limit:
                self._states.popitem(last=False)
