"""Which messages an answer of the broker settles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gcompute.local.amqp.confirms import Confirms

answers = st.lists(st.tuples(st.integers(0, 30), st.booleans()))


@given(st.integers(0, 25), answers)
def test_each_message_is_settled_at_most_once_and_as_the_protocol_says(
    published: int, given_answers: list[tuple[int, bool]]
) -> None:
    """Against a plain model: multiple settles all up to the number, zero and multiple all."""
    confirms: Confirms[int] = Confirms()
    open_numbers = [confirms.add(n) for n in range(1, published + 1)]
    assert open_numbers == list(range(1, published + 1))
    for number, multiple in given_answers:
        expected = [
            n for n in open_numbers if n == number or (multiple and (n < number or number == 0))
        ]
        assert confirms.settle(number, multiple=multiple) == expected
        open_numbers = [n for n in open_numbers if n not in expected]
        assert len(confirms) == len(open_numbers)
    assert confirms.clear() == open_numbers
    assert len(confirms) == 0


def test_find_gives_the_oldest() -> None:
    """A message that came back is the oldest that looks like it."""
    confirms: Confirms[str] = Confirms()
    for entry in ("a1", "b1", "b2"):
        confirms.add(entry)
    assert confirms.find(lambda entry: entry.startswith("b")) == "b1"
    assert confirms.find(lambda entry: entry.startswith("c")) is None
