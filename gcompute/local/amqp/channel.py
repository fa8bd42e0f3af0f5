"""A pika channel whose methods can be awaited, and the values that come out of it.

In goes a method of ``pika.channel.Channel`` by name with its arguments, out comes the method of
the broker's answer. When the channel closes in place of an answer, every unanswered call fails
with the reason, translated from pika's errors to those of :mod:`gcompute.local.amqp.errors`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pika.exceptions import AMQPError, ChannelClosedByBroker

from .errors import ChannelRefused, LinkError, LinkLost, QueueMissing

_NOT_FOUND = 404


class QueueDepth(NamedTuple):
    """What a queue held when it was declared."""

    messages: int
    consumers: int


@dataclass(slots=True)
class Delivery:
    """A message that arrived."""

    #: For ``ack`` and ``nack``; unique over the life of the link.
    delivery_tag: int
    body: bytes
    headers: dict[str, Any]
    #: Unix time in seconds, where the sender gave it.
    timestamp: int | None
    redelivered: bool
    routing_key: str


class Channel:
    """A pika channel whose methods can be awaited.

    Args:
        connection: the pika connection.
        on_close: told why, when the channel closes by itself.
    """

    def __init__(
        self, connection: Any, *, on_close: Callable[[LinkError], None] | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_close = on_close
        #: Calls that the broker has not answered.
        self._calls: set[asyncio.Future[Any]] = set()
        self.opened: asyncio.Future[Any] = self._expect()
        try:
            self.raw = connection.channel(on_open_callback=self._answer_to(self.opened))
        except AMQPError as error:
            raise LinkLost(f"no channel: {error}") from error
        self.raw.add_on_close_callback(self._closed)

    def send(self, name: str, **arguments: Any) -> None:
        """Call a method of the channel that the broker is not to answer, unless it refuses.

        Raises:
            LinkLost: the channel is closed.
        """
        try:
            getattr(self.raw, name)(**arguments)
        except AMQPError as error:
            raise LinkLost(f"{name} was not sent: {error}") from error

    async def call(self, name: str, **arguments: Any) -> Any:
        """Call a method of the channel and give the method of the broker's answer.

        Raises:
            QueueMissing, ChannelRefused, LinkLost: the channel closed instead.
        """
        answer = self._expect()
        try:
            getattr(self.raw, name)(callback=self._answer_to(answer), **arguments)
        except AMQPError as error:
            fail(answer, LinkLost(f"{name} was not sent: {error}"))
        frame = await answer
        return frame.method

    def close(self) -> None:
        """Close without waiting for the answer."""
        if self.raw.is_open:
            self.raw.close()

    def _expect(self) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        self._calls.add(future)
        future.add_done_callback(self._calls.discard)
        return future

    @staticmethod
    def _answer_to(future: asyncio.Future[Any]) -> Callable[[Any], None]:
        def answer(frame: Any) -> None:
            if not future.done():
                future.set_result(frame)

        return answer

    def _closed(self, _channel: Any, reason: BaseException) -> None:
        error: LinkError
        if not isinstance(reason, ChannelClosedByBroker):
            error = LinkLost(f"the channel closed: {reason}")
        elif reason.reply_code == _NOT_FOUND:
            error = QueueMissing(reason.reply_text, code=reason.reply_code)
        else:
            error = ChannelRefused(reason.reply_text, code=reason.reply_code)
        for call in list(self._calls):
            fail(call, error)
        if self._on_close is not None:
            self._on_close(error)


def fail(future: asyncio.Future[Any], error: LinkError) -> None:
    if not future.done():
        future.set_exception(error)
        # An owner that publishes again from its own list need not look at the future: reading
        # the exception here keeps the loop from logging that nobody did.
        future.exception()
