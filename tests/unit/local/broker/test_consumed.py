"""The broker tells its owner which messages clients have had."""

from __future__ import annotations

import asyncio

from gcompute.local.amqp import AmqpLink, Delivery
from gcompute.local.broker import Broker
from tests.support.event_loop import in_event_loop


class Consumer:
    """A link that consumes a queue, and publishes to it."""

    def __init__(self, broker: Broker) -> None:
        self.came: asyncio.Queue[Delivery] = asyncio.Queue()
        self.link = AmqpLink(broker.url("user"), on_open=self._open)

    async def _open(self, link: AmqpLink) -> None:
        await link.topology.declare_queue("queue")
        await link.consume("queue", self.came.put_nowait)

    async def exchange(self, **properties: object) -> int:
        """Publish a message, and give the tag that it arrives with."""
        await self.link.publish("", "queue", b"body", properties=properties)
        return (await self.came.get()).delivery_tag

    async def settled(self) -> None:
        """Return when the broker has heard what was said before."""
        await self.link.publish("", "nowhere", b"")


@in_event_loop
async def test_it_tells_of_what_is_acknowledged_or_rejected_for_good() -> None:
    """And neither of what goes back, nor of what has no name, nor of what is only delivered."""
    broker, told = Broker(), list[tuple[str, str]]()
    broker.add_user("user", "secret", configure=".*", write=".*", read=".*")
    broker.tell_consumed(lambda *consumed: told.append(consumed))
    await broker.start()
    consumer = Consumer(broker)
    async with asyncio.timeout(10):
        await consumer.link.start()
        consumer.link.ack(await consumer.exchange(message_id="one"))
        consumer.link.ack(await consumer.exchange())
        consumer.link.nack(await consumer.exchange(message_id="two"), requeue=False)
        back = await consumer.exchange(message_id="three", expiration="60000")
        consumer.link.nack(back)
        again = await consumer.came.get()
        await consumer.settled()
        assert told == [("queue", "one"), ("queue", "two")]
        consumer.link.ack(again.delivery_tag)
        await consumer.exchange(message_id="four")
        await consumer.settled()
        assert told[2:] == [("queue", "three")]
        await consumer.link.stop()
        await broker.stop()
    assert len(told) == 3
