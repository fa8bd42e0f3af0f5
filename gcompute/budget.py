"""How many requests the service lets a client send, and when the next may go.

The hosted service accepts 20 requests in 10 s from a client. A bucket of 20 tokens, each of
which comes back 10 s after it was taken, keeps to that in whatever window it is counted; one
that refills steadily would let 40 through in the first 10 s.
Source: ``docs/wire.md#limits-and-defaults``.

Told the time, and safe to use from many threads: places are handed out in the order of asking.
Who waits for a place looks at it again afterwards, as the service may have asked for a pause
meanwhile, and gives it back when he does not use it.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from gcompute.forking import tell_of_forks


class RequestsLeft(NamedTuple):
    """What is left of a budget."""

    #: Requests that may go at once.
    at_once: int
    #: And in any window, at most.
    limit: int
    #: Seconds until there is one more; 0 where all are left.
    more_in_s: float

    @property
    def plentiful(self) -> bool:
        """Whether more than half is left."""
        return self.at_once * 2 > self.limit


class Place:
    """A place for one request.

    Attributes:
        moment: when the request may go; later places are not earlier. Only the budget sets it,
            and only to a later one.
    """

    __slots__ = ("moment",)

    def __init__(self, moment: float) -> None:
        self.moment = moment


class RequestBudget:
    """Hands out places for requests.

    Args:
        limit: requests in any window, at least 1.
        window_s: the window, in seconds.
    """

    def __init__(self, limit: int = 20, window_s: float = 10.0) -> None:
        _check(limit, window_s)
        self.limit = limit
        self._window_s = window_s
        self._lock = threading.Lock()
        #: The places that are to come, and before them the latest that went; by their moments.
        self._places: list[Place] = []
        #: Nothing goes before this.
        self._closed_until = float("-inf")
        tell_of_forks(self)

    def abandon(self) -> None:
        """Be usable in a forked process: whoever held the lock is not there."""
        self._lock = threading.Lock()

    def change(self, limit: int | None, window_s: float | None) -> None:
        """Keep to other numbers from now on; ``None`` leaves one as it is.

        Raises:
            ValueError: they allow nothing.
        """
        _check(limit if limit is not None else 1, window_s if window_s is not None else 1)
        with self._lock:
            self.limit = self.limit if limit is None else limit
            self._window_s = self._window_s if window_s is None else window_s

    def take(self, now: float) -> Place:
        """Take the next place."""
        with self._lock:
            self._forget(now)
            place = Place(self._next(now))
            self._places.append(place)
            return place

    def give_back(self, place: Place) -> None:
        """Give back a place that was not used; who comes next may have it."""
        with self._lock:
            # Near the end, as a place that is not used is one of the latest.
            for index in range(len(self._places) - 1, -1, -1):
                if self._places[index] is place:
                    del self._places[index]
                    return

    def close_until(self, moment: float, now: float) -> None:
        """Let nothing go before a moment: the service asked for a pause.

        Places that are still to come move behind it, in their order.
        """
        with self._lock:
            self._closed_until = max(self._closed_until, moment)
            waiting = [place for place in self._places if place.moment > now]
            del self._places[len(self._places) - len(waiting) :]
            for place in waiting:
                place.moment = max(place.moment, self._next(now))
                self._places.append(place)

    def left(self, now: float) -> RequestsLeft:
        """Say what is left now."""
        with self._lock:
            recent = [p.moment for p in self._places if p.moment > now - self._window_s]
            more_in_s = recent[0] + self._window_s - now if recent else 0.0
            if now < self._closed_until:
                return RequestsLeft(0, self.limit, max(more_in_s, self._closed_until - now))
            return RequestsLeft(max(0, self.limit - len(recent)), self.limit, more_in_s)

    def _next(self, now: float) -> float:
        """Give the first moment at which one more request may go."""
        moment = max(now, self._closed_until)
        if len(self._places) >= self.limit:
            moment = max(moment, self._places[-self.limit].moment + self._window_s)
        return max(moment, self._places[-1].moment) if self._places else moment

    def _forget(self, now: float) -> None:
        """Drop the places that no window reaches back to; a few at a time."""
        gone = 0
        while gone < len(self._places) and self._places[gone].moment <= now - self._window_s:
            gone += 1
        del self._places[:gone]


def _check(limit: int, window_s: float) -> None:
    if limit < 1 or window_s <= 0:
        raise ValueError(
            f"a budget needs at least one request in a positive time, not {limit} in {window_s}"
        )
