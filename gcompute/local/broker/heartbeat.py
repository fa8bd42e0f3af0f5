"""Heartbeats: when to send one, and when to give a peer up.

In: "received", "sent", and a tick each half interval. Out: what to do at that tick. It has no
clock: the owner ticks. A peer that has sent nothing for two intervals is dead.
Source: AMQP 0-9-1 specification, section 4.2.7.
"""

from __future__ import annotations

from enum import Enum, auto

_SILENT_TICKS = 4


class Verdict(Enum):
    """What a tick asks for."""

    NOTHING = auto()
    SEND = auto()
    DEAD = auto()


class Heartbeat:
    """The state of one connection's heartbeats."""

    def __init__(self) -> None:
        self._sent = False
        self._silent_ticks = 0

    def received(self) -> None:
        """Note that the peer lives."""
        self._silent_ticks = 0

    def sent(self) -> None:
        """Note that the peer has been sent something."""
        self._sent = True

    def tick(self) -> Verdict:
        """Tell what half an interval of these events asks for."""
        self._silent_ticks += 1
        if self._silent_ticks > _SILENT_TICKS:
            return Verdict.DEAD
        sent, self._sent = self._sent, False
        return Verdict.NOTHING if sent else Verdict.SEND
