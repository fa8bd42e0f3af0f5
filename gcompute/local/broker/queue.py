"""Queues: messages in order, the consumers that wait for them, and what may go to whom next.

In: messages, consumers, requeued entries, and the time in seconds of any monotonic clock. Out:
`(consumer, entry)` pairs to deliver. Nothing is sent here: the caller delivers what
`next_delivery` returns. A message is in exactly one place: ready in its queue, unacknowledged in
a channel, or gone; `Budget` counts the bytes of the first two.

All methods run on the broker's event loop. Nothing raises.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

#: Added to every message's size, so that messages without a body count as well, in bytes.
MESSAGE_OVERHEAD = 512


class Message(NamedTuple):
    """A published message as it passes through; `properties` are encoded as they arrived."""

    exchange: str
    routing_key: str
    properties: bytes
    body: bytes
    #: Lifetime in a queue that the publisher asked for, in seconds; None for unlimited.
    ttl_s: float | None = None
    #: What the publisher calls it, for whoever is told when it is consumed.
    message_id: str | None = None

    @property
    def size(self) -> int:
        """What the message costs in memory, about, in bytes."""
        return len(self.body) + len(self.properties) + MESSAGE_OVERHEAD


class Entry:
    """One message in one queue."""

    __slots__ = ("expires_at", "message", "queue", "redelivered", "sequence")

    def __init__(
        self, queue: Queue, sequence: int, message: Message, expires_at: float | None
    ) -> None:
        self.queue = queue
        #: Place in the queue's order of arrival; a requeued entry goes back to this place.
        self.sequence = sequence
        self.message = message
        self.expires_at = expires_at
        self.redelivered = False


class Consumer(Protocol):
    """What a queue knows of a consumer."""

    @property
    def exclusive(self) -> bool:
        """Whether it tolerates no other consumer."""

    @property
    def ready(self) -> bool:
        """Whether it takes a message now: prefetch and the connection's buffer allow it."""

    def deliver(self, entry: Entry) -> None:
        """Take over an entry that `Queue.next_delivery` handed out."""

    def queue_deleted(self) -> None:
        """Hear that the queue is gone."""


class Budget:
    """How many bytes of messages all queues hold together, and whether that is too much.

    `full` becomes true above `limit` and false again below 80 % of it, so that publishers are
    not stopped and started with every message.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.full = False

    def take(self, size: int) -> None:
        """Count a message that a queue has accepted."""
        self.used += size
        if self.used > self.limit:
            self.full = True

    def give_back(self, size: int) -> None:
        """Count a message that is gone."""
        self.used -= size
        if self.full and self.used <= self.limit * 0.8:
            self.full = False


class Limits(NamedTuple):
    """The queue arguments that are honoured; None where a queue has no such limit.

    `expires_s` removes a queue that nobody uses, `message_ttl_s` limits the life of a message,
    `max_length` (messages) and `max_bytes` (of bodies) drop the oldest ones.
    """

    expires_s: float | None = None
    message_ttl_s: float | None = None
    max_length: int | None = None
    max_bytes: int | None = None


class Queue:
    """One queue.

    `owner` is the connection that an exclusive queue belongs to, None for all others. The other
    attributes up to `limits` are those of `queue.declare` and never change.
    """

    def __init__(
        self,
        name: str,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        owner: object | None = None,
        arguments: Mapping[str, Any] | None = None,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        budget: Budget | None = None,
        on_consumed: Callable[[Entry], None] | None = None,
        now: float = 0.0,
    ) -> None:
        self.name = name
        self.durable = durable
        self.auto_delete = auto_delete
        self.owner = owner
        self.arguments = dict(arguments or {})
        self.limits = limits
        #: The consumers; the one at the front is asked first.
        self.consumers: deque[Consumer] = deque()
        #: Set by the virtual host that removed the queue; what comes back is dropped then.
        self.deleted = False
        #: When the queue was last declared or read or lost its last consumer.
        self.used_at = now
        self._budget = budget or Budget(limit=2**63)
        self._on_consumed = on_consumed
        #: Ready entries, by ascending sequence.
        self._ready: deque[Entry] = deque()
        self._ready_bytes = 0
        self._last_sequence = 0

    def __len__(self) -> int:
        """Count the ready messages."""
        return len(self._ready)

    @property
    def has_exclusive_consumer(self) -> bool:
        """Whether another consumer must be refused."""
        return any(consumer.exclusive for consumer in self.consumers)

    @property
    def unused_until(self) -> float | None:
        """When the queue expires if nothing happens; None if it does not."""
        if self.limits.expires_s is None or self.consumers:
            return None
        return self.used_at + self.limits.expires_s

    def put(self, message: Message, now: float) -> None:
        """Append a message; one over the queue's limits pushes the oldest out."""
        self._last_sequence += 1
        lifetimes = [t for t in (message.ttl_s, self.limits.message_ttl_s) if t is not None]
        expires_at = now + min(lifetimes) if lifetimes else None
        self._budget.take(message.size)
        self._ready.append(Entry(self, self._last_sequence, message, expires_at))
        self._ready_bytes += len(message.body)
        self._drop_overflow()

    def take(self, now: float) -> Entry | None:
        """Remove and return the oldest ready entry, None if there is none."""
        self.drop_expired(now)
        if not self._ready:
            return None
        entry = self._ready.popleft()
        self._ready_bytes -= len(entry.message.body)
        return entry

    def next_delivery(self, now: float) -> tuple[Consumer, Entry] | None:
        """Remove and return the oldest ready entry and the consumer whose turn it is.

        Consumers take turns; one that is not ready misses its turn. None when there is no
        message or no ready consumer.
        """
        for _ in range(len(self.consumers)) if self._ready else ():
            consumer = self.consumers[0]
            self.consumers.rotate(-1)
            if consumer.ready:
                entry = self.take(now)
                return (consumer, entry) if entry else None
        return None

    def requeue(self, entries: Iterable[Entry]) -> None:
        """Put delivered entries back to where they were, marked as redelivered."""
        returned = sorted(entries, key=_sequence)
        if self.deleted:
            for entry in returned:
                self.forget(entry)
            return
        for entry in returned:
            entry.redelivered = True
            self._ready_bytes += len(entry.message.body)
        if returned and self._ready and returned[-1].sequence > self._ready[0].sequence:
            # Two ascending runs: the sort merges them in linear time.
            self._ready = deque(sorted([*returned, *self._ready], key=_sequence))
        else:
            self._ready.extendleft(reversed(returned))
        self._drop_overflow()

    def forget(self, entry: Entry) -> None:
        """Give up an entry that was taken: it is consumed, or its queue is gone."""
        self._budget.give_back(entry.message.size)

    def consume(self, entry: Entry) -> None:
        """Give up an entry that was taken: a client has had it and wants it no more."""
        self.forget(entry)
        if self._on_consumed is not None:
            self._on_consumed(entry)

    def purge(self) -> int:
        """Drop the ready messages and return how many there were; unacknowledged ones stay."""
        count = len(self._ready)
        while self._ready:
            self._drop_oldest()
        return count

    def drop_expired(self, now: float) -> None:
        """Drop messages at the head that have outlived their lifetime."""
        while self._ready:
            expires_at = self._ready[0].expires_at
            if expires_at is None or expires_at > now:
                return
            self._drop_oldest()

    def _drop_overflow(self) -> None:
        _, _, max_length, max_bytes = self.limits
        while max_length is not None and len(self._ready) > max_length:
            self._drop_oldest()
        while max_bytes is not None and self._ready_bytes > max_bytes:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        entry = self._ready.popleft()
        self._ready_bytes -= len(entry.message.body)
        self.forget(entry)


def _sequence(entry: Entry) -> int:
    return entry.sequence
