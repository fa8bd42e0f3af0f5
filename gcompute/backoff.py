"""How long to wait before trying again. Pure: told what happened, it says how many seconds."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Doubles the wait from failure to failure, with jitter, up to a limit.

    Args:
        first_s: the longest first wait, in seconds.
        limit_s: the longest wait, in seconds.
        draw: a source of numbers in [0, 1).
    """

    def __init__(
        self,
        *,
        first_s: float = 0.5,
        limit_s: float = 30.0,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._first_s = first_s
        self._limit_s = limit_s
        self._draw = draw
        self._failures = 0

    def next_s(self) -> float:
        """Count a failure and give the seconds to wait: half to all of the doubled time."""
        longest = min(self._limit_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return longest * (0.5 + 0.5 * self._draw())

    def reset(self) -> None:
        """Start over, after a success."""
        self._failures = 0
