"""A port of loopback that can be closed and opened again, as that of a service that is down.

Everything runs in the event loop that entered the context.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Self


class Doorway(ABC):
    """Takes connections at one port: picked free the first time, and the same from then on."""

    def __init__(self) -> None:
        self.port = 0
        self._listener: asyncio.Server | None = None
        #: The tasks of the connections that are open.
        self._visits: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def accept(self) -> None:
        """Take connections."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._welcome, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def leave(self) -> None:
        """Wait for the end of what is open; something else ends it."""
        if self._visits:
            await asyncio.wait(self._visits)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)
        await self._serve(reader, writer)

    @abstractmethod
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
