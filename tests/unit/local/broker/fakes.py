"""Stand-ins for what surrounds a queue: messages, consumers, channels."""

from __future__ import annotations

from dataclasses import dataclass, field

from gcompute.local.broker.deliveries import Deliveries, Subscription
from gcompute.local.broker.queue import Entry, Message


def message(body: str, ttl_s: float | None = None) -> Message:
    """Return a message without properties."""
    return Message("", "queue", b"\x00\x00", body.encode(), ttl_s)


@dataclass
class FakeConsumer:
    """A consumer that is ready when the test says so."""

    ready: bool = True
    exclusive: bool = False
    got: list[Entry] = field(default_factory=list)

    def deliver(self, entry: Entry) -> None:
        """Keep the entry."""
        self.got.append(entry)

    def queue_deleted(self) -> None:
        """Do nothing."""


class FakeChannel:
    """A channel that keeps what its subscriptions get."""

    def __init__(self) -> None:
        self.deliveries = Deliveries()
        self.congested = False
        self.sent: list[tuple[int, Entry]] = []

    def send_delivery(self, subscription: Subscription, entry: Entry) -> None:
        """Note the delivery."""
        tag = self.deliveries.add(entry, subscription, settled=subscription.no_ack)
        self.sent.append((tag, entry))

    def subscription_ended(self, subscription: Subscription) -> None:
        """Do nothing."""
