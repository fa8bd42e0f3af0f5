"""Messages to one address, kept until the broker has confirmed them.

In go message bodies, at any time, whether the broker can be reached or not. They are published
in order, each once if all goes well, and again after a connection broke before the broker
confirmed them: whoever reads them must bear to see one twice. ``flush`` waits until nothing is
left.

A message that no queue takes is kept as well, and tried again with the next connection: its
address is the service's to mend. How many messages there can be is bounded by what the agent
takes in while the broker cannot be reached, which is nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import logging

from gcompute.local.amqp import AmqpLink, Unroutable

from .registration import Address

log = logging.getLogger(__name__)


class Outbox:
    """The way to one address.

    Args:
        address: where to; exchange and queue are checked to exist, never made.
        name: for the log.
    """

    def __init__(self, address: Address, *, name: str) -> None:
        self._address = address
        self._numbers = itertools.count()
        #: Messages that are not confirmed, in order.
        self._unconfirmed: dict[int, bytes] = {}
        #: Set while there are none.
        self._empty = asyncio.Event()
        self._empty.set()
        #: Whether what is unconfirmed has been published on the present connection.
        self._caught_up = False
        self.link = AmqpLink(
            address.connection_url, on_open=self._on_open, on_lost=self._on_lost, name=name
        )

    def __len__(self) -> int:
        return len(self._unconfirmed)

    def send(self, body: bytes) -> None:
        """Publish a message now, or as soon as the broker can be reached again."""
        number = next(self._numbers)
        self._unconfirmed[number] = body
        self._empty.clear()
        if self._caught_up:
            self._publish(number, body)

    async def flush(self, timeout_s: float) -> bool:
        """Wait until everything is confirmed; give whether that came about in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    async def _on_open(self, link: AmqpLink) -> None:
        await check_address(link, self._address)
        if self._unconfirmed:
            log.info("%s: publishing %d messages again", link.name, len(self._unconfirmed))
        for number, body in list(self._unconfirmed.items()):
            self._publish(number, body)
        self._caught_up = True

    def _on_lost(self) -> None:
        self._caught_up = False

    def _publish(self, number: int, body: bytes) -> None:
        publishing = self.link.publish(body=body, **self._address.publish)
        publishing.add_done_callback(lambda future: self._published(number, future))

    def _published(self, number: int, publishing: asyncio.Future[None]) -> None:
        error = publishing.exception()
        if isinstance(error, Unroutable):
            log.error("%s: a message came back: %s", self.link.name, error)
        if error is None:
            # Published twice, it may be confirmed twice.
            self._unconfirmed.pop(number, None)
            if not self._unconfirmed:
                self._empty.set()


async def check_address(link: AmqpLink, address: Address) -> None:
    """Check that exchange and queue of an address exist.

    Raises:
        QueueMissing: one does not.
    """
    if address.exchange:
        await link.topology.declare_exchange(address.exchange, passive=True)
    if address.queue:
        await link.topology.declare_queue(address.queue, passive=True)
