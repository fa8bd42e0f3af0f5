"""Delays between attempts to connect."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from gcompute.local.backoff import BackOff


@given(st.integers(), st.integers(0, 2000))
def test_every_delay_is_between_the_two_limits(seed: int, failures: int) -> None:
    """However often it fails, the delay is from half a second to ten seconds."""
    back_off = BackOff(rng=random.Random(seed))
    back_off.failures = failures
    assert 0.5 <= back_off.delay_after_failure() <= 10


def test_the_longest_delay_doubles() -> None:
    """With the jitter at its most, delays go 0.5, 1, 2, 4, 8, 10, 10."""

    class Most(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    back_off = BackOff(rng=Most())
    assert [back_off.delay_after_failure() for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]


def test_only_a_stable_connection_wipes_out_former_failures() -> None:
    """A minute of connection starts the delays over, a second does not."""
    back_off = BackOff()
    for _ in range(5):
        back_off.delay_after_failure(1.0)
    assert back_off.failures == 5
    assert back_off.delay_after_failure(60.0) == 0.5
    assert back_off.failures == 1
