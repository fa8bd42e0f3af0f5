"""One channel: publishing, consuming, acknowledging and confirming.

In: decoded methods and content frames of one channel number. Out: changes to the virtual host,
and replies through the connection. `_HANDLERS` and `Topology.handles` are the whole list of what
a client may ask for; a method that is in neither is a fault. Every handler either completes or
raises a fault before it has changed anything; the connection turns the fault into `channel.close`
or `connection.close`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from .codec import spec
from .deliveries import Deliveries, Delivery, Subscription
from .faults import (
    ACCESS_REFUSED,
    NO_ROUTE,
    NOT_ALLOWED,
    NOT_IMPLEMENTED,
    PRECONDITION_FAILED,
    UNEXPECTED_FRAME,
    ChannelFault,
    ConnectionFault,
)
from .limits import BrokerLimits
from .publishing import Confirms, ContentAssembler, Publication, Unfinished, read_properties
from .queue import Entry, Message, Queue
from .topology import Topology, require
from .users import Right, User
from .vhost import VirtualHost


class Link(Protocol):
    """The connection, as a channel sees it."""

    #: Whether the client asked to be told when the broker cancels its consumer.
    notify_cancel: bool
    #: Whether a message was published since the owner last cleared it.
    has_published: bool

    @property
    def congested(self) -> bool:
        """Whether the client reads more slowly than it is sent to."""

    def send(self, channel: int, method: Any) -> None:
        """Send a method."""

    def send_content(self, channel: int, method: Any, properties: bytes, body: bytes) -> None:
        """Send a method with a message."""

    def confirm_later(self, channel: Channel) -> None:
        """Call `send_confirms` when the bytes at hand are worked off."""


class Usage:
    """What the channels of one connection have together, of what its limits allow."""

    def __init__(self, limits: BrokerLimits) -> None:
        self.unfinished = Unfinished(limits.max_message_size)
        self.consumers = 0
        self.max_consumers = limits.max_consumers


class Channel:
    """An open channel of a connection whose user is logged in."""

    def __init__(
        self, number: int, link: Link, vhost: VirtualHost, user: User, usage: Usage
    ) -> None:
        self.number = number
        #: Set when the broker has closed the channel and waits for the client's close-ok.
        self.closing = False
        self.deliveries = Deliveries()
        self._link = link
        self._vhost = vhost
        self._user = user
        self._topology = Topology(link, vhost, user)
        self._usage = usage
        self._content = ContentAssembler(usage.unfinished)
        self._confirms: Confirms | None = None
        self._subscriptions: dict[str, Subscription] = {}
        #: Prefetch that consumers get which start from now on.
        self._prefetch = 0

    # -- what the connection calls ------------------------------------------------------------

    def on_method(self, method: Any) -> None:
        """Handle a method; raises `ChannelFault` or `ConnectionFault`."""
        if self._content.busy:
            text = f"expected content of basic.publish, got {method.NAME}"
            raise ConnectionFault(UNEXPECTED_FRAME, text)
        handler = _HANDLERS.get(type(method))
        if handler is not None:
            handler(self, method)
        elif self._topology.handles(method):
            self._reply(method, self._topology.handle(method))
        else:
            raise ConnectionFault(NOT_IMPLEMENTED, f"{method.NAME} is not supported")

    def on_header(self, payload: bytes) -> None:
        """Handle a content header; raises `ChannelFault` or `ConnectionFault`."""
        if publication := self._content.header(payload):
            self._publish(publication)

    def on_body(self, payload: bytes) -> None:
        """Handle a content body; raises `ChannelFault` or `ConnectionFault`."""
        if publication := self._content.body(payload):
            self._publish(publication)

    def send_confirms(self) -> None:
        """Acknowledge to the publisher what has not been acknowledged."""
        if self._confirms is not None and (due := self._confirms.collect()):
            tag, multiple = due
            self._send(spec.Basic.Ack(delivery_tag=tag, multiple=multiple))

    def resume(self) -> None:
        """Deliver again, after a pause that the connection had asked for."""
        for subscription in list(self._subscriptions.values()):
            self._vhost.drain(subscription.queue)

    def release(self) -> None:
        """End the channel: requeue what is not acknowledged, give up the consumers."""
        self._content.abandon()
        subscriptions = list(self._subscriptions.values())
        self._usage.consumers -= len(subscriptions)
        self._subscriptions.clear()
        returned = self.deliveries.settle_all()
        for subscription in subscriptions:
            if not subscription.queue.deleted:
                subscription.queue.consumers.remove(subscription)
        self._requeue(returned)
        for queue in {subscription.queue for subscription in subscriptions}:
            self._vhost.consumer_left(queue)

    # -- what subscriptions call --------------------------------------------------------------

    @property
    def congested(self) -> bool:
        """Whether deliveries must wait for the connection."""
        return self._link.congested

    def send_delivery(self, subscription: Subscription, entry: Entry) -> None:
        """Send a message to a consumer."""
        message = entry.message
        tag = self.deliveries.add(entry, subscription, settled=subscription.no_ack)
        method = spec.Basic.Deliver(
            consumer_tag=subscription.tag,
            delivery_tag=tag,
            redelivered=entry.redelivered,
            exchange=message.exchange,
            routing_key=message.routing_key,
        )
        self._link.send_content(self.number, method, message.properties, message.body)

    def subscription_ended(self, subscription: Subscription) -> None:
        """Forget a consumer whose queue is gone, and tell a client that wants to know."""
        if self._forget(subscription.tag) and self._link.notify_cancel:
            self._send(spec.Basic.Cancel(consumer_tag=subscription.tag, nowait=True))

    # -- publishing ---------------------------------------------------------------------------

    def _basic_publish(self, method: Any) -> None:
        if method.immediate:
            raise ConnectionFault(NOT_IMPLEMENTED, "immediate=true")
        self._content.begin(method)

    def _publish(self, publication: Publication) -> None:
        method, properties, body = publication
        require(self._user, Right.WRITE, "exchange", method.exchange)
        exchange = self._vhost.exchange(method.exchange)
        if exchange.internal:
            text = f"cannot publish to internal exchange '{exchange.name}'"
            raise ChannelFault(ACCESS_REFUSED, text)
        stated = read_properties(properties, self._user.name)
        message = Message(exchange.name, method.routing_key, properties, body, *stated)
        queues = self._vhost.route(exchange, method.routing_key)
        self._link.has_published = True
        if queues:
            self._vhost.publish(message, queues)
        elif method.mandatory:
            returned = spec.Basic.Return(NO_ROUTE, "NO_ROUTE", exchange.name, method.routing_key)
            self._link.send_content(self.number, returned, properties, body)
        if self._confirms is not None:
            self._confirms.count()
            self._link.confirm_later(self)

    def _confirm_select(self, method: Any) -> None:
        self._confirms = self._confirms or Confirms()
        self._reply(method, spec.Confirm.SelectOk())

    # -- consuming ----------------------------------------------------------------------------

    def _basic_qos(self, method: Any) -> None:
        if method.prefetch_size:
            raise ConnectionFault(NOT_IMPLEMENTED, f"prefetch_size!=0 ({method.prefetch_size})")
        if method.global_qos:
            self.deliveries.prefetch = method.prefetch_count
        else:
            self._prefetch = method.prefetch_count
        self._send(spec.Basic.QosOk())
        self.resume()

    def _basic_consume(self, method: Any) -> None:
        name = self._topology.queue_name(method.queue)
        require(self._user, Right.READ, "queue", name)
        tag = method.consumer_tag or f"amq.ctag-{secrets.token_urlsafe(16)}"
        if tag in self._subscriptions:
            raise ConnectionFault(NOT_ALLOWED, f"attempt to reuse consumer tag '{tag}'")
        if self._usage.consumers >= self._usage.max_consumers:
            text = f"consumer limit of a connection ({self._usage.max_consumers}) is reached"
            raise ChannelFault(PRECONDITION_FAILED, text)
        queue = self._vhost.queue(name, self._link)
        subscription = Subscription(
            self,
            queue,
            tag,
            no_ack=method.no_ack,
            exclusive=method.exclusive,
            prefetch=self._prefetch,
        )
        self._vhost.add_consumer(queue, subscription)
        self._subscriptions[tag] = subscription
        self._usage.consumers += 1
        self._reply(method, spec.Basic.ConsumeOk(consumer_tag=tag))
        self._vhost.drain(queue)

    def _basic_cancel(self, method: Any) -> None:
        if subscription := self._forget(method.consumer_tag):
            self._vhost.remove_consumer(subscription.queue, subscription)
        self._reply(method, spec.Basic.CancelOk(consumer_tag=method.consumer_tag))

    def _forget(self, tag: str) -> Subscription | None:
        subscription = self._subscriptions.pop(tag, None)
        if subscription is not None:
            self._usage.consumers -= 1
        return subscription

    def _basic_cancel_ok(self, method: Any) -> None:
        """Clients may answer the broker's cancel, which asked for no answer."""

    def _basic_get(self, method: Any) -> None:
        name = self._topology.queue_name(method.queue)
        require(self._user, Right.READ, "queue", name)
        queue = self._vhost.queue(name, self._link)
        self._vhost.touch(queue)
        entry = queue.take(self._vhost.now)
        if entry is None:
            self._send(spec.Basic.GetEmpty())
            return
        message = entry.message
        reply = spec.Basic.GetOk(
            delivery_tag=self.deliveries.add(entry, None, settled=method.no_ack),
            redelivered=entry.redelivered,
            exchange=message.exchange,
            routing_key=message.routing_key,
            message_count=len(queue),
        )
        self._link.send_content(self.number, reply, message.properties, message.body)

    def _basic_ack(self, method: Any) -> None:
        settled = self.deliveries.settle(method.delivery_tag, multiple=method.multiple)
        for entry, _ in settled:
            entry.queue.consume(entry)
        self._deliver_more(settled)

    def _basic_nack(self, method: Any) -> None:
        self._reject(self.deliveries.settle(method.delivery_tag, multiple=method.multiple), method)

    def _basic_reject(self, method: Any) -> None:
        self._reject(self.deliveries.settle(method.delivery_tag, multiple=False), method)

    def _reject(self, settled: list[Delivery], method: Any) -> None:
        if method.requeue:
            self._requeue(settled)
        else:
            for entry, _ in settled:
                entry.queue.consume(entry)
        self._deliver_more(settled)

    def _basic_recover(self, method: Any) -> None:
        if not method.requeue:
            raise ConnectionFault(NOT_IMPLEMENTED, "requeue=false")
        settled = self.deliveries.settle_all()
        if isinstance(method, spec.Basic.Recover):
            self._send(spec.Basic.RecoverOk())
        self._requeue(settled)
        self._deliver_more(settled)

    def _requeue(self, returned: Iterable[Delivery]) -> None:
        by_queue: dict[Queue, list[Entry]] = {}
        for entry, _ in returned:
            by_queue.setdefault(entry.queue, []).append(entry)
        for queue, entries in by_queue.items():
            queue.requeue(entries)
            self._vhost.drain(queue)

    def _deliver_more(self, settled: list[Delivery]) -> None:
        """Deliver to consumers that settled deliveries had kept at their prefetch limit."""
        if self.deliveries.prefetch:
            self.resume()
            return
        for queue in {sub.queue for _, sub in settled if sub is not None}:
            self._vhost.drain(queue)

    # -- helpers ------------------------------------------------------------------------------

    def _channel_flow(self, method: Any) -> None:
        if not method.active:
            raise ConnectionFault(NOT_IMPLEMENTED, "active=false")
        self._send(spec.Channel.FlowOk(active=True))

    def _reply(self, method: Any, reply: Any) -> None:
        # `queue.unbind` has no such argument: it always waits.
        if not getattr(method, "nowait", False):
            self._send(reply)

    def _send(self, method: Any) -> None:
        self._link.send(self.number, method)


_HANDLERS: dict[type, Callable[[Channel, Any], None]] = {
    spec.Channel.Flow: Channel._channel_flow,
    spec.Basic.Publish: Channel._basic_publish,
    spec.Basic.Ack: Channel._basic_ack,
    spec.Basic.Nack: Channel._basic_nack,
    spec.Basic.Reject: Channel._basic_reject,
    spec.Basic.Qos: Channel._basic_qos,
    spec.Basic.Consume: Channel._basic_consume,
    spec.Basic.Cancel: Channel._basic_cancel,
    spec.Basic.CancelOk: Channel._basic_cancel_ok,
    spec.Basic.Get: Channel._basic_get,
    spec.Basic.Recover: Channel._basic_recover,
    spec.Basic.RecoverAsync: Channel._basic_recover,
    spec.Confirm.Select: Channel._confirm_select,
}
