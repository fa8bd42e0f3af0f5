"""The link to a broker, on the embedded broker in the same event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gcompute.local.amqp import (
    AmqpLink,
    ChannelRefused,
    Delivery,
    LinkLost,
    LinkRefused,
    LinkUnreachable,
    QueueDepth,
    QueueMissing,
    Unroutable,
)
from gcompute.local.broker import Broker
from tests.support.event_loop import in_event_loop


class Owner:
    """Declares a queue and consumes it, each time the link is up."""

    def __init__(self, url: str, *, exclusive: bool = False) -> None:
        self.url = url
        self.opened = 0
        self.reopened = asyncio.Event()
        self.lost = 0
        self.deliveries: asyncio.Queue[Delivery] = asyncio.Queue()
        self._exclusive = exclusive
        self.consumer_tag = ""
        self.link = AmqpLink(url, on_open=self._on_open, on_lost=self._on_lost)

    async def _on_open(self, link: AmqpLink) -> None:
        await link.topology.declare_exchange("exchange")
        await link.topology.declare_queue("queue")
        await link.topology.bind_queue("queue", "exchange", "key")
        self.consumer_tag = await link.consume(
            "queue", self.deliveries.put_nowait, exclusive=self._exclusive, prefetch=10
        )
        self.opened += 1
        if self.opened > 1:
            self.reopened.set()

    def _on_lost(self) -> None:
        self.lost += 1

    async def next(self) -> Delivery:
        """Wait for a message."""
        async with asyncio.timeout(10):
            return await self.deliveries.get()


@asynccontextmanager
async def broker() -> AsyncIterator[str]:
    """Run a broker, and give its URL."""
    running = Broker()
    running.add_user("user", "secret", configure=".*", write=".*", read=".*")
    await running.start()
    try:
        yield f"amqp://user:secret@127.0.0.1:{running.port}/%2F"
    finally:
        await running.stop()


@asynccontextmanager
async def linked(*, exclusive: bool = False) -> AsyncIterator[Owner]:
    """Run a broker and an owner with a link to it."""
    async with broker() as url:
        owner = Owner(url, exclusive=exclusive)
        await owner.link.start()
        try:
            yield owner
        finally:
            await owner.link.stop()


@in_event_loop
async def test_messages_arrive_with_what_was_said_about_them() -> None:
    """Body, headers, timestamp and routing key survive, and the future is done."""
    async with linked() as owner:
        properties = {"headers": {"a": "b"}, "timestamp": 1_700_000_000, "delivery_mode": 2}
        await owner.link.publish("exchange", "key", b"body", properties=properties)
        delivery = await owner.next()
        assert (delivery.body, delivery.headers) == (b"body", {"a": "b"})
        assert (delivery.timestamp, delivery.routing_key) == (1_700_000_000, "key")
        assert not delivery.redelivered


@in_event_loop
async def test_a_thousand_messages_are_confirmed_and_delivered_in_order() -> None:
    """Every future is done, and the order is that of publishing, prefetch notwithstanding."""
    async with linked() as owner:
        publishing = [owner.link.publish("exchange", "key", b"%d" % n) for n in range(1000)]
        for n in range(1000):
            delivery = await owner.next()
            assert delivery.body == b"%d" % n
            owner.link.ack(delivery.delivery_tag, multiple=n % 2 == 1)
        await asyncio.gather(*publishing)


@in_event_loop
async def test_only_the_message_that_nobody_takes_fails() -> None:
    """A mandatory message without a queue is Unroutable; its neighbours are confirmed."""
    async with linked() as owner:
        keys = ["key", "nobody", "key", "nobody"]
        outcomes = await asyncio.gather(
            *(owner.link.publish("exchange", key, b"same", mandatory=True) for key in keys),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [
            *(type(None), Unroutable),
            *(type(None), Unroutable),
        ]
        await owner.link.publish("exchange", "nobody", b"optional")


@in_event_loop
async def test_checking_for_a_queue_costs_nothing() -> None:
    """A missing queue is QueueMissing, and the link goes on as if nothing had been asked."""
    async with linked() as owner:
        with pytest.raises(QueueMissing) as caught:
            await owner.link.topology.declare_queue("other", passive=True)
        assert caught.value.code == 404
        with pytest.raises(QueueMissing):
            await owner.link.topology.declare_exchange("other", passive=True)
        assert await owner.link.topology.declare_queue("queue", passive=True) == QueueDepth(0, 1)
        await owner.link.publish("exchange", "key", b"still here")
        assert (await owner.next()).body == b"still here"
        assert (owner.opened, owner.lost) == (1, 0)


@in_event_loop
async def test_a_refused_queue_costs_its_asker_alone() -> None:
    """Others that ask at the same time have what they want, and the link goes on."""
    async with linked() as owner:
        topology = owner.link.topology
        publishing = owner.link.publish("exchange", "key", b"under way")
        outcomes = await asyncio.gather(
            topology.declare_queue("one"),
            topology.declare_queue("queue", durable=False),
            topology.declare_queue("two"),
            topology.declare_queue("amq.reserved"),
            topology.delete_queue("one"),
            return_exceptions=True,
        )
        kinds = [getattr(outcome, "code", type(outcome)) for outcome in outcomes]
        assert kinds == [QueueDepth, 406, QueueDepth, 403, type(None)]
        await publishing
        assert (await owner.next()).body == b"under way"
        assert (owner.opened, owner.lost) == (1, 0)


@in_event_loop
async def test_a_lost_link_comes_back() -> None:
    """What is unconfirmed fails, the owner is told at once, and consumes again by itself."""
    async with linked() as owner:
        await owner.link.publish("exchange", "key", b"unacknowledged")
        first = await owner.next()
        assert not first.redelivered
        # Publishing to an exchange that is not there makes the broker close the channel.
        with pytest.raises(LinkLost, match="not confirmed"):
            await owner.link.publish("missing", "key", b"")
        assert owner.lost == 1
        with pytest.raises(LinkLost, match="no link"):
            await owner.link.publish("exchange", "key", b"too early")
        again = await owner.next()
        assert (again.body, again.redelivered) == (b"unacknowledged", True)
        assert owner.opened == 2
        # A tag of the first connection means nothing on the second: were it sent, the broker
        # would take it for the second delivery's.
        assert again.delivery_tag > first.delivery_tag
        owner.link.ack(first.delivery_tag)
        owner.link.nack(again.delivery_tag)
        third = await owner.next()
        assert (third.body, third.redelivered) == (b"unacknowledged", True)


@in_event_loop
async def test_a_cancelled_consumer_is_a_lost_link() -> None:
    """When its queue is deleted, the owner makes it again."""
    async with linked() as owner:
        await owner.link.topology.delete_queue("queue")
        async with asyncio.timeout(10):
            await owner.reopened.wait()
        await owner.link.publish("exchange", "key", b"new")
        assert (await owner.next()).body == b"new"


@in_event_loop
async def test_cancel_leaves_messages_in_the_queue() -> None:
    """After cancel nothing is delivered any more."""
    async with linked() as owner:
        await owner.link.cancel(owner.consumer_tag)
        await owner.link.publish("exchange", "key", b"stays")
        assert await owner.link.topology.declare_queue("queue", passive=True) == QueueDepth(1, 0)
        assert owner.deliveries.empty()


@in_event_loop
async def test_what_on_open_raises_ends_start() -> None:
    """A queue that somebody else consumes exclusively is the caller's to know about."""
    async with linked(exclusive=True) as owner:
        with pytest.raises(ChannelRefused) as caught:
            await Owner(owner.url, exclusive=True).link.start()
        assert caught.value.code == 403


@in_event_loop
async def test_refused_credentials_are_final_and_secret() -> None:
    """A wrong password ends start at once, and is not in the error."""
    async with broker() as url:
        with pytest.raises(LinkRefused) as caught:
            await Owner(url.replace("secret", "guessed")).link.start()
        assert "guessed" not in str(caught.value)


@in_event_loop
async def test_a_broker_that_is_not_there() -> None:
    """Start gives up after its time, and says where it looked and what happened."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        link = AmqpLink(f"amqp://user:secret@127.0.0.1:{port}/%2F", on_open=_do_nothing)
        with pytest.raises(LinkUnreachable, match=f"127.0.0.1:{port}") as caught:
            await link.start(timeout_s=0.1)
        assert "ConnectionRefusedError" in str(caught.value.__cause__)


async def _do_nothing(_link: AmqpLink) -> None:
    pass


@in_event_loop
async def test_a_link_gives_up_after_so_many_failures() -> None:
    """When the broker goes for good, whoever waits for the end of the link is told."""
    async with broker() as url:
        link = AmqpLink(url, on_open=_do_nothing, max_failures=0)
        await link.start()
    async with asyncio.timeout(10):
        assert isinstance(await link.wait_broken(), LinkLost)
    await link.stop()


@pytest.mark.parametrize("after_s", [0.0, 0.005, 0.05])
@in_event_loop
async def test_a_link_can_be_stopped_while_it_connects(after_s: float) -> None:
    """Also in the middle of the handshake, to which this broker never answers; it hangs up."""
    connected: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    server = await asyncio.start_server(
        lambda reader, writer: connected.append((reader, writer)), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    link = AmqpLink(f"amqp://u:p@127.0.0.1:{port}/", on_open=_nothing)
    async with asyncio.timeout(10):
        with pytest.raises(LinkUnreachable):
            await link.start(timeout_s=after_s)
        for reader, _ in connected:
            await reader.read()  # to the end: the socket was closed
    for _, writer in connected:
        writer.close()
        await writer.wait_closed()
    server.close()


async def _nothing(_link: AmqpLink) -> None:
    """Do nothing with an open link."""


@in_event_loop
async def test_many_queues_are_declared_at_a_time() -> None:
    """All of them are there when it returns, more than one page of them included."""
    names = [f"queue-{n}" for n in range(1, 1202)]
    async with linked() as owner:
        await owner.link.topology.declare_queues(names, arguments={"x-expires": 60_000})
        for name in (names[0], names[499], names[500], names[-1]):
            assert await owner.link.topology.declare_queue(name, passive=True) == QueueDepth(0, 0)
        await owner.link.topology.declare_queues([])


@in_event_loop
async def test_one_of_many_queues_that_differs_is_refused() -> None:
    """Although the broker was not asked about that one."""
    async with linked() as owner:
        await owner.link.topology.declare_queue("differs", arguments={"x-expires": 1000})
        with pytest.raises(ChannelRefused):
            await owner.link.topology.declare_queues(
                ["one", "differs", "three"], arguments={"x-expires": 2000}
            )
