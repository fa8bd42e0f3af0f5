"""Waits that double, with jitter, up to a limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gcompute.backoff import Backoff


@given(
    st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=200),
    st.floats(0.01, 5),
    st.floats(5, 600),
)
def test_each_wait_is_half_to_all_of_the_doubled_time(
    draws: list[float], first_s: float, limit_s: float
) -> None:
    """No wait is shorter than half, nor longer than all, of what doubling says; ever."""
    remaining = iter(draws)
    backoff = Backoff(first_s=first_s, limit_s=limit_s, draw=lambda: next(remaining))
    for failures in range(len(draws)):
        longest = min(limit_s, first_s * 2**failures)
        assert longest / 2 <= backoff.next_s() <= longest


def test_only_a_stable_connection_wipes_out_former_failures() -> None:
    """A minute of connection starts over, a second does not."""
    backoff = Backoff(first_s=1.0, limit_s=100.0, draw=lambda: 1.0)
    assert [backoff.next_s(1.0) for _ in range(4)] == [1.0, 2.0, 4.0, 8.0]
    assert backoff.next_s(60.0) == 1.0
    assert backoff.failures == 1


def test_it_waits_for_years() -> None:
    """However often it fails, the wait stays at its limit."""
    backoff = Backoff(first_s=1.0, limit_s=100.0, draw=lambda: 1.0)
    assert [backoff.next_s() for _ in range(5000)][-1] == 100.0
