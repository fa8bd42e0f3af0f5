"""How many connections each user has, and whether there is a place for one more.

In: users whose connection opens or ends. Out: yes or no. A user may have many accounts; the owner
of the broker says whose each of them is. The more connections a user has, the more places must be
left for others: so nobody takes all of them, and a user who is alone has most. Pure.
"""

from __future__ import annotations

from collections import Counter

from .limits import BrokerLimits


class Places:
    """The places for logged-in connections of one broker."""

    def __init__(self, limits: BrokerLimits) -> None:
        self._most = limits.max_connections
        self._share = limits.max_share
        #: Connections by user; those that have none are not in it.
        self._taken: Counter[str] = Counter()

    def taken_by(self, user: str) -> int:
        """Count a user's connections."""
        return self._taken[user]

    def take(self, user: str) -> bool:
        """Take a place; False if there is none for this user now."""
        left = self._most - self._taken.total()
        if self._taken[user] >= self._share * left:
            return False
        self._taken[user] += 1
        return True

    def give_back(self, user: str) -> None:
        """Give a place back that was taken."""
        self._taken[user] -= 1
        if not self._taken[user]:
            del self._taken[user]
