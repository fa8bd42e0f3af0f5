"""Numbered messages on their way to the broker, and the news of which it has.

In go messages with the numbers of their tasks; out, in one call a turn of the event loop, go
the numbers that the broker has confirmed. What the broker did not confirm before the link broke
is forgotten here: it still is in the store, and whoever owns it publishes it again when the link
is back, leaving out what is on its way (``number in outbox``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from .amqp import AmqpLink, LinkLost

log = logging.getLogger(__name__)


class Outbox:
    """Messages that are published and not confirmed.

    Args:
        link: where to publish; when it is down nothing is sent.
        on_confirmed: told the numbers of messages that the broker has.
    """

    def __init__(self, link: AmqpLink, on_confirmed: Callable[[list[int]], None]) -> None:
        self._link = link
        self._on_confirmed = on_confirmed
        self._in_flight: set[int] = set()
        #: Confirmed, and not told yet; a call of ``_tell`` is due while there are any.
        self._confirmed: list[int] = []

    def __contains__(self, number: int) -> bool:
        return number in self._in_flight

    def publish(
        self, number: int, exchange: str, routing_key: str, body: bytes, properties: dict[str, Any]
    ) -> asyncio.Future[None]:
        """Send a message; the future is that of the link."""
        self._in_flight.add(number)
        future = self._link.publish(exchange, routing_key, body, properties=properties)
        future.add_done_callback(partial(self._settle, number))
        return future

    def _settle(self, number: int, future: asyncio.Future[None]) -> None:
        self._in_flight.discard(number)
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            if not self._confirmed:
                asyncio.get_running_loop().call_soon(self._tell)
            self._confirmed.append(number)
        elif not isinstance(error, LinkLost):
            log.error("message %d was not taken: %s", number, error)

    def _tell(self) -> None:
        confirmed, self._confirmed = self._confirmed, []
        self._on_confirmed(confirmed)

    def flush(self) -> None:
        """Tell what is confirmed now, before the owner goes away."""
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
