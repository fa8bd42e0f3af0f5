"""Acknowledgements: which deliveries a tag settles, and what counts against prefetch."""

from __future__ import annotations

import pytest

from gcompute.local.broker.deliveries import Deliveries
from gcompute.local.broker.faults import PRECONDITION_FAILED, ChannelFault
from gcompute.local.broker.queue import Entry, Message, Queue


def delivered(count: int) -> tuple[Deliveries, list[Entry]]:
    """Return a channel's deliveries with `count` messages that were fetched."""
    queue = Queue("q")
    for _ in range(count):
        queue.put(Message("", "q", b"\x00\x00", b""), 0.0)
    entries = [entry for entry in iter(lambda: queue.take(0.0), None) if entry]
    deliveries = Deliveries()
    for number, entry in enumerate(entries, start=1):
        assert deliveries.add(entry, None, settled=False) == number
    return deliveries, entries


def test_one_tag_settles_one_delivery() -> None:
    """The others stay outstanding."""
    deliveries, entries = delivered(3)
    assert [d.entry for d in deliveries.settle(2, multiple=False)] == [entries[1]]
    assert len(deliveries) == 2


def test_multiple_settles_all_up_to_the_tag() -> None:
    """Without those that were settled before."""
    deliveries, entries = delivered(4)
    deliveries.settle(1, multiple=False)
    assert [d.entry for d in deliveries.settle(3, multiple=True)] == entries[1:3]
    assert len(deliveries) == 1


def test_tag_zero_with_multiple_settles_everything() -> None:
    """Even when there is nothing."""
    deliveries, entries = delivered(2)
    assert [d.entry for d in deliveries.settle(0, multiple=True)] == entries
    assert deliveries.settle(0, multiple=True) == []


@pytest.mark.parametrize(("tag", "multiple"), [(0, False), (3, False), (3, True), (1, False)])
def test_an_unknown_tag_changes_nothing(tag: int, multiple: bool) -> None:
    """Never given, or settled already."""
    deliveries, _ = delivered(2)
    deliveries.settle(1, multiple=False)
    with pytest.raises(ChannelFault) as raised:
        deliveries.settle(tag, multiple=multiple)
    assert raised.value.code == PRECONDITION_FAILED
    assert len(deliveries) == 1


def test_fetched_messages_do_not_count_against_prefetch() -> None:
    """basic.get has no consumer that could be held back."""
    deliveries, _ = delivered(3)
    deliveries.prefetch = 1
    assert deliveries.has_room
