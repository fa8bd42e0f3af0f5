"""The exchanges and queues of one connection's broker: made, bound, checked and deleted.

All of it goes over a channel of its own, which is opened when it is needed first. A broker that
refuses something closes the channel that it came on: so only the one who asked for it is told, and
messages on the other channel of the connection go on. The next call opens another channel.

Calls wait for each other, as the refusal of one would be taken for the answer to another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from .channel import Channel, QueueDepth

#: Queues that are declared before the broker is asked whether it has followed.
_AT_A_TIME = 500


class Topology:
    """What a broker has, as long as one connection lasts.

    Every method may raise ``ChannelRefused``: the broker does not allow it; and ``LinkLost``: the
    link broke before the answer came.

    Args:
        connection: an open pika connection.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()
        self._channel: Channel | None = None

    async def declare_exchange(
        self, name: str, kind: str = "topic", *, passive: bool = False, durable: bool = True
    ) -> None:
        """Make an exchange; with ``passive`` only check that it exists.

        Raises:
            QueueMissing: checked, and there is none.
        """
        if passive:
            await self._call("exchange_declare", exchange=name, passive=True)
        else:
            await self._call("exchange_declare", exchange=name, exchange_type=kind, durable=durable)

    async def declare_queue(
        self,
        name: str,
        *,
        passive: bool = False,
        durable: bool = True,
        arguments: dict[str, Any] | None = None,
    ) -> QueueDepth:
        """Make a queue; with ``passive`` only check that it exists.

        Raises:
            QueueMissing: checked, and there is none.
            ChannelRefused: it exists with other properties, or is forbidden.
        """
        method = await self._call(
            "queue_declare", queue=name, passive=passive, durable=durable, arguments=arguments
        )
        return QueueDepth(method.message_count, method.consumer_count)

    async def declare_queues(
        self, names: Sequence[str], *, arguments: dict[str, Any] | None = None
    ) -> None:
        """Make durable queues, many at a time: the broker is asked for an answer to the last alone.

        Raises:
            ChannelRefused: one exists with other properties, or is forbidden.
        """
        for start in range(0, len(names), _AT_A_TIME):
            *others, last = names[start : start + _AT_A_TIME]
            async with self._open() as channel:
                for name in others:
                    channel.send("queue_declare", queue=name, durable=True, arguments=arguments)
                await channel.call("queue_declare", queue=last, durable=True, arguments=arguments)

    async def bind_queue(self, queue: str, exchange: str, routing_key: str) -> None:
        """Have an exchange send what has a routing key (or topic pattern) to a queue."""
        await self._call("queue_bind", queue=queue, exchange=exchange, routing_key=routing_key)

    async def delete_queue(self, name: str) -> None:
        """Delete a queue with all that is in it."""
        await self._call("queue_delete", queue=name)

    async def delete_exchange(self, name: str) -> None:
        """Delete an exchange with its bindings."""
        await self._call("exchange_delete", exchange=name)

    async def _call(self, method: str, **arguments: Any) -> Any:
        async with self._open() as channel:
            return await channel.call(method, **arguments)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Channel]:
        """Give the channel to one call at a time."""
        async with self._turn:
            if self._channel is None or not self._channel.raw.is_open:
                self._channel = None
                channel = Channel(self._connection)
                await channel.opened
                self._channel = channel
            yield self._channel
