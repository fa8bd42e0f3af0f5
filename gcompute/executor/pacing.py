"""When the next request goes, and with how many tasks.

Requests are few (20 in 10 s for a client), and tasks may be many. Three kinds of callers want
different things, and each is known by what waits and what is under way:

* One who waits for each result before the next call: each call leaves at once.
* A burst: its first requests leave as they come, so that results come early. When requests grow
  scarce, each has a share of what waits, and as much as all requests of the burst before it
  together, so that twenty requests are enough for 100,000 tasks.
* A stream of calls, some of which are always under way: when requests grow scarce, the ones that
  are left are spread over the time until there are more, each with what has come meanwhile.
  Without that they would go in a moment, and whoever calls next would wait for most of the 10 s.

Pure: told the time, and what waits.
Source: ``docs/wire.md#limits-and-defaults``.
"""

from __future__ import annotations

import math

from gcompute.budget import RequestsLeft

#: Tasks in a request, at most, while requests are plentiful.
_PLENTIFUL_TASKS = 128

#: Seconds without a new task after which a burst is taken to be over.
_SILENCE_S = 0.02

#: Seconds between two requests that are spread, at most: half of the requests last for the window.
_MOST_GAP_S = 1.0


class Pace:
    """Says when requests go. Not safe to use from several threads at once."""

    def __init__(self) -> None:
        #: Tasks that were sent since nothing waited.
        self._burst = 0
        #: When the last request went.
        self._last = float("-inf")

    def nothing_waits(self) -> None:
        """Note that everything was sent: what comes next is no more of the same burst."""
        self._burst = 0

    def went(self, tasks: int, now: float) -> None:
        """Note that a request goes."""
        self._burst += tasks
        self._last = now

    def pause_s(
        self,
        waiting: int,
        *,
        before: int | None,
        under_way: int,
        left: RequestsLeft | None,
        now: float,
    ) -> float:
        """Say for how many seconds more tasks should gather before the next request; 0 to go.

        Args:
            waiting: tasks that wait.
            before: how many waited before the last pause; ``None`` if there was none.
            under_way: tasks that were sent, and have not ended.
            left: the requests that may go; ``None`` for no limit.
            now: the time.
        """
        if left is None or left.plentiful or not (under_way or self._burst):
            return 0.0
        if not left.at_once:
            # Once only: then it waits for its turn among all requests of the client.
            return left.more_in_s if before is None else 0.0
        # Spreads those that are left over the time until there is one more.
        gap_s = min(left.more_in_s / left.at_once, _MOST_GAP_S)
        patience_s = max(0.0, self._last + gap_s - now)
        if self._burst:
            goes_on = before is None or waiting > before
            return min(_SILENCE_S, patience_s) if goes_on and waiting < self._burst else 0.0
        return patience_s if waiting < _PLENTIFUL_TASKS else 0.0

    def share(self, waiting: int, left: RequestsLeft | None) -> int:
        """Say how many tasks the next request should have, at most.

        Some while requests are plentiful, so that results come early; then as many as it takes
        to be through with half of the requests that are left, so that a burst never waits for
        one.
        """
        if left is None or left.plentiful:
            return _PLENTIFUL_TASKS
        fair = math.ceil(waiting / max(1, left.at_once // 2))
        return max(_PLENTIFUL_TASKS, fair, self._burst)
