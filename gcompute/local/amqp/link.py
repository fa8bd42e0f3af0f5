"""One AMQP connection, for an asyncio program, that comes back by itself.

::

      owner                      AmqpLink                          broker
        |  publish() -> Future      |  numbered in Confirms           |
        |-------------------------->|-------------------------------->|
        |          done, or failed  |  ack, nack, return, loss        |
        |<--------------------------|<--------------------------------|
        |  on_delivery(Delivery)    |  a consumer's messages          |
        |<--------------------------|<--------------------------------|
        |  ack(), nack()            |                                 |
        |-------------------------->|-------------------------------->|

A supervising task connects, opens the channel, turns on publisher confirms, and awaits the
owner's ``on_open(link)``, which declares and consumes and publishes again what it had not seen
confirmed. Then it waits for the loss of the link, fails what is pending, waits as
:class:`~gcompute.backoff.Backoff` says, and starts over. Lost means: the connection or
the channel closed, the broker cancelled a consumer, or it refused a message with a nack. In each
case the link starts over from a new connection, so that there is one way back and not four.
Exchanges and queues are made over another channel (:attr:`AmqpLink.topology`): what the broker
refuses there is its asker's alone to know.

Who owns what: the link owns the connection and the numbering, the owner owns the messages. A
publishing that fails with :class:`LinkLost` may or may not have arrived; the owner publishes it
again from ``on_open``, and a receiver must bear to see it twice. Delivery tags are made unique
across reconnections: an ``ack`` for a message of a former connection does nothing, since the
broker has queued that message again.

What can fail: :class:`LinkRefused` (credentials or virtual host) ends the link for good, as
neither heals by itself. Everything else is tried again, up to ``max_failures`` times in a row.
An error that ``on_open`` raises ends :meth:`AmqpLink.start`, and is tried again later on.

Everything runs in the thread of the event loop; nothing here may be called from another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pika

from gcompute.backoff import Backoff

from .channel import Channel, Delivery, fail
from .connection import connect, describe, disconnect
from .errors import LinkError, LinkLost, LinkRefused, LinkUnreachable
from .publishing import Publisher
from .topology import Topology

log = logging.getLogger(__name__)


class AmqpLink:
    """A connection to a broker that lasts as long as its owner wants.

    Args:
        url: ``amqp://user:password@host:port/vhost`` or ``amqps://...``; logged without the
            credentials.
        on_open: awaited with the link each time it is up again.
        on_lost: called each time it breaks, at once; messages that were delivered and not
            acknowledged are then the broker's again, and will be delivered anew.
        name: what the log calls this link.
        max_failures: failures in a row after which the link gives up.
    """

    def __init__(
        self,
        url: str,
        *,
        on_open: Callable[[AmqpLink], Awaitable[None]],
        on_lost: Callable[[], None] | None = None,
        name: str = "link",
        max_failures: int = 7200,
    ) -> None:
        self._parameters = pika.URLParameters(url)
        #: The broker's host, port and virtual host.
        self.where = describe(self._parameters)
        self.name = name
        self._on_open = on_open
        self._on_lost = on_lost
        self._max_failures = max_failures
        self._back_off = Backoff(limit_s=10.0)
        self._supervisor: asyncio.Task[None] | None = None
        self._connection: Any = None
        #: All are set while messages can be published.
        self._channel: Channel | None = None
        self._publisher: Publisher | None = None
        self._topology: Topology | None = None
        #: Done when the present connection is of no more use; its result says why.
        self._loss: asyncio.Future[LinkError]
        #: Done when ``on_open`` ran for the first time.
        self._first_open: asyncio.Future[None]
        #: Done when the link gave up; its result says why.
        self._broken: asyncio.Future[LinkError]
        self._last_failure: Exception | None = None
        #: The highest delivery tag of former connections, and of all.
        self._tag_base = 0
        self._last_tag = 0

    # -- the life of the link ---------------------------------------------------------------

    async def start(self, *, timeout_s: float = 30.0) -> None:
        """Connect, and return when ``on_open`` has run.

        Raises:
            LinkRefused: the broker does not accept the credentials or the virtual host.
            LinkUnreachable: no broker answered within ``timeout_s`` seconds.
            Exception: whatever ``on_open`` raised.
        """
        loop = asyncio.get_running_loop()
        self._first_open, self._broken = loop.create_future(), loop.create_future()
        self._supervisor = loop.create_task(self._supervise(), name=f"gcompute-amqp-{self.name}")
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._first_open)
        except BaseException as error:
            await self.stop()
            if isinstance(error, TimeoutError):
                failure = self._last_failure
                last = "" if failure is None else f". The last try: {failure}"
                raise LinkUnreachable(
                    f"no AMQP broker answered at {self.where} within {timeout_s:g} s: "
                    f"check that it runs, and its host and port{last}"
                ) from failure
            raise

    async def stop(self) -> None:
        """Close the connection; what is not confirmed by now fails with ``LinkLost``."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait([supervisor])

    @property
    def is_open(self) -> bool:
        """Whether messages can be published now."""
        return self._channel is not None

    async def wait_broken(self) -> LinkError:
        """Wait until the link gave up for good, and give the reason."""
        return await asyncio.shield(self._broken)

    async def _supervise(self) -> None:
        while True:
            cause: Exception
            try:
                cause, good_for_s = await self._live_once()
            except Exception as error:
                if self._supervisor is None:
                    raise asyncio.CancelledError from error  # what failed is the end itself
                cause, good_for_s = error, 0.0
                self._last_failure = error
            if self._gave_up(cause):
                return
            delay_s = self._back_off.next_s(good_for_s)
            log.warning("%s: no link to %s: %s", self.name, self.where, cause)
            log.info("%s: next attempt in %.1f s", self.name, delay_s)
            await asyncio.sleep(delay_s)

    async def _live_once(self) -> tuple[LinkError, float]:
        """Connect, and stay until the link is lost; give why, and for how many s it was good."""
        loop = asyncio.get_running_loop()
        self._loss = loop.create_future()
        try:
            await self._open()
            await self._on_open(self)
            opened_at = loop.time()
            log.info("%s: linked to %s", self.name, self.where)
            if not self._first_open.done():
                self._first_open.set_result(None)
            return await self._loss, loop.time() - opened_at
        finally:
            self._lose(LinkLost("the link was closed"))
            connection, self._connection = self._connection, None
            if connection is not None:
                await disconnect(connection)

    def _gave_up(self, cause: Exception) -> bool:
        """Settle what ``start`` and ``wait_broken`` wait for, if this failure is final."""
        final = isinstance(cause, LinkRefused) or self._back_off.failures >= self._max_failures
        if not self._first_open.done() and (final or not isinstance(cause, LinkLost)):
            self._first_open.set_exception(cause)
            return True
        if final:
            reason = cause if isinstance(cause, LinkError) else LinkLost(str(cause))
            log.error("%s: gave up on %s: %s", self.name, self.where, reason)
            self._broken.set_result(reason)
        return final

    async def _open(self) -> None:
        self._connection = await connect(self._parameters, on_close=self._lose)
        channel = Channel(self._connection, on_close=self._lose)
        await channel.opened
        channel.raw.add_on_cancel_callback(
            lambda _frame: self._lose(LinkLost("the broker cancelled a consumer"))
        )
        publisher = Publisher(channel, on_refused=self._lose)
        await publisher.start(channel)
        self._tag_base = self._last_tag
        self._channel, self._publisher = channel, publisher
        self._topology = Topology(self._connection)

    def _lose(self, cause: LinkError) -> None:
        """Give up the present connection, and fail what waits for its answers."""
        publisher, self._channel, self._publisher = self._publisher, None, None
        self._topology = None
        if not self._loss.done():
            self._loss.set_result(cause)
        if publisher is not None:
            publisher.close(cause)
            if self._on_lost is not None:
                self._on_lost()

    # -- exchanges and queues ---------------------------------------------------------------

    @property
    def topology(self) -> Topology:
        """The broker's exchanges and queues, over the present connection.

        Raises:
            LinkLost: there is none.
        """
        if self._topology is None:
            raise LinkLost(f"there is no link to {self.where} at the moment")
        return self._topology

    def _open_channel(self) -> Channel:
        if self._channel is None:
            raise LinkLost(f"there is no link to {self.where} at the moment")
        return self._channel

    # -- publishing -------------------------------------------------------------------------

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        properties: dict[str, Any] | None = None,
        mandatory: bool = False,
    ) -> asyncio.Future[None]:
        """Send a message.

        Args:
            properties: AMQP properties by the names of ``pika.BasicProperties``, such as
                ``{"delivery_mode": 2, "headers": {...}}``.
            mandatory: have the message back where no queue takes it.

        Returns:
            A future that is done when the broker has confirmed the message. It fails with
            ``LinkLost`` when the link broke (or is down now), with ``Unroutable`` when a
            mandatory message came back.
        """
        if self._publisher is not None:
            return self._publisher.publish(exchange, routing_key, body, properties, mandatory)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        fail(future, LinkLost(f"there is no link to {self.where} at the moment"))
        return future

    # -- consuming --------------------------------------------------------------------------

    async def consume(
        self,
        queue: str,
        on_delivery: Callable[[Delivery], None],
        *,
        exclusive: bool = False,
        prefetch: int = 0,
    ) -> str:
        """Have a queue's messages delivered, until the link is lost; give the consumer tag.

        Args:
            on_delivery: called with each message, in order. What it raises is logged.
            exclusive: be the only consumer.
            prefetch: how many unacknowledged messages to hold at most; 0 for no limit.

        Raises:
            QueueMissing: there is no such queue.
            ChannelRefused: someone else consumes it exclusively, or it is forbidden.
            LinkLost: the link broke before the answer came.
        """
        channel = self._open_channel()
        base = self._tag_base

        def on_message(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
            tag = self._last_tag = base + method.delivery_tag
            delivery = Delivery(
                delivery_tag=tag,
                body=body,
                headers=properties.headers or {},
                timestamp=properties.timestamp,
                redelivered=method.redelivered,
                routing_key=method.routing_key,
            )
            try:
                on_delivery(delivery)
            except Exception:
                log.exception("%s: a message of queue %s was not handled", self.name, queue)

        if prefetch:
            await channel.call("basic_qos", prefetch_count=prefetch)
        method = await channel.call(
            "basic_consume", queue=queue, on_message_callback=on_message, exclusive=exclusive
        )
        return str(method.consumer_tag)

    async def cancel(self, consumer_tag: str) -> None:
        """End a consumer; what arrives in between goes back to the queue."""
        await self._open_channel().call("basic_cancel", consumer_tag=consumer_tag)

    async def catch_up(self) -> None:
        """Return when everything has arrived that the broker had delivered before this call."""
        # An answer on the channel of the deliveries comes after them, whatever was asked; this
        # setting is for consumers that start later, and those set their own.
        await self._open_channel().call("basic_qos", prefetch_count=0)

    def ack(self, delivery_tag: int, multiple: bool = False) -> None:
        """Acknowledge a message, or all up to it; nothing happens if the link has since broken."""
        if self._channel is not None and delivery_tag > self._tag_base:
            self._channel.raw.basic_ack(delivery_tag - self._tag_base, multiple)

    def nack(self, delivery_tag: int, requeue: bool = True) -> None:
        """Hand a message back to its queue, or with ``requeue=False`` drop it."""
        if self._channel is not None and delivery_tag > self._tag_base:
            self._channel.raw.basic_nack(delivery_tag - self._tag_base, requeue=requeue)
