"""The life of the connection to the result queues, without the connection.

A table says what becomes of each state at each event, and what is then to be done. No sockets,
no threads, no clock: :mod:`gcompute.executor.stream` does what it is told here, and tells what
came of it. An event that a state cannot have is an error of ours that names both.

::

    IDLE -> ASKING -> CONNECTING -> CONSUMING
              ^  |        |             |
              |  +--------+-------------+---> WAITING (lost, or no access yet: back off)
              |                                  |
              +----------------------------------+

An end comes in two ways: access is refused for good (``GAVE_UP``), or nobody waits for results
any more (``ENDED``, through ``CLOSING`` where there is a connection).
"""

from __future__ import annotations

import enum

from gcompute.backoff import Backoff
from gcompute.errors import ComputeError


class State(enum.Enum):
    """Where a connection is in its life."""

    IDLE = enum.auto()
    ASKING = enum.auto()
    CONNECTING = enum.auto()
    CONSUMING = enum.auto()
    WAITING = enum.auto()
    CLOSING = enum.auto()
    GAVE_UP = enum.auto()
    ENDED = enum.auto()


class Event(enum.Enum):
    """What can happen to it."""

    NEEDED = enum.auto()
    #: The service gave an address with fresh credentials.
    GRANTED = enum.auto()
    #: It did not, and may do so later.
    NOT_GRANTED = enum.auto()
    #: It will not: a wrong token, say.
    REFUSED = enum.auto()
    OPENED = enum.auto()
    #: The connection broke, was closed by the broker, or never came up.
    LOST = enum.auto()
    #: The back-off is over.
    WAITED = enum.auto()
    UNNEEDED = enum.auto()


class Action(enum.Enum):
    """What is to be done then."""

    ASK = enum.auto()
    CONNECT = enum.auto()
    #: Consume every watched queue.
    CONSUME = enum.auto()
    #: Wait :attr:`Lifecycle.wait_s` seconds.
    BACK_OFF = enum.auto()
    CLOSE = enum.auto()
    #: Tell those who wait for results that none will come this way.
    GIVE_UP = enum.auto()


class IllegalEvent(ComputeError):
    """An event came in a state that cannot have it."""


#: What was lost before is not lost any more; what comes after is another life.
_FINAL = (State.GAVE_UP, State.ENDED)

_TABLE: dict[tuple[State, Event], tuple[State, Action | None]] = {
    (State.IDLE, Event.NEEDED): (State.ASKING, Action.ASK),
    (State.IDLE, Event.UNNEEDED): (State.ENDED, None),
    (State.ASKING, Event.GRANTED): (State.CONNECTING, Action.CONNECT),
    (State.ASKING, Event.NOT_GRANTED): (State.WAITING, Action.BACK_OFF),
    (State.ASKING, Event.REFUSED): (State.GAVE_UP, Action.GIVE_UP),
    (State.ASKING, Event.UNNEEDED): (State.ENDED, None),
    (State.CONNECTING, Event.OPENED): (State.CONSUMING, Action.CONSUME),
    (State.CONNECTING, Event.LOST): (State.WAITING, Action.BACK_OFF),
    (State.CONNECTING, Event.UNNEEDED): (State.CLOSING, Action.CLOSE),
    (State.CONSUMING, Event.LOST): (State.WAITING, Action.BACK_OFF),
    (State.CONSUMING, Event.UNNEEDED): (State.CLOSING, Action.CLOSE),
    (State.WAITING, Event.WAITED): (State.ASKING, Action.ASK),
    (State.WAITING, Event.UNNEEDED): (State.ENDED, None),
    # Opened in the moment in which it was no longer needed.
    (State.CLOSING, Event.OPENED): (State.CLOSING, Action.CLOSE),
    (State.CLOSING, Event.LOST): (State.ENDED, None),
    (State.CLOSING, Event.UNNEEDED): (State.CLOSING, None),
}


class Lifecycle:
    """Follows one connection through its states.

    Args:
        backoff: says how long to wait between attempts.
    """

    def __init__(self, backoff: Backoff) -> None:
        self.state = State.IDLE
        #: Seconds of the wait that :attr:`Action.BACK_OFF` asks for.
        self.wait_s = 0.0
        #: Attempts since it last consumed.
        self.failures = 0
        #: How often it came to consume.
        self.openings = 0
        self._backoff = backoff
        #: When it last came to consume; ``None`` while it does not.
        self._opened_at: float | None = None

    @property
    def over(self) -> bool:
        """Whether nothing can happen any more."""
        return self.state in _FINAL

    def handle(self, event: Event, now: float) -> Action | None:
        """Take an event in and say what is to be done.

        Args:
            event: what happened.
            now: the time, in seconds, of a clock that never goes back.

        Raises:
            IllegalEvent: this state cannot have this event.
        """
        if self.state in _FINAL and event is Event.UNNEEDED:
            return None
        try:
            self.state, action = _TABLE[self.state, event]
        except KeyError:
            raise IllegalEvent(
                f"the connection to the result queues is {self.state.name} and cannot be told "
                f"{event.name}"
            ) from None
        if action is Action.CONSUME:
            self.openings += 1
            self.failures = 0
            self._opened_at = now
        elif action is Action.BACK_OFF:
            self.failures += 1
            good_for_s = 0.0 if self._opened_at is None else now - self._opened_at
            self._opened_at = None
            self.wait_s = self._backoff.next_s(good_for_s)
        return action
