"""Numbered messages on their way to the broker, and the news of which it has.

In go messages with the numbers of their tasks; out, in one call a turn of the event loop, go
the numbers that the broker has confirmed. What the broker did not confirm before the link broke
is forgotten here: it still is in the store, and whoever owns it publishes it again when the link
is back, leaving out what is on its way (``number in outbox``).

A broker that is full stops reading, and confirms nothing more. So only so many bytes are on their
way: while :attr:`Outbox.takes` says no, messages stay in the store, and the owner is asked to
publish them (``send_rest``) when there is room again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from .amqp import AmqpLink, LinkLost

log = logging.getLogger(__name__)

#: Bytes that may be on their way to the broker.
_WINDOW = 32 * 2**20


class Outbox:
    """Messages that are published and not confirmed.

    Args:
        link: where to publish; when it is down nothing is sent.
        on_confirmed: told the numbers of messages that the broker has.
        send_rest: publishes what was left in the store, and waits for room where it must.
        window: bytes that may be on their way.
    """

    def __init__(
        self,
        link: AmqpLink,
        on_confirmed: Callable[[list[int]], None],
        send_rest: Callable[[], Awaitable[None]],
        *,
        window: int = _WINDOW,
    ) -> None:
        self._link = link
        self._on_confirmed = on_confirmed
        self._send_rest = send_rest
        self._window = window
        #: Published, and not told as confirmed.
        self._in_flight: set[int] = set()
        self._bytes = 0
        #: Set while there is room; one that waits goes on when half of the window is free.
        self._has_room = asyncio.Event()
        self._has_room.set()
        #: Sends what was left in the store.
        self._catching_up: asyncio.Task[None] | None = None
        #: Confirmed, and not told yet; a call of ``_tell`` is due while there are any.
        self._confirmed: list[int] = []

    def __contains__(self, number: int) -> bool:
        return number in self._in_flight

    @property
    def takes(self) -> bool:
        """Whether a message may be published now, before those that are left in the store."""
        return self._catching_up is None and self._has_room.is_set()

    async def room(self) -> None:
        """Wait until there is room."""
        await self._has_room.wait()

    def leave(self) -> None:
        """Note that a message is left in the store; it is sent when there is room."""
        if self._catching_up is None:
            self._catching_up = asyncio.create_task(self._catch_up(), name="gcompute-catching-up")

    async def _catch_up(self) -> None:
        try:
            await self.room()
            await self._send_rest()
        except Exception:
            log.exception("what was left in the store could not be sent")
        finally:
            self._catching_up = None

    def publish(
        self, number: int, exchange: str, routing_key: str, body: bytes, properties: dict[str, Any]
    ) -> asyncio.Future[None]:
        """Send a message; the future is that of the link."""
        self._in_flight.add(number)
        self._bytes += len(body)
        if self._bytes > self._window:
            self._has_room.clear()
        future = self._link.publish(exchange, routing_key, body, properties=properties)
        future.add_done_callback(partial(self._settle, number, len(body)))
        return future

    def _settle(self, number: int, size: int, future: asyncio.Future[None]) -> None:
        self._bytes -= size
        if self._bytes <= self._window // 2:
            self._has_room.set()
        if not future.cancelled() and future.exception() is None:
            # It stays in flight until its owner knows, who would else publish it again.
            if not self._confirmed:
                asyncio.get_running_loop().call_soon(self._tell)
            self._confirmed.append(number)
            return
        self._in_flight.discard(number)
        if not future.cancelled() and not isinstance(future.exception(), LinkLost):
            log.error("message %d was not taken: %s", number, future.exception())

    def _tell(self) -> None:
        confirmed, self._confirmed = self._confirmed, []
        if not confirmed:
            # They were told when the owner went away.
            return
        self._in_flight.difference_update(confirmed)
        self._on_confirmed(confirmed)

    def flush(self) -> None:
        """Tell what is confirmed now, before the owner goes away, and send nothing more."""
        if self._catching_up is not None:
            self._catching_up.cancel()
        if self._confirmed:
            self._tell()


def ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Sum up numbers as ranges, both ends included: ``[3, 1, 2, 7]`` is ``[(1, 3), (7, 7)]``."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and number <= found[-1][1] + 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found
