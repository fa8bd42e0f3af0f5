"""When requests go, and with how many tasks."""

from __future__ import annotations

import pytest

from gcompute.budget import RequestBudget, RequestsLeft
from gcompute.executor.pacing import Pace


def left(at_once: int, more_in_s: float = 8.0) -> RequestsLeft:
    return RequestsLeft(at_once, 20, more_in_s)


def pause_s(
    pace: Pace,
    waiting: int,
    *,
    before: int | None = None,
    under_way: int = 1,
    at_once: int = 5,
    now: float = 0.0,
) -> float:
    return pace.pause_s(waiting, before=before, under_way=under_way, left=left(at_once), now=now)


@pytest.mark.parametrize(
    ("waiting", "requests", "share"),
    [
        (10_000, None, 128),
        (10_000, left(20), 128),
        (10_000, left(11), 128),
        (10_000, left(10), 2_000),
        (10_000, left(3), 10_000),
        (10_000, left(0), 10_000),
        (200, left(10), 128),
    ],
)
def test_a_burst_is_through_with_half_of_the_requests_that_are_left(
    waiting: int, requests: RequestsLeft | None, share: int
) -> None:
    """While they are plentiful, results come early; later none is ever waited for."""
    assert Pace().share(waiting, requests) == share


def test_one_call_at_a_time_never_waits() -> None:
    """Nothing else is under way, so nothing more will come."""
    pace = Pace()
    for at_once in range(20, -1, -1):
        assert pause_s(pace, 1, under_way=0, at_once=at_once) == 0
        pace.went(1, 0.0)
        pace.nothing_waits()


def test_a_stream_spreads_the_requests_that_are_left() -> None:
    """Once they are scarce, calls wait for each other, but many together do not."""
    pace = Pace()
    pace.went(3, 100.0)
    pace.nothing_waits()
    assert pause_s(pace, 1, at_once=11, now=100.1) == 0
    assert pause_s(pace, 1, at_once=10, now=100.1) == pytest.approx(0.8 - 0.1)
    assert pause_s(pace, 127, at_once=1, now=100.2) == pytest.approx(1.0 - 0.2)
    assert pause_s(pace, 128, at_once=1, now=100.2) == 0
    assert pause_s(pace, 1, at_once=10, now=100.8) == 0
    assert pause_s(pace, 1, at_once=0, now=100.1) == 8.0
    assert pause_s(pace, 1, before=1, at_once=0, now=108.1) == 0  # others have taken it


def test_a_burst_gathers_while_it_grows() -> None:
    """Until it is worth a request; not when nothing comes any more, and not for long."""
    pace = Pace()
    pace.went(1200, 100.0)
    silence_s = pause_s(pace, 100, now=100.0)
    assert 0 < silence_s < 0.1
    assert pause_s(pace, 200, before=100, now=100.1) == silence_s
    assert pause_s(pace, 200, before=200, now=100.1) == 0
    assert pause_s(pace, 1200, before=200, now=100.1) == 0
    assert pause_s(pace, 300, before=200, now=102.0) == 0
    assert pace.share(1200, left(10)) == 1200


@pytest.mark.parametrize("rate", [1_000, 10_000, 100_000])
def test_a_burst_needs_few_requests(rate: int) -> None:
    """A hundred thousand tasks, however fast they come, never wait for the budget."""
    budget, pace = RequestBudget(), Pace()
    now, sent = 0.0, 0
    while sent < 100_000:
        waiting, before = min(100_000, int(now * rate)) - sent, None
        while wait_s := pace.pause_s(
            waiting, before=before, under_way=sent, left=budget.left(now), now=now
        ):
            now += wait_s
            before, waiting = waiting, min(100_000, int(now * rate)) - sent
        if not waiting:
            now += 0.001
            continue
        count = min(waiting, pace.share(waiting, budget.left(now)))
        assert budget.take(now).moment == pytest.approx(now)
        pace.went(count, now)
        sent += count
        now += 0.005 + 5e-6 * count  # a request takes its time
