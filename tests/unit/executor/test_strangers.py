"""How long strangers' results are held, and that they are forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gcompute.executor import strangers as strangers_module
from gcompute.executor.strangers import Strangers


def test_it_is_held_longer_each_time_and_dropped_in_the_end() -> None:
    """Twice as long, up to a limit; ten times; all in all for half a minute or so."""
    strangers = Strangers()
    holds = [strangers.hold_s("t") for _ in range(10)]
    assert holds == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0]
    assert strangers.hold_s("t") is None


def test_one_that_was_dropped_begins_anew() -> None:
    """Nothing of it is remembered."""
    strangers = Strangers()
    while strangers.hold_s("t") is not None:
        pass
    assert strangers.hold_s("t") == 0.25
    assert len(strangers._releases) == 1


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_each_is_counted_by_itself(arrivals: list[str]) -> None:
    """However they mix: a model counts each one's arrivals up to its end."""
    strangers = Strangers()
    counts = dict.fromkeys("abc", 0)
    for name in arrivals:
        hold_s = strangers.hold_s(name)
        if counts[name] == 10:
            assert hold_s is None
            counts[name] = 0
        else:
            assert hold_s == min(5.0, 0.25 * 2 ** counts[name])
            counts[name] += 1


def test_memory_is_bounded() -> None:
    """Of too many the one that came longest ago is forgotten, and begins anew."""
    strangers = Strangers()
    limit = strangers_module._REMEMBERED
    for number in range(limit):
        strangers.hold_s(str(number))
    assert strangers.hold_s("0") == 0.5  # which makes it the youngest
    strangers.hold_s("one more")
    assert len(strangers._releases) == limit
    assert strangers.hold_s("2") == 0.5
    assert strangers.hold_s("1") == 0.25
