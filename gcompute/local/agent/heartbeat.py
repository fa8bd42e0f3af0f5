"""Status reports, at once when the service can be reached, and then every so many seconds.

A report that cannot be sent is not kept: the next one says more. The last one, which says that
the endpoint is leaving, is confirmed before :meth:`Heartbeat.stop` returns, where the broker can
be reached.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gcompute.local.amqp import AmqpLink, LinkError

from .outbox import check_address
from .registration import Address

log = logging.getLogger(__name__)

#: How long the broker may take to confirm the last report, in seconds.
_FAREWELL_S = 2.0


class Heartbeat:
    """The sender of status reports.

    Args:
        address: where to.
        period_s: seconds between reports.
        report: gives the body of a report; told whether the endpoint is active.
    """

    def __init__(
        self, address: Address, *, period_s: float, report: Callable[[bool], bytes]
    ) -> None:
        self._address = address
        self._period_s = period_s
        self._report = report
        self._beating: asyncio.Task[None] | None = None
        self.link = AmqpLink(address.connection_url, on_open=self._on_open, name="heartbeat")

    async def start(self) -> None:
        """Send the first report, and more from now on.

        Raises:
            LinkError: as :meth:`AmqpLink.start`.
        """
        await self.link.start()
        self._beating = asyncio.create_task(self._beat(), name="gcompute-heartbeat")

    async def stop(self) -> None:
        """Send the last report."""
        if self._beating is not None:
            self._beating.cancel()
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._send(active=False)
        except (LinkError, TimeoutError) as error:
            log.warning("the last status report was not sent: %s", error)
        await self.link.stop()

    async def _on_open(self, link: AmqpLink) -> None:
        await check_address(link, self._address)
        await self._send(active=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            try:
                await self._send(active=True)
            except LinkError as error:
                log.warning("no status report: %s", error)

    def _send(self, *, active: bool) -> asyncio.Future[None]:
        return self.link.publish(body=self._report(active), **self._address.publish)
