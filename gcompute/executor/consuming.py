"""Consuming the result queue of one task group, on a channel of its own.

Everything here runs on the connection's thread, except :meth:`QueueConsumer.hold`. What can
fail: the broker closes the channel (the queue is gone, or not ours) or cancels the consumer
(the queue was deleted). The listener hears of it, and another channel is opened after a while,
for as long as the connection is there.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gcompute.backoff import Backoff
from gcompute.executor.acknowledging import Acknowledgements

if TYPE_CHECKING:
    import pika
    from pika.channel import Channel

log = logging.getLogger(__name__)

#: Deliveries that may be on their way to a future at once; bounds the memory they take.
PREFETCH = 512

#: A message of so many bytes is dealt with before more are read.
_LARGE_BYTES = 64 * 1024


class Token(NamedTuple):
    """What names a delivery to the stream it came from."""

    consumer: QueueConsumer
    tag: int


@dataclass(slots=True, eq=False)
class Delivery:
    """A message of a result queue.

    Attributes:
        group: the task group.
        token: what to acknowledge it with.
        body: the message (see :mod:`gcompute.messages`), until it is taken.
        completed_at: when the task finished, Unix time in seconds, where the service says so.
        high_assurance: the result itself must be fetched over HTTP.
    """

    group: str
    token: Token
    body: bytes
    completed_at: int | None
    high_assurance: bool

    def take_body(self) -> bytes:
        """Give the message, and hold it no longer: it may be large."""
        body, self.body = self.body, b""
        return body


class ConsumerListener(Protocol):
    """Who is told what comes of it; see :class:`gcompute.executor.stream.StreamListener`."""

    def delivered(self, delivery: Delivery) -> None:
        """Take a message."""

    def digest(self) -> None:
        """Deal with what was delivered, for a moment, before more is read."""

    def consuming(self, task_group_id: str) -> None:
        """Hear that the queue is consumed, now or again."""

    def interrupted(self, task_group_id: str, reason: str) -> None:
        """Hear that it is not."""


class QueueConsumer:
    """Consumes a queue as long as its connection lives.

    Args:
        connection: an open connection.
        queue_prefix: what the name of the queue begins with.
        group: the task group, whose id ends the name.
        listener: is told what comes of it.
    """

    def __init__(
        self,
        connection: pika.SelectConnection,
        queue_prefix: str,
        group: str,
        listener: ConsumerListener,
    ) -> None:
        self.group = group
        self._connection = connection
        self._queue = f"{queue_prefix}{group}"
        self._listener = listener
        self._backoff = Backoff()
        #: When the queue came to be consumed; ``None`` while it is not.
        self._consuming_since: float | None = None
        self._channel: Channel | None = None
        self._wanted = True
        self._last_tag = 0
        #: Guards what follows. Tags are counted on from channel to channel.
        self._lock = threading.Lock()
        #: The last tag of the channel before: it and those before it mean nothing any more.
        self._first_tag = 0
        self._acknowledgements = Acknowledgements()
        self._open()

    def hold(self, tag: int) -> None:
        """Leave a delivery unacknowledged for now."""
        with self._lock:
            if tag > self._first_tag:
                self._acknowledgements.held(tag)

    def handled(self, tag: int) -> None:
        """Note that a delivery is done with; :meth:`acknowledge` tells the broker."""
        with self._lock:
            self._acknowledgements.handled(tag)

    def acknowledge(self) -> None:
        """Tell the broker what was handled."""
        with self._lock:
            tags = self._acknowledgements.take()
        if self._channel is not None and self._channel.is_open:
            for tag, multiple in tags:
                if tag > self._first_tag:
                    self._channel.basic_ack(tag - self._first_tag, multiple=multiple)

    def release(self, tag: int) -> None:
        """Give a held delivery back, unless it was handled meanwhile."""
        with self._lock:
            held = self._acknowledgements.release(tag)
        if held and self._channel is not None and self._channel.is_open and tag > self._first_tag:
            self._channel.basic_nack(tag - self._first_tag, requeue=True)

    def close(self) -> None:
        """Consume no more; what was not acknowledged goes back to the queue."""
        self._wanted = False
        if self._channel is not None and self._channel.is_open:
            self._channel.close(0, "the queue is not needed")

    def _open(self) -> None:
        if self._wanted and self._connection.is_open:
            self._connection.channel(on_open_callback=self._on_open)

    def _on_open(self, channel: Channel) -> None:
        self._channel = channel
        if not self._wanted:
            channel.close(0, "the queue is not needed")
            return
        with self._lock:
            self._first_tag = self._last_tag
            self._acknowledgements = Acknowledgements()
        channel.add_on_close_callback(self._on_closed)
        channel.add_on_cancel_callback(self._on_cancelled)
        channel.basic_qos(prefetch_count=PREFETCH)
        channel.basic_consume(self._queue, self._on_message, callback=self._on_consuming)

    def _on_consuming(self, _frame: object) -> None:
        self._consuming_since = time.monotonic()
        self._listener.consuming(self.group)

    def _on_message(self, _channel: Channel, method: Any, properties: Any, body: bytes) -> None:
        self._last_tag = self._first_tag + method.delivery_tag
        headers = properties.headers
        self._listener.delivered(
            Delivery(
                self.group,
                Token(self, self._last_tag),
                body,
                properties.timestamp,
                bool(headers and headers.get("high_assurance")),
            )
        )
        if len(body) >= _LARGE_BYTES:  # pika holds it until this returns, and then would read more
            self._connection.ioloop.call_later(0, self._listener.digest)

    def _on_cancelled(self, _frame: object) -> None:
        log.info("the broker cancelled the consumer of task group %s", self.group)
        if self._channel is not None and self._channel.is_open:
            self._channel.close(0, "the consumer was cancelled")

    def _on_closed(self, _channel: Channel, reason: Exception) -> None:
        since, self._consuming_since = self._consuming_since, None
        good_for_s = 0.0 if since is None else time.monotonic() - since
        self._channel = None
        if self._wanted and self._connection.is_open:
            log.info("the result queue of task group %s was closed: %s", self.group, reason)
            self._listener.interrupted(self.group, str(reason))
            self._connection.ioloop.call_later(self._backoff.next_s(good_for_s), self._open)
