"""What is acknowledged, against a model of a broker's channel."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gcompute.executor.acknowledging import Acknowledgements


class Channel:
    """A broker's side: it refuses to acknowledge what is not waiting for it."""

    def __init__(self) -> None:
        self.unacknowledged: set[int] = set()
        self.acknowledged: list[int] = []

    def ack(self, tag: int, multiple: bool) -> None:
        """Acknowledge as AMQP 0-9-1 has it."""
        assert tag in self.unacknowledged, f"unknown delivery tag {tag}"
        covered = {t for t in self.unacknowledged if t == tag or (multiple and t < tag)}
        self.unacknowledged -= covered
        self.acknowledged += sorted(covered)

    def nack(self, tag: int) -> None:
        """Give back."""
        assert tag in self.unacknowledged
        self.unacknowledged.discard(tag)


class AcknowledgementsAndABroker(RuleBasedStateMachine):
    """Deliveries come in order; each is handled or held in that order, held ones later on."""

    def __init__(self) -> None:
        super().__init__()
        self.gathered = Acknowledgements()
        self.channel = Channel()
        self.last = 0
        #: The first that nobody has looked at.
        self.next = 1
        self.held: set[int] = set()
        self.handled: set[int] = set()
        self.released: set[int] = set()

    @rule(count=st.integers(1, 5))
    def deliver(self, count: int) -> None:
        """The broker sends some more."""
        for _ in range(count):
            self.last += 1
            self.channel.unacknowledged.add(self.last)

    @precondition(lambda self: self.next <= self.last)
    @rule(count=st.integers(1, 5), hold=st.booleans())
    def look(self, count: int, hold: bool) -> None:
        """The next are handled, or held."""
        for tag in range(self.next, min(self.last, self.next + count - 1) + 1):
            if hold:
                self.gathered.held(tag)
                self.held.add(tag)
            else:
                self.gathered.handled(tag)
                self.handled.add(tag)
            self.next = tag + 1

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def handle_a_held_one(self, data: st.DataObject) -> None:
        """Its task has become known."""
        tag = data.draw(st.sampled_from(sorted(self.held)))
        self.gathered.handled(tag)
        self.held.discard(tag)
        self.handled.add(tag)

    @precondition(lambda self: self.next > 1)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """Only what is still held is given back."""
        tag = data.draw(st.integers(1, self.next - 1))
        assert self.gathered.release(tag) == (tag in self.held)
        if tag in self.held:
            self.held.discard(tag)
            self.released.add(tag)
            self.channel.nack(tag)

    @rule()
    def take(self) -> None:
        """Tell the broker; then everything handled is acknowledged, once, and nothing else."""
        for tag, multiple in self.gathered.take():
            self.channel.ack(tag, multiple)
        assert sorted(self.channel.acknowledged) == sorted(self.handled)

    @invariant()
    def nothing_else_is_acknowledged(self) -> None:
        """Not what is held, not what nobody has looked at, nothing twice."""
        acknowledged = self.channel.acknowledged
        assert len(acknowledged) == len(set(acknowledged))
        assert set(acknowledged) <= self.handled
        assert self.held <= self.channel.unacknowledged
        assert set(range(self.next, self.last + 1)) <= self.channel.unacknowledged


TestAcknowledgements = AcknowledgementsAndABroker.TestCase


@given(st.integers(1, 300))
def test_many_without_a_held_one_take_one_acknowledgement(count: int) -> None:
    """Each costs a packet."""
    gathered = Acknowledgements()
    for tag in range(1, count + 1):
        gathered.handled(tag)
    assert gathered.take() == [(count, True)]
    assert gathered.take() == []


def test_those_below_the_first_held_one_take_one_as_well() -> None:
    """Those above go one by one, until it is no longer held."""
    gathered = Acknowledgements()
    for tag in (1, 2, 3, 5, 6):
        gathered.handled(tag)
    gathered.held(4)
    assert gathered.take() == [(3, True), (5, False), (6, False)]
    gathered.handled(7)
    gathered.handled(4)
    assert gathered.take() == [(7, True)]
