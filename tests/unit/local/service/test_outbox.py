"""Messages that wait for the broker's confirmation."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.local.amqp import AmqpLink, LinkLost
from gcompute.local.outbox import Outbox, ranges


class FakeLink:
    """A link whose confirmations the test gives."""

    def __init__(self) -> None:
        self.futures: list[asyncio.Future[None]] = []

    def publish(self, *_: object, **__: object) -> asyncio.Future[None]:
        """Remember the future of a message."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.futures.append(future)
        return future


def _outbox(link: FakeLink, told: list[list[int]]) -> Outbox:
    return Outbox(cast(AmqpLink, link), told.append, _nothing)


async def _nothing() -> None:
    """There is nothing left in the store."""


def _publish(outbox: Outbox, *numbers: int) -> None:
    properties: dict[str, Any] = {}
    for number in numbers:
        outbox.publish(number, "exchange", "key", b"", properties)


async def _turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_confirmations_of_one_turn_are_told_at_once() -> None:
    """Many confirmations make one call, and so one transaction."""

    async def run() -> None:
        link, told = FakeLink(), list[list[int]]()
        outbox = _outbox(link, told)
        _publish(outbox, 1, 2, 3)
        link.futures[0].set_result(None)
        link.futures[2].set_result(None)
        await _turns()
        assert told == [[1, 3]]
        assert (1 in outbox, 2 in outbox, 3 in outbox) == (False, True, False)

    asyncio.run(run())


@pytest.mark.parametrize("error", [LinkLost("gone"), ValueError("other")])
def test_what_is_not_confirmed_is_forgotten(error: Exception) -> None:
    """It is not told as confirmed, and no longer on its way: its owner sends it again."""

    async def run() -> None:
        link, told = FakeLink(), list[list[int]]()
        outbox = _outbox(link, told)
        _publish(outbox, 1)
        link.futures[0].set_exception(error)
        await _turns()
        assert told == []
        assert 1 not in outbox

    asyncio.run(run())


class Owner:
    """Has messages in a store, and an outbox with room for two of them."""

    def __init__(self, link: FakeLink) -> None:
        self.stored: list[int] = []
        self.outbox = Outbox(cast(AmqpLink, link), self._forget, self.send_rest, window=20)

    def send(self, *numbers: int) -> None:
        """Publish messages, or leave them in the store."""
        self.stored += numbers
        for number in numbers:
            if not self.outbox.takes:
                self.outbox.leave()
                return
            self._publish(number)

    async def send_rest(self) -> None:
        """Publish what is in the store and not on its way."""
        for number in [n for n in self.stored if n not in self.outbox]:
            await self.outbox.room()
            self._publish(number)

    def _publish(self, number: int) -> None:
        self.outbox.publish(number, "", "key", bytes(10), {})

    def _forget(self, numbers: list[int]) -> None:
        for number in numbers:
            self.stored.remove(number)


def test_what_a_full_broker_does_not_take_stays_in_the_store() -> None:
    """No more than the window is on its way; the rest follows in order as there is room."""

    async def run() -> None:
        link = FakeLink()
        owner = Owner(link)
        owner.send(*range(10))
        await _turns()
        assert len(link.futures) == 3
        owner.send(10)
        while any(not future.done() for future in link.futures):
            on_their_way = [future for future in link.futures if not future.done()]
            assert len(on_their_way) <= 3
            on_their_way[0].set_result(None)
            await _turns(6)
        assert len(link.futures) == 11
        assert owner.stored == []
        owner.send(11)
        assert len(link.futures) == 12

    asyncio.run(run())


def test_a_link_that_breaks_ends_the_wait_for_room() -> None:
    """What was on its way stays in the store, for when the link is back."""

    async def run() -> None:
        link = FakeLink()
        owner = Owner(link)
        owner.send(*range(4))
        await _turns()
        for _ in range(2):
            for future in link.futures:
                if not future.done():
                    future.set_exception(LinkLost("gone"))
            await _turns(6)
        assert owner.stored == [0, 1, 2, 3]
        assert owner.outbox.takes

    asyncio.run(run())


def test_flush_tells_what_came_in_last() -> None:
    """At the end nothing that is confirmed gets lost."""

    async def run() -> None:
        link, told = FakeLink(), list[list[int]]()
        outbox = _outbox(link, told)
        _publish(outbox, 7)
        link.futures[0].set_result(None)
        await asyncio.sleep(0)
        outbox.flush()
        assert [n for numbers in told for n in numbers] == [7]

    asyncio.run(run())


@given(st.lists(st.integers(min_value=0, max_value=50)))
def test_ranges_cover_exactly_the_numbers(numbers: list[int]) -> None:
    """Whatever the numbers are: the ranges hold them and no others, and do not touch."""
    found = ranges(numbers)
    assert {n for first, last in found for n in range(first, last + 1)} == set(numbers)
    assert all(a[1] + 1 < b[0] for a, b in pairwise(found))
