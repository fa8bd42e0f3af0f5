"""When to ask for which tasks over HTTP.

Pure: told the time. A task group whose queue is *streamed* needs no asking, but a result may
still be lost (another process took it, the broker lost it), so what stayed silent for a minute
is asked for. One that is not streamed is *polled*: at first often, then, while nothing
finishes, less and less. Requests are the client's budget, so between two of them there is a
pause, which is longer while requests are scarce.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Seconds of silence after which a streamed group's task is asked for.
_SILENCE_S = 60.0

#: The same where others consume the group's queue too, and may have taken its result.
_SHARED_SILENCE_S = 3.0

#: Seconds for which a group counts as shared after a stranger's result came.
_SHARED_FOR_S = 120.0

#: Seconds between two questions for a task of a polled group: at first, and at last.
_FIRST_INTERVAL_S = 0.25
_LAST_INTERVAL_S = 10.0

#: Seconds without a stream after which a group is polled.
GRACE_S = 2.0


@dataclass(slots=True)
class _Group:
    """What is known of a task group. Times are moments of the monotonic clock."""

    #: Since when its queue is not consumed; ``None`` while it is.
    unheard_since: float | None
    #: Whether its queue has been consumed, ever.
    heard: bool = False
    #: Everything that was last asked for before this moment is due.
    due_before: float = float("-inf")
    #: Until when it counts as shared with other processes.
    shared_until: float = float("-inf")
    interval_s: float = field(default=_FIRST_INTERVAL_S)


class Schedule:
    """Says which tasks are due.

    Args:
        polls: whether to poll groups whose queue is not consumed.
        grace_s: seconds that a group may go without its queue before it is polled.
    """

    def __init__(self, *, polls: bool, grace_s: float = GRACE_S) -> None:
        self._polls = polls
        self._grace_s = grace_s
        self._groups: dict[str, _Group] = {}
        #: Before this moment nothing is asked.
        self._pause_until = float("-inf")

    def watched(self, group: str, now: float) -> None:
        """A group's queue is to be consumed."""
        self._groups.setdefault(group, _Group(unheard_since=now))

    def consuming(self, group: str, now: float) -> None:
        """A group's queue is consumed, now or again; then results may have been missed."""
        state = self._groups.setdefault(group, _Group(unheard_since=now))
        if state.heard or self.polled(group, now):
            state.due_before = now
        state.heard = True
        state.unheard_since = None
        state.interval_s = _FIRST_INTERVAL_S

    def interrupted(self, group: str, now: float) -> None:
        """A group's queue is not consumed."""
        state = self._groups.setdefault(group, _Group(unheard_since=now))
        if state.unheard_since is None:
            state.unheard_since = now

    def reconcile(self, group: str, now: float) -> None:
        """All that a group waits for is to be asked for, soon."""
        self._groups.setdefault(group, _Group(unheard_since=now)).due_before = now

    def shared(self, group: str, now: float) -> None:
        """Others consume a group's queue too."""
        state = self._groups.setdefault(group, _Group(unheard_since=now))
        state.shared_until = now + _SHARED_FOR_S

    def polled(self, group: str, now: float) -> bool:
        """Tell whether a group is polled."""
        state = self._groups.get(group)
        if state is None or state.unheard_since is None:
            return False
        return self._polls and now >= state.unheard_since + self._grace_s

    def due_before(self, group: str, now: float) -> float:
        """Give the moment: tasks that were last asked for before it are due."""
        state = self._groups.get(group)
        if state is None:
            return now - _SILENCE_S
        return max(state.due_before, now - self._silence_s(group, state, now))

    def next_at(self, waiting: dict[str, float], now: float) -> float | None:
        """Give the moment of the next question; ``None`` while nothing is waited for.

        Args:
            waiting: the groups with awaited tasks, each with the moment at which the one that
                is silent for longest was last asked for.
            now: the time.
        """
        moments = [self._due_at(group, asked_at, now) for group, asked_at in waiting.items()]
        return max(min(moments), self._pause_until) if moments else None

    def answered(self, group: str, finished: int, pause_s: float, now: float) -> None:
        """Learn from an answer: so many tasks had finished; and pause."""
        state = self._groups.get(group)
        if state is not None:
            longer = min(_LAST_INTERVAL_S, state.interval_s * 1.5)
            state.interval_s = _FIRST_INTERVAL_S if finished else longer
        self.pause(pause_s, now)

    def pause(self, seconds: float, now: float) -> None:
        """Ask nothing for some seconds."""
        self._pause_until = now + seconds

    def submitted(self, group: str, now: float) -> None:
        """New tasks came: of these the first answer is wanted soon."""
        state = self._groups.get(group)
        if state is not None:
            state.interval_s = _FIRST_INTERVAL_S

    def _silence_s(self, group: str, state: _Group, now: float) -> float:
        if self.polled(group, now):
            return state.interval_s
        return _SHARED_SILENCE_S if now < state.shared_until else _SILENCE_S

    def _due_at(self, group: str, asked_at: float, now: float) -> float:
        state = self._groups.get(group)
        if state is None:
            return asked_at + _SILENCE_S
        if asked_at <= state.due_before:
            return now
        due_at = asked_at + self._silence_s(group, state, now)
        if self._polls and state.unheard_since is not None:
            polled_from = state.unheard_since + self._grace_s
            due_at = min(due_at, max(polled_from, asked_at + state.interval_s))
        return due_at
