"""How many requests the service lets a client send, and when the next may go.

The hosted service accepts 20 requests in 10 s from a client. A bucket of 20 tokens, each of
which comes back 10 s after it was taken, keeps to that in whatever window it is counted; one
that refills steadily would let 40 through in the first 10 s.
Source: ``docs/wire.md#limits-and-defaults``.

Told the time, and safe to use from many threads: places are handed out in the order of asking.
"""

from __future__ import annotations

import threading
from collections import deque


class RequestBudget:
    """Hands out places for requests.

    Args:
        limit: requests in any window, at least 1.
        window_s: the window, in seconds.
    """

    def __init__(self, limit: int = 20, window_s: float = 10.0) -> None:
        if limit < 1 or window_s <= 0:
            raise ValueError(
                f"a budget needs at least one request in a positive time, not {limit} in {window_s}"
            )
        self._limit = limit
        self._window_s = window_s
        self._lock = threading.Lock()
        #: When the latest requests go or went, oldest first: at most ``limit`` of them.
        self._starts: deque[float] = deque()
        #: Nothing goes before this.
        self._closed_until = float("-inf")

    def take(self, now: float) -> float:
        """Take the next place; give the seconds to wait before using it."""
        with self._lock:
            start = max(now, self._closed_until)
            if len(self._starts) == self._limit:
                start = max(start, self._starts.popleft() + self._window_s)
            if self._starts:
                start = max(start, self._starts[-1])
            self._starts.append(start)
            return start - now

    def available(self, now: float) -> int:
        """Count the requests that could go at once."""
        with self._lock:
            if now < self._closed_until:
                return 0
            recent = sum(start > now - self._window_s for start in self._starts)
            return self._limit - recent

    def close_until(self, moment: float) -> None:
        """Let nothing go before a moment: the service asked for a pause."""
        with self._lock:
            self._closed_until = max(self._closed_until, moment)
