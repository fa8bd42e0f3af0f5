"""Whether to repeat a request that failed, and after how long.

Repeating must never run a task twice. A read may be repeated whatever happened. A request that
changes something may be repeated only when the service surely did not take it: when it never
arrived, or was refused for coming too soon (429). Pure: told what failed, it says how long to
wait.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from gcompute.backoff import Backoff
from gcompute.errors import ComputeError, RateLimited, ServiceFailed, ServiceUnreachable

#: Repetitions of one request, at most.
_MAX_REPEATS = 4

#: Repetitions of a request that no service was there for: somebody is waiting.
_MAX_CONNECT_REPEATS = 2

#: Seconds that a service may ask us to wait; beyond that the caller is told.
_MAX_RETRY_AFTER_S = 120.0


class Retries:
    """Decides about one request.

    Args:
        repeatable: whether the request only reads.
        draw: a source of numbers in [0, 1).
    """

    def __init__(self, *, repeatable: bool, draw: Callable[[], float] = random.random) -> None:
        self._repeatable = repeatable
        self._backoff = Backoff(first_s=0.25, limit_s=8.0, draw=draw)
        self._repeats = 0

    def after(self, error: ComputeError) -> float | None:
        """Give the seconds to wait before repeating; ``None`` to give up."""
        allowed = self._allowed(error)
        if self._repeats >= allowed:
            return None
        wait_s = self._backoff.next_s()
        asked_s = getattr(error, "retry_after_s", None)
        if asked_s is not None:
            if asked_s > _MAX_RETRY_AFTER_S:
                return None
            wait_s = max(wait_s, asked_s)
        self._repeats += 1
        return wait_s

    def _allowed(self, error: ComputeError) -> int:
        if isinstance(error, RateLimited):
            return _MAX_REPEATS
        if isinstance(error, ServiceUnreachable):
            if not error.sent:
                return _MAX_CONNECT_REPEATS
            return _MAX_REPEATS if self._repeatable else 0
        if isinstance(error, ServiceFailed):
            return _MAX_REPEATS if self._repeatable else 0
        return 0
