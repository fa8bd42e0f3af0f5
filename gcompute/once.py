"""What is done once, whoever comes first. Safe to use from many threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from gcompute.forking import tell_of_forks


class Once:
    """Says who does a thing: the first who asks.

    Args:
        done: what needs not be done at all.
    """

    def __init__(self, done: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._claimed = set(done)
        tell_of_forks(self)

    def abandon(self) -> None:
        """Be usable in a forked process: whoever held the lock is not there."""
        self._lock = threading.Lock()

    def claim(self, thing: str) -> bool:
        """Say whether it is for the caller to do."""
        with self._lock:
            mine = thing not in self._claimed
            self._claimed.add(thing)
            return mine

    def release(self, thing: str) -> None:
        """Leave it to whoever asks next: it could not be done."""
        with self._lock:
            self._claimed.discard(thing)
