"""When tasks are asked for, by a clock that a test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.executor.schedule import Schedule

GROUP = "g"
OTHER = "h"


def _due(schedule: Schedule, asked_at: float, now: float, group: str = GROUP) -> bool:
    """Tell whether a task that was last asked for at some moment is due, and agree on that."""
    due = asked_at <= schedule.due_before(group, now)
    at = schedule.next_at({group: asked_at}, now)
    assert at is not None
    assert due == (at <= now)
    return due


def _streamed(now: float = 0.0) -> Schedule:
    schedule = Schedule(polls=True)
    schedule.watched(GROUP, now)
    schedule.consuming(GROUP, now)
    return schedule


def test_nothing_is_due_while_nothing_is_awaited() -> None:
    """However much is known of groups."""
    assert _streamed().next_at({}, 1000.0) is None


def test_a_streamed_groups_task_is_asked_for_after_a_minute_of_silence() -> None:
    """Counted from when it was last asked for."""
    schedule = _streamed()
    for asked_at in (0.0, 10.0):
        assert not _due(schedule, asked_at, asked_at + 59.0)
        assert _due(schedule, asked_at, asked_at + 60.0)
    assert schedule.next_at({GROUP: 10.0}, 20.0) == 70.0


def test_the_same_holds_of_a_group_of_which_nothing_is_known() -> None:
    """Its tasks are not forgotten."""
    schedule = Schedule(polls=True)
    assert not _due(schedule, 0.0, 59.0)
    assert _due(schedule, 0.0, 60.0)
    assert not schedule.polled(GROUP, 1000.0)


def test_a_shared_group_is_asked_for_soon() -> None:
    """Others may have taken the result; for two minutes after they were last seen."""
    schedule = _streamed()
    schedule.shared(GROUP, 100.0)
    assert not _due(schedule, 100.0, 102.0)
    assert _due(schedule, 100.0, 103.0)
    assert _due(schedule, 216.0, 219.0)
    assert not _due(schedule, 218.0, 221.0)
    schedule.shared(GROUP, 221.0)
    assert _due(schedule, 218.0, 221.0)
    assert not _due(schedule, 0.0, 3.0, OTHER)


def test_a_group_whose_queue_is_not_consumed_is_polled_after_a_grace() -> None:
    """Not before: most interruptions are short."""
    schedule = _streamed()
    schedule.interrupted(GROUP, 10.0)
    schedule.interrupted(GROUP, 11.0)  # known already
    assert not schedule.polled(GROUP, 11.9)
    assert not _due(schedule, 9.0, 11.9)
    assert schedule.next_at({GROUP: 9.0}, 10.0) == 12.0
    assert schedule.polled(GROUP, 12.0)
    assert _due(schedule, 9.0, 12.0)
    assert not _due(schedule, 11.9, 12.0)  # asked for just now


def test_so_is_one_that_never_was_consumed() -> None:
    """From when it was first watched; another watch changes nothing."""
    schedule = Schedule(polls=True)
    schedule.watched(GROUP, 10.0)
    schedule.watched(GROUP, 11.5)
    assert not schedule.polled(GROUP, 11.9)
    assert schedule.polled(GROUP, 12.0)
    assert not schedule.polled(OTHER, 12.0)


def test_without_a_stream_there_is_no_grace() -> None:
    """``transport="https"``: a quarter of a second after the submit."""
    schedule = Schedule(polls=True, grace_s=0.0)
    schedule.watched(GROUP, 10.0)
    assert not _due(schedule, 10.0, 10.2)
    assert _due(schedule, 10.0, 10.25)


def test_where_polling_is_not_wanted_there_is_none() -> None:
    """``transport="amqp"``: only silence is asked about."""
    schedule = Schedule(polls=False)
    schedule.watched(GROUP, 0.0)
    assert not schedule.polled(GROUP, 30.0)
    assert not _due(schedule, 0.0, 30.0)
    assert schedule.next_at({GROUP: 0.0}, 30.0) == 60.0
    assert _due(schedule, 0.0, 60.0)


def _interval(schedule: Schedule, now: float) -> float:
    at = schedule.next_at({GROUP: now}, now)
    assert at is not None
    return at - now


def test_intervals_grow_while_nothing_finishes() -> None:
    """By half each time, up to ten seconds; one task that has finished resets them."""
    schedule = Schedule(polls=True, grace_s=0.0)
    schedule.watched(GROUP, 0.0)
    intervals = []
    for _ in range(12):
        intervals.append(_interval(schedule, 100.0))
        schedule.answered(GROUP, 0, 0.0, 100.0)
    assert intervals[:4] == [0.25, 0.375, 0.5625, 0.84375]
    assert intervals[-1] == 10.0
    assert intervals == sorted(intervals)
    schedule.answered(GROUP, 1, 0.0, 100.0)
    assert _interval(schedule, 100.0) == 0.25


@pytest.mark.parametrize("event", ["submitted", "consuming"])
def test_intervals_are_reset_by_what_is_new(event: str) -> None:
    """New tasks may be quick ones, and what comes after a reconnection begins anew."""
    schedule = Schedule(polls=True)
    schedule.watched(GROUP, 0.0)
    for _ in range(12):
        schedule.answered(GROUP, 0, 0.0, 100.0)
    getattr(schedule, event)(GROUP, 100.0)
    schedule.interrupted(GROUP, 100.0)
    assert _interval(schedule, 200.0) == 0.25
    schedule.submitted("unheard of", 100.0)
    schedule.answered("unheard of", 0, 0.0, 100.0)


def test_between_two_questions_there_is_a_pause() -> None:
    """Whatever is due; only the pause that was asked for last counts."""
    schedule = _streamed()
    schedule.reconcile(GROUP, 100.0)
    schedule.answered(OTHER, 0, 5.0, 100.0)
    assert schedule.next_at({GROUP: 0.0}, 100.0) == 105.0
    schedule.pause(2.0, 104.0)
    assert schedule.next_at({GROUP: 0.0}, 104.0) == 106.0
    assert schedule.next_at({GROUP: 0.0}, 107.0) == 107.0
    assert schedule.next_at({}, 104.0) is None


def test_coming_back_asks_for_everything_once() -> None:
    """What arrived meanwhile may have been lost; tasks of later are not meant."""
    schedule = _streamed()
    schedule.interrupted(GROUP, 10.0)
    assert not _due(schedule, 9.0, 10.5)
    schedule.consuming(GROUP, 11.0)
    assert _due(schedule, 9.0, 11.0)
    assert _due(schedule, 11.0, 11.0)
    assert not _due(schedule, 11.1, 11.2)
    assert not schedule.polled(GROUP, 1000.0)


def test_the_first_time_there_is_nothing_to_come_back_to() -> None:
    """No request is spent on a group whose queue was just made; unless it was polled before."""
    schedule = Schedule(polls=True)
    schedule.watched(GROUP, 0.0)
    schedule.consuming(GROUP, 1.0)
    assert not _due(schedule, 0.5, 1.0)
    late = Schedule(polls=True)
    late.watched(GROUP, 0.0)
    late.consuming(GROUP, 2.0)
    assert _due(late, 0.5, 2.0)


def test_reconciling_asks_for_everything_that_was_asked_for_before() -> None:
    """Of this group, also of one that nobody has heard of."""
    schedule = _streamed()
    schedule.watched(OTHER, 0.0)
    schedule.consuming(OTHER, 0.0)
    schedule.reconcile(GROUP, 10.0)
    assert _due(schedule, 10.0, 10.0)
    assert not _due(schedule, 10.1, 10.1)
    assert not _due(schedule, 0.0, 10.0, OTHER)
    schedule.reconcile("new", 10.0)
    assert _due(schedule, 10.0, 10.0, "new")


def test_the_first_of_all_groups_counts() -> None:
    """Whichever is due first says when to ask."""
    schedule = _streamed()
    schedule.watched(OTHER, 0.0)
    assert schedule.next_at({GROUP: 0.0, OTHER: 0.0}, 1.0) == 2.0
    assert schedule.next_at({GROUP: 0.0}, 1.0) == 60.0


EVENTS = st.sampled_from(
    ["watched", "consuming", "interrupted", "reconcile", "shared", "submitted"]
)


@given(
    st.lists(st.tuples(EVENTS, st.integers(0, 40)), max_size=30),
    st.booleans(),
    st.integers(0, 400),
    st.integers(0, 400),
)
def test_what_is_due_and_when_agree(
    events: list[tuple[str, int]], polls: bool, ago: int, ahead: int
) -> None:
    """Whatever happened: no task waits for more than a minute, and nobody wakes in a circle.

    A moment that is said to be one of asking, and at which nothing is due, would have the thread
    wake again and again; ``_due`` looks for that.
    """
    schedule = Schedule(polls=polls)
    now = 0.0
    for event, eighths in events:
        now += eighths / 8
        getattr(schedule, event)(GROUP, now)
    asked_at = now - ago / 8
    assert _due(schedule, asked_at, now) in (True, False)
    at = schedule.next_at({GROUP: asked_at}, now)
    assert at is not None
    assert at <= max(now, asked_at + 60.0)
    if at > now:
        before = now + (at - now) * ahead / 401
        if schedule.next_at({GROUP: asked_at}, before) == at:
            assert not _due(schedule, asked_at, before)
        _due(schedule, asked_at, at)
