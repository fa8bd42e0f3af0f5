"""The request budget: what the service allows, in order, and no later than that."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.budget import Place, RequestBudget

LIMITS = st.integers(1, 8)
WINDOWS = st.sampled_from([0.5, 1.0, 10.0])
#: Seconds between one request and the next; whole eighths, so that sums are exact.
GAPS = st.lists(st.integers(0, 40).map(lambda eighths: eighths / 8), max_size=60)


def _times(gaps: list[float]) -> list[float]:
    return list(itertools.accumulate(gaps, initial=0.0))


def _most_in_a_window(moments: list[float], window_s: float) -> int:
    """Count the requests of the fullest window, its beginning included and its end not."""
    return max(sum(start <= m < start + window_s for m in moments) for start in moments)


@given(limit=LIMITS, window_s=WINDOWS, gaps=GAPS)
def test_no_window_has_more_than_the_limit(limit: int, window_s: float, gaps: list[float]) -> None:
    """However requests arrive, and wherever the window is laid."""
    budget = RequestBudget(limit, window_s)
    moments = [budget.take(now).moment for now in _times(gaps)]
    assert _most_in_a_window(moments, window_s) <= limit


@given(limit=LIMITS, window_s=WINDOWS, gaps=GAPS)
def test_nobody_waits_longer_than_needed(limit: int, window_s: float, gaps: list[float]) -> None:
    """Each goes when it comes, or a window after the request ``limit`` before it."""
    budget = RequestBudget(limit, window_s)
    moments: list[float] = []
    for now in _times(gaps):
        earliest = now if len(moments) < limit else max(now, moments[-limit] + window_s)
        moments.append(budget.take(now).moment)
        assert moments[-1] == earliest
    assert moments == sorted(moments)


@given(
    limit=LIMITS,
    events=st.lists(
        st.tuples(st.sampled_from(["take", "take", "leave", "close"]), st.integers(0, 24)),
        max_size=60,
    ),
)
def test_pauses_and_leavers_keep_order_and_limit(limit: int, events: list[tuple[str, int]]) -> None:
    """Whoever leaves and whenever the service asks for a pause: order, limit and pause hold."""
    budget, now, window_s = RequestBudget(limit, 1.0), 0.0, 1.0
    places: list[Place] = []
    closed = [(0.0, 0.0)]
    for event, eighths in events:
        if event == "take":
            now += eighths / 8
            places.append(budget.take(now))
        elif event == "close":
            closed.append((now, now + eighths / 8))
            budget.close_until(now + eighths / 8, now)
        else:
            waiting = [place for place in places if place.moment > now]
            if waiting:
                left = waiting[eighths % len(waiting)]
                places.remove(left)
                budget.give_back(left)
    moments = [place.moment for place in places]
    assert moments == sorted(moments)
    assert not moments or _most_in_a_window(moments, window_s) <= limit
    for asked, until in closed:
        assert not [moment for moment in moments if asked < moment < until]


def test_a_burst_waits_for_the_window() -> None:
    """Twenty go at once, the next twenty ten seconds later: as the hosted service documents."""
    budget = RequestBudget()
    assert [budget.take(100.0).moment for _ in range(45)] == [100.0] * 20 + [110.0] * 20 + [
        120.0
    ] * 5


def test_those_who_leave_keep_nobody_waiting() -> None:
    """A hundred that give up leave the budget as they found it."""
    budget = RequestBudget(2, 10.0)
    used = [budget.take(0.0) for _ in range(2)]
    waiting = [budget.take(0.0) for _ in range(100)]
    assert waiting[-1].moment == 500.0
    for place in waiting:
        budget.give_back(place)
    assert budget.take(1.0).moment == used[0].moment + 10.0


def test_a_place_is_given_back_once() -> None:
    """Giving back twice, or what no window reaches back to, changes nothing."""
    budget = RequestBudget(1, 10.0)
    old = budget.take(0.0)
    place = budget.take(20.0)
    budget.give_back(place)
    budget.give_back(place)
    budget.give_back(old)
    assert budget.take(20.0).moment == 20.0
    assert budget.take(20.0).moment == 30.0


def test_a_pause_moves_those_who_wait() -> None:
    """What was handed out for a moment within the pause goes after it, still in order."""
    budget = RequestBudget(2, 10.0)
    first, second, third, fourth, fifth = (budget.take(0.0) for _ in range(5))
    budget.close_until(25.0, 1.0)
    assert [p.moment for p in (first, second)] == [0.0, 0.0]
    assert [p.moment for p in (third, fourth, fifth)] == [25.0, 25.0, 35.0]
    assert budget.take(26.0).moment == 35.0


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """The latest moment that was asked for counts."""
    budget = RequestBudget()
    budget.close_until(50.0, 0.0)
    budget.close_until(10.0, 0.0)
    assert budget.left(49.0).at_once == 0
    assert budget.take(0.0).moment == 50.0


def test_what_is_available_is_counted() -> None:
    """Places that could be had at once; those that wait leave none."""
    budget = RequestBudget(3, 10.0)
    assert budget.left(0.0).at_once == 3
    for _ in range(5):
        budget.take(0.0)
    assert budget.left(0.0).at_once == 0
    assert budget.left(10.0).at_once == 1
    assert budget.left(20.0).at_once == 3


@pytest.mark.parametrize(("limit", "window_s"), [(0, 10.0), (-1, 10.0), (1, 0.0), (1, -1.0)])
def test_a_budget_of_nothing_is_refused(limit: int, window_s: float) -> None:
    """No request would ever go."""
    with pytest.raises(ValueError, match="at least one request in a positive time"):
        RequestBudget(limit, window_s)


def test_old_places_are_forgotten() -> None:
    """A client that lives for months remembers one window."""
    budget = RequestBudget(5, 1.0)
    for second in range(1000):
        budget.take(float(second))
    assert len(budget._places) <= 5


def test_many_threads_share_one_budget() -> None:
    """Eight threads that ask at once get the places that one would."""
    budget, start = RequestBudget(10, 1.0), threading.Barrier(8)
    moments: list[float] = []

    def ask() -> None:
        start.wait(10)
        moments.extend([budget.take(0.0).moment for _ in range(50)])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(moments) == [float(n // 10) for n in range(400)]


@pytest.mark.parametrize(
    ("limit", "window_s", "moments"),
    [
        (None, None, [0.0, 0.0, 10.0, 10.0]),
        (3, None, [0.0, 0.0, 0.0, 10.0]),
        (1, None, [0.0, 10.0, 20.0, 30.0]),
        (None, 4.0, [0.0, 0.0, 4.0, 4.0]),
        (1, 4.0, [0.0, 4.0, 8.0, 12.0]),
    ],
)
def test_a_change_holds_from_then_on(
    limit: int | None, window_s: float | None, moments: list[float]
) -> None:
    """``None`` leaves a number as it is."""
    budget = RequestBudget(2, 10.0)
    budget.change(limit, window_s)
    assert [budget.take(0.0).moment for _ in moments] == moments


def test_places_that_were_taken_before_a_change_count() -> None:
    """A larger limit does not forget what has gone already."""
    budget = RequestBudget(2, 10.0)
    assert [budget.take(0.0).moment for _ in range(2)] == [0.0, 0.0]
    budget.change(3, None)
    assert budget.left(0.0).at_once == 1
    assert [budget.take(1.0).moment for _ in range(2)] == [1.0, 10.0]


@pytest.mark.parametrize(("limit", "window_s"), [(0, None), (None, 0.0), (-1, 1.0), (1, -1.0)])
def test_a_change_that_allows_nothing_is_refused(limit: int | None, window_s: float | None) -> None:
    """And changes nothing, not the other number either."""
    budget = RequestBudget(2, 10.0)
    with pytest.raises(ValueError, match="at least one request"):
        budget.change(limit, window_s)
    assert [budget.take(0.0).moment for _ in range(3)] == [0.0, 0.0, 10.0]
