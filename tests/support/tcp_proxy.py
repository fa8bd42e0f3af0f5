"""A TCP proxy on loopback whose connections break as a test says.

Each connection is a :class:`Passage`: bytes of the client go to the server and back, unless the
proxy was told otherwise. It can break what is open (:meth:`TcpProxy.cut`), let it fall silent
without a word, as a router that forgets a connection does (:meth:`TcpProxy.stall`), refuse new
connections (:meth:`TcpProxy.refuse`) and hold everything up (:attr:`TcpProxy.delay_s`). What it
does to open connections does not touch later ones.

Everything runs in the event loop that entered the context.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from tests.support.doorway import Doorway

_CHUNK = 65536
#: The socket option of a socket that is reset when it is closed: linger, for no time.
_RESET = struct.pack("ii", 1, 0)


class Passage:
    """One connection through the proxy. A subclass may look at the bytes, and change them."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._client = client
        self._server = server
        #: Bytes vanish, in both directions, and neither end hears that the other has closed.
        self.stalled = False

    def client_sent(self, data: bytes) -> None:
        """Pass on what the client sent."""
        self.to_server(data)

    def server_sent(self, data: bytes) -> None:
        """Pass on what the server sent."""
        self.to_client(data)

    def to_server(self, data: bytes) -> None:
        """Write to the server, unless it is gone."""
        if not self._server.is_closing():
            self._server.write(data)

    def to_client(self, data: bytes) -> None:
        """Write to the client, unless it is gone."""
        if not self._client.is_closing():
            self._client.write(data)

    def cut(self) -> None:
        """Break the connection at both ends; what is on its way is lost."""
        for writer in (self._client, self._server):
            if not writer.is_closing():
                end: socket.socket = writer.get_extra_info("socket")
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    def close(self) -> None:
        """Close both ends; what is on its way arrives."""
        self._client.close()
        self._server.close()


class TcpProxy(Doorway):
    """Passes connections on to a port of loopback.

    Args:
        target_port: where the server listens; may change, for the connections to come.
        passage: makes the passage of a connection.
    """

    def __init__(
        self,
        target_port: int,
        passage: Callable[[asyncio.StreamWriter, asyncio.StreamWriter], Passage] = Passage,
    ) -> None:
        super().__init__()
        self.target_port = target_port
        #: Seconds by which everything is held up, in both directions.
        self.delay_s = 0.0
        self._make_passage = passage
        #: Open connections.
        self.passages: list[Passage] = []

    async def __aexit__(self, *_exc: object) -> None:
        self.refuse()
        self.cut()
        await self.leave()

    def cut(self) -> None:
        """Break all open connections."""
        for passage in self.passages:
            passage.cut()

    def stall(self) -> None:
        """Let all open connections fall silent."""
        for passage in self.passages:
            passage.stalled = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:  # the server is away: to the client it is a server that hangs up
            writer.transport.abort()
            return
        passage = self._make_passage(writer, there[1])
        self.passages.append(passage)
        try:
            await asyncio.gather(
                self._pump(passage, reader, passage.client_sent, there[1]),
                self._pump(passage, there[0], passage.server_sent, writer),
            )
        finally:
            passage.close()
            self.passages.remove(passage)

    async def _pump(
        self,
        passage: Passage,
        source: asyncio.StreamReader,
        pass_on: Callable[[bytes], None],
        sink: asyncio.StreamWriter,
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(_CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if not passage.stalled:
                    pass_on(data)
                    await sink.drain()
        if not passage.stalled:
            sink.close()
