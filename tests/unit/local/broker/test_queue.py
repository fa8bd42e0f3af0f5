"""Queues without a broker: order, turns, limits, and that no message is lost or doubled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gcompute.local.broker.deliveries import Subscription
from gcompute.local.broker.queue import MESSAGE_OVERHEAD, Budget, Limits, Queue
from tests.unit.local.broker.fakes import FakeChannel, FakeConsumer, message


def bodies(queue: Queue, now: float = 0.0) -> list[str]:
    """Take all ready messages."""
    return [entry.message.body.decode() for entry in iter(lambda: queue.take(now), None)]


def drain(queue: Queue, now: float = 0.0) -> None:
    """Deliver as the virtual host does."""
    while delivery := queue.next_delivery(now):
        consumer, entry = delivery
        consumer.deliver(entry)


def test_messages_leave_in_order_of_arrival() -> None:
    """First in, first out."""
    queue = Queue("q")
    for body in "abc":
        queue.put(message(body), 0.0)
    assert bodies(queue) == ["a", "b", "c"]
    assert queue.take(0.0) is None


def test_a_requeued_message_returns_to_its_place() -> None:
    """Whatever the order of requeueing, and marked as redelivered."""
    queue = Queue("q")
    for body in "abcde":
        queue.put(message(body), 0.0)
    a, b, c = (queue.take(0.0) for _ in range(3))
    assert a
    assert b
    assert c
    queue.requeue([b])
    queue.requeue([c, a])
    assert a.redelivered
    assert bodies(queue) == ["a", "b", "c", "d", "e"]


def test_consumers_take_turns_and_those_not_ready_are_passed_over() -> None:
    """A consumer at its limit costs the others nothing."""
    queue = Queue("q")
    first, full, last = FakeConsumer(), FakeConsumer(ready=False), FakeConsumer()
    queue.consumers.extend([first, full, last])
    for body in "abcd":
        queue.put(message(body), 0.0)
    drain(queue)
    assert [entry.message.body for entry in first.got] == [b"a", b"c"]
    assert [entry.message.body for entry in last.got] == [b"b", b"d"]
    assert full.got == []


def test_nothing_is_taken_while_no_consumer_is_ready() -> None:
    """The message stays ready."""
    queue = Queue("q")
    queue.consumers.append(FakeConsumer(ready=False))
    queue.put(message("a"), 0.0)
    assert queue.next_delivery(0.0) is None
    assert len(queue) == 1


def test_the_shorter_of_two_lifetimes_counts() -> None:
    """The queue's and the message's own."""
    queue = Queue("q", limits=Limits(message_ttl_s=10.0))
    queue.put(message("short", ttl_s=1.0), 0.0)
    queue.put(message("long", ttl_s=60.0), 0.0)
    queue.drop_expired(1.0)
    assert len(queue) == 1
    assert bodies(queue, now=9.9) == ["long"]
    queue.put(message("again"), 20.0)
    assert bodies(queue, now=30.0) == []


def test_an_overfull_queue_drops_from_its_head() -> None:
    """By number of messages, and by bytes of bodies."""
    by_length = Queue("q", limits=Limits(max_length=2))
    by_bytes = Queue("q", limits=Limits(max_bytes=5))
    for body in ("aaa", "bb", "c"):
        by_length.put(message(body), 0.0)
        by_bytes.put(message(body), 0.0)
    assert bodies(by_length) == ["bb", "c"]
    assert bodies(by_bytes) == ["bb", "c"]


def test_an_overfull_queue_drops_what_is_requeued_to_its_head() -> None:
    """A requeued message is the oldest one."""
    queue = Queue("q", limits=Limits(max_length=1))
    queue.put(message("old"), 0.0)
    old = queue.take(0.0)
    assert old
    queue.put(message("new"), 0.0)
    queue.requeue([old])
    assert bodies(queue) == ["new"]


def test_the_budget_counts_messages_until_they_are_gone() -> None:
    """Ready and unacknowledged ones; full above the limit, free again well below it."""
    size = MESSAGE_OVERHEAD + 2 + 1
    budget = Budget(limit=10 * size)
    queue = Queue("q", budget=budget)
    for _ in range(11):
        queue.put(message("x"), 0.0)
    seen = [(budget.used, budget.full)]
    for _ in range(3):
        entry = queue.take(0.0)
        assert entry
        queue.forget(entry)
        seen.append((budget.used, budget.full))
    assert seen == [(11 * size, True), (10 * size, True), (9 * size, True), (8 * size, False)]
    assert queue.purge() == 8
    assert budget.used == 0


def test_a_deleted_queue_drops_what_comes_back() -> None:
    """And the budget gets it back."""
    budget = Budget(limit=10**6)
    queue = Queue("q", budget=budget)
    queue.put(message("x"), 0.0)
    entry = queue.take(0.0)
    assert entry
    queue.deleted = True
    queue.requeue([entry])
    assert (len(queue), budget.used) == (0, 0)


#: (what, which) - `which` chooses a channel or a tag.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "ack", "ack all to", "nack", "nack all to", "close", "congest"]),
        st.integers(min_value=0, max_value=30),
    ),
    max_size=60,
)


@given(STEPS, st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=3))
def test_every_message_ends_exactly_once_and_order_is_kept(
    steps: list[tuple[str, int]], prefetches: list[int]
) -> None:
    """Random publishing, acknowledging, requeueing and closing.

    The oldest ready message always goes first, no consumer exceeds its prefetch, and in the end
    each message has been acknowledged once.
    """
    budget = Budget(limit=2**40)
    queue = Queue("q", budget=budget)
    channels = [FakeChannel() for _ in prefetches]
    for channel, prefetch in zip(channels, prefetches, strict=True):
        queue.consumers.append(
            Subscription(channel, queue, "t", no_ack=False, exclusive=False, prefetch=prefetch)
        )
    ready: set[int] = set()
    finished: list[int] = []
    published = 0

    def deliver() -> None:
        while delivery := queue.next_delivery(0.0):
            consumer, entry = delivery
            assert entry.sequence == min(ready)
            ready.discard(entry.sequence)
            consumer.deliver(entry)

    for what, which in steps:
        channel = channels[which % len(channels)]
        outstanding = [tag for tag, _ in channel.sent if tag in channel.deliveries._unsettled]
        if what == "put":
            published += 1
            ready.add(published)
            queue.put(message(str(published)), 0.0)
        elif what == "congest":
            channel.congested = not channel.congested
        elif what == "close":
            settled = channel.deliveries.settle_all()
            ready.update(delivery.entry.sequence for delivery in settled)
            queue.requeue([delivery.entry for delivery in settled])
        elif outstanding:
            tag = outstanding[which % len(outstanding)]
            settled = channel.deliveries.settle(tag, multiple="all" in what)
            entries = [delivery.entry for delivery in settled]
            if what.startswith("nack"):
                ready.update(entry.sequence for entry in entries)
                queue.requeue(entries)
            else:
                finished.extend(entry.sequence for entry in entries)
                for entry in entries:
                    queue.forget(entry)
        deliver()
        assert len(queue) == len(ready)
        for one, prefetch in zip(channels, prefetches, strict=True):
            assert not prefetch or len(one.deliveries) <= prefetch

    for channel in channels:
        settled = channel.deliveries.settle_all()
        queue.requeue([delivery.entry for delivery in settled])
    rest = list(iter(lambda: queue.take(0.0), None))
    assert [entry.sequence for entry in rest] == sorted(entry.sequence for entry in rest)
    for entry in rest:
        queue.forget(entry)
    assert sorted(finished + [entry.sequence for entry in rest]) == list(range(1, published + 1))
    assert budget.used == 0
