"""Publishing on one channel with confirms: each message is a future.

In go messages, out go futures that are done when the broker has confirmed the message. One
publisher lives as long as its channel; :meth:`Publisher.close` fails what is unconfirmed.

A mandatory message that no queue takes comes back before its confirmation, and names neither
its number nor anything but exchange, routing key and body: the oldest unconfirmed message with
these three is the one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pika
from pika.exceptions import AMQPError

from .channel import Channel, fail
from .confirms import Confirms
from .errors import LinkError, LinkLost, Unroutable


@dataclass(slots=True)
class _Publishing:
    future: asyncio.Future[None]
    #: Exchange, routing key and body of a mandatory message.
    returnable: tuple[str, str, bytes] | None
    returned: Unroutable | None = None


class Publisher:
    """The unconfirmed messages of one channel.

    Args:
        channel: an open channel.
        on_refused: told when the broker answers a message with a nack, which says that it
            could not take it: nothing on this channel can be relied on any more.
    """

    def __init__(self, channel: Channel, *, on_refused: Callable[[LinkError], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._raw = channel.raw
        self._on_refused = on_refused
        self._confirms: Confirms[_Publishing] = Confirms()

    async def start(self, channel: Channel) -> None:
        """Turn on publisher confirms."""
        self._raw.add_on_return_callback(self._on_return)
        await channel.call("confirm_delivery", ack_nack_callback=self._on_confirm)

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: dict[str, Any] | None,
        mandatory: bool,
    ) -> asyncio.Future[None]:
        """Send a message; the future is done when it is confirmed."""
        future: asyncio.Future[None] = self._loop.create_future()
        try:
            self._raw.basic_publish(
                exchange,
                routing_key,
                body,
                properties=None if properties is None else pika.BasicProperties(**properties),
                mandatory=mandatory,
            )
        except AMQPError as error:
            fail(future, LinkLost(f"not sent: {error}"))
            return future
        returnable = (exchange, routing_key, body) if mandatory else None
        self._confirms.add(_Publishing(future, returnable))
        return future

    def close(self, cause: LinkError) -> None:
        """Fail what is unconfirmed."""
        for publishing in self._confirms.clear():
            fail(publishing.future, LinkLost(f"not confirmed: {cause}"))

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        if method.NAME != "Basic.Ack":
            self._on_refused(LinkLost("the broker refused to take a message (nack)"))
            return
        for publishing in self._confirms.settle(method.delivery_tag, multiple=method.multiple):
            if publishing.returned is not None:
                fail(publishing.future, publishing.returned)
            elif not publishing.future.done():
                publishing.future.set_result(None)

    def _on_return(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        """Mark a message that came back; its confirmation follows."""
        returned = (method.exchange, method.routing_key, body)
        found = self._confirms.find(lambda p: p.returned is None and p.returnable == returned)
        if found is not None:
            found.returned = Unroutable(
                f"exchange {method.exchange!r} has no queue for routing key "
                f"{method.routing_key!r} ({method.reply_text})"
            )
