"""What a channel has delivered and not seen acknowledged, and for which consumers.

In: entries that queues hand out, and the client's acknowledgements. Out: the entries that an
acknowledgement settles. A `Subscription` is the consumer that a queue sees; it decides by its
prefetch limits and the connection's buffer whether it takes a message. Delivery tags count from
1 on each channel.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple, Protocol

from .faults import PRECONDITION_FAILED, ChannelFault
from .queue import Entry, Queue


class Delivery(NamedTuple):
    """An entry on its way; `subscription` is None for one fetched with `basic.get`."""

    entry: Entry
    subscription: Subscription | None


class Deliveries:
    """The unacknowledged deliveries of one channel.

    `prefetch` limits how many of them consumers may have together, 0 does not.
    """

    def __init__(self) -> None:
        self.prefetch = 0
        self._last_tag = 0
        #: Ordered, because an acknowledgement of many takes from the front.
        self._unsettled: OrderedDict[int, Delivery] = OrderedDict()
        #: How many of them went to consumers.
        self._consumed = 0

    def __len__(self) -> int:
        return len(self._unsettled)

    @property
    def has_room(self) -> bool:
        """Whether the channel's prefetch allows one more delivery to a consumer."""
        return not self.prefetch or self._consumed < self.prefetch

    def add(self, entry: Entry, subscription: Subscription | None, *, settled: bool) -> int:
        """Return the tag of a new delivery, which is `settled` if no acknowledgement follows."""
        self._last_tag += 1
        if settled:
            entry.queue.consume(entry)
            return self._last_tag
        self._unsettled[self._last_tag] = Delivery(entry, subscription)
        if subscription is not None:
            self._consumed += 1
            subscription.unacknowledged += 1
        return self._last_tag

    def settle(self, tag: int, *, multiple: bool) -> list[Delivery]:
        """Remove the delivery `tag`, and with `multiple` all before it; tag 0 stands for the last.

        Raises:
            ChannelFault: 406 for a tag that is not outstanding; nothing has changed then.
        """
        if multiple and tag == 0:
            return self.settle_all()
        if tag not in self._unsettled:
            raise ChannelFault(PRECONDITION_FAILED, f"unknown delivery tag {tag}")
        if not multiple:
            return [self._settled(self._unsettled.pop(tag))]
        settled: list[Delivery] = []
        while self._unsettled and next(iter(self._unsettled)) <= tag:
            settled.append(self._settled(self._unsettled.popitem(last=False)[1]))
        return settled

    def settle_all(self) -> list[Delivery]:
        """Remove and return all deliveries, the oldest first."""
        settled = [self._settled(delivery) for delivery in self._unsettled.values()]
        self._unsettled.clear()
        return settled

    def _settled(self, delivery: Delivery) -> Delivery:
        if delivery.subscription is not None:
            self._consumed -= 1
            delivery.subscription.unacknowledged -= 1
        return delivery


class Receiver(Protocol):
    """The channel, as a subscription sees it."""

    deliveries: Deliveries

    @property
    def congested(self) -> bool:
        """Whether the connection has more to send than its client reads."""

    def send_delivery(self, subscription: Subscription, entry: Entry) -> None:
        """Send a message to the client."""

    def subscription_ended(self, subscription: Subscription) -> None:
        """Tell the client that its consumer is cancelled because the queue is gone."""


class Subscription:
    """A consumer of one channel: what `basic.consume` made.

    `prefetch` limits its unacknowledged deliveries, 0 does not.
    """

    def __init__(
        self,
        channel: Receiver,
        queue: Queue,
        tag: str,
        *,
        no_ack: bool,
        exclusive: bool,
        prefetch: int,
    ) -> None:
        self.queue = queue
        self.tag = tag
        self.no_ack = no_ack
        self.exclusive = exclusive
        self.unacknowledged = 0
        self._prefetch = prefetch
        self._channel = channel

    @property
    def ready(self) -> bool:
        """Whether it takes a message now."""
        if self._channel.congested:
            return False
        if self.no_ack:
            return True
        if self._prefetch and self.unacknowledged >= self._prefetch:
            return False
        return self._channel.deliveries.has_room

    def deliver(self, entry: Entry) -> None:
        """Send an entry to the client."""
        self._channel.send_delivery(self, entry)

    def queue_deleted(self) -> None:
        """Tell the client that there is nothing left to consume."""
        self._channel.subscription_ended(self)
