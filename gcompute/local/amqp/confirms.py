"""Which published messages the broker has confirmed. Pure: no socket, no clock.

Publisher confirms number the messages of a channel from 1 in the order in which they were
published. The broker answers with a number, and with ``multiple`` that answer stands for every
unanswered message up to it. :class:`Confirms` keeps one entry a message, of whatever type the
caller needs, and hands back the entries that an answer settles, oldest first, in time
proportional to their number.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Confirms(Generic[Entry]):
    """The unconfirmed messages of one channel."""

    def __init__(self) -> None:
        #: Publishing number to entry, in ascending order. An OrderedDict, as taking the first
        #: item off a dict again and again scans over all that were taken before.
        self._waiting: OrderedDict[int, Entry] = OrderedDict()
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, entry: Entry) -> int:
        """Number the message that is published now."""
        self._last_number += 1
        self._waiting[self._last_number] = entry
        return self._last_number

    def settle(self, number: int, *, multiple: bool) -> list[Entry]:
        """Take out what the broker's answer settles; an unknown number settles nothing."""
        if not multiple:
            entry = self._waiting.pop(number, None)
            return [] if entry is None else [entry]
        settled = []
        while self._waiting and (number == 0 or next(iter(self._waiting)) <= number):
            settled.append(self._waiting.popitem(last=False)[1])
        return settled

    def find(self, matches: Callable[[Entry], bool]) -> Entry | None:
        """Give the oldest unconfirmed entry that matches."""
        return next((entry for entry in self._waiting.values() if matches(entry)), None)

    def clear(self) -> list[Entry]:
        """Take out everything, oldest first."""
        entries = list(self._waiting.values())
        self._waiting.clear()
        return entries
