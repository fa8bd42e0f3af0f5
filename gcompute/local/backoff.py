"""How long to wait before the next attempt to connect. Pure: it is told how things went.

In goes how long the last connection had been good, in seconds (0 when it never came up); out
comes the number of seconds to wait. The longest possible wait doubles with every failure from
``first_s`` to ``most_s``, and the wait is drawn between ``first_s`` and that, so that many
programs that lost the same broker do not come back at the same moment.
"""

from __future__ import annotations

import random


class BackOff:
    """Delays between attempts.

    Args:
        first_s: the shortest delay, and the longest after a first failure.
        most_s: the longest delay there is.
        stable_s: a connection that was good for so long wipes out the failures before it.
        rng: where the jitter comes from.
    """

    def __init__(
        self,
        *,
        first_s: float = 0.5,
        most_s: float = 10.0,
        stable_s: float = 60.0,
        rng: random.Random | None = None,
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._stable_s = stable_s
        self._rng = rng or random.Random()
        #: Failures since the last stable connection.
        self.failures = 0

    def delay_after_failure(self, good_for_s: float = 0.0) -> float:
        """Give the seconds to wait, after a connection that was good for ``good_for_s``."""
        if good_for_s >= self._stable_s:
            self.failures = 0
        # The exponent is bounded: 2**failures would overflow a float in the end.
        longest = min(self._most_s, self._first_s * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return self._rng.uniform(self._first_s, longest)
