"""How long to wait before trying again. Pure: told how things went, it says how many seconds.

In goes how long the last connection was good, in seconds (0 when it never came up). The longest
possible wait doubles from failure to failure up to a limit, and the wait is drawn between half
and all of that, so that many programs that lost the same service do not come back at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Waits between attempts.

    Args:
        first_s: the longest first wait, in seconds.
        limit_s: the longest wait, in seconds.
        stable_s: a connection that was good for so long wipes out the failures before it.
        draw: a source of numbers in [0, 1).
    """

    def __init__(
        self,
        *,
        first_s: float = 0.5,
        limit_s: float = 30.0,
        stable_s: float = 60.0,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._first_s = first_s
        self._limit_s = limit_s
        self._stable_s = stable_s
        self._draw = draw
        #: Failures since the last stable connection.
        self.failures = 0

    def next_s(self, good_for_s: float = 0.0) -> float:
        """Count a failure and give the seconds to wait."""
        if good_for_s >= self._stable_s:
            self.failures = 0
        # The exponent is bounded: 2**failures would overflow a float in the end.
        longest = min(self._limit_s, self._first_s * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return longest * (0.5 + 0.5 * self._draw())
