"""Clients of the web service that take their time, and too many of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from gcompute.local.http_connection import HttpConnection, HttpLimits
from gcompute.local.http_server import HttpServer, listen
from tests.support.event_loop import in_event_loop

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 30\r\n\r\n"
SOON_S = 0.05
NEVER_S = 60.0


class Peer:
    """A client on the bare socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> bytes:
        """Read an answer whose body is its length in text."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        return head + await self.reader.readexactly(2)

    async def rest(self) -> bytes:
        """Read until the service closes."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""


class Service:
    """A web service that answers with the length of the body, two digits."""

    def __init__(self) -> None:
        self.address = ("", 0)
        #: A request with a query waits for this.
        self.go_on = asyncio.Event()
        self.working = asyncio.Semaphore(0)
        self.disconnects = 0
        self._peers: list[Peer] = []

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnects += 1
                return
            size, more = size + len(message["body"]), message["more_body"]
        if scope["query_string"]:
            self.working.release()
            await self.go_on.wait()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"%02d" % size})

    async def peer(self, *said: bytes) -> Peer:
        """Connect, and say something."""
        made = Peer(*await asyncio.open_connection(*self.address))
        self._peers.append(made)
        for piece in said:
            made.writer.write(piece)
        return made

    async def close(self) -> None:
        """Hang up."""
        for peer in self._peers:
            peer.writer.close()


@asynccontextmanager
async def serving(monkeypatch: pytest.MonkeyPatch, limits: HttpLimits) -> AsyncIterator[Service]:
    """Run a service with limits."""
    monkeypatch.setattr(HttpConnection, "limits", limits)
    service = Service()
    http = HttpServer(service.app, listen("127.0.0.1", 0))
    url = urlsplit(http.url)
    service.address = str(url.hostname), int(url.port or 0)
    http.start()
    try:
        async with asyncio.timeout(20):
            yield service
    finally:
        await service.close()
        await http.stop()


@pytest.mark.parametrize("said", [b"", b"G", GET[:-2], GET + b"GET / HT"])
@in_event_loop
async def test_a_request_that_does_not_arrive(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """It is ended; one that has begun is told why. The first request on it was answered."""
    limits = HttpLimits(request_s=SOON_S, pause_s=NEVER_S)
    async with serving(monkeypatch, limits) as service:
        peer = await service.peer(said)
        if said.startswith(GET):
            assert (await peer.answer()).startswith(b"HTTP/1.1 200")
        rest = await peer.rest()
        assert rest[:12] == (b"HTTP/1.1 408" if said else b"")


@in_event_loop
async def test_a_client_may_wait_between_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those do that reuse a connection."""
    limits = HttpLimits(request_s=SOON_S, pause_s=SOON_S)
    async with serving(monkeypatch, limits) as service:
        peer = await service.peer(GET)
        assert (await peer.answer()).endswith(b"00")
        late = await service.peer(b"G")
        assert (await late.rest()).startswith(b"HTTP/1.1 408")
        peer.writer.write(POST + bytes(30))
        assert (await peer.answer()).endswith(b"30")


@in_event_loop
async def test_a_body_that_does_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application hears that its client is gone; the next client is served meanwhile."""
    limits = HttpLimits(request_s=NEVER_S, pause_s=SOON_S)
    async with serving(monkeypatch, limits) as service:
        stalled = await service.peer(POST, bytes(10))
        assert (await (await service.peer(GET)).answer()).endswith(b"00")
        assert await stalled.rest() == b""
        assert service.disconnects == 1


@in_event_loop
async def test_a_body_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it goes on."""
    limits = HttpLimits(request_s=NEVER_S, pause_s=0.3)
    async with serving(monkeypatch, limits) as service:
        slow = await service.peer(POST)
        for _ in range(30):
            await asyncio.sleep(0.02)  # in all twice as long as a pause may be
            slow.writer.write(b"x")
        assert (await slow.answer()).endswith(b"30")


@in_event_loop
async def test_who_keeps_waiting_longest_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new client is served although there are too many, and so are those that are at work."""
    limits = HttpLimits(max_connections=3)
    async with serving(monkeypatch, limits) as service:
        at_work = await service.peer(b"GET /?wait HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await service.working.acquire()
        idle = await service.peer(GET)
        await idle.answer()
        recent = await service.peer(GET)
        await recent.answer()
        newest = await service.peer(GET)
        assert (await newest.answer()).endswith(b"00")
        assert await idle.rest() == b""
        recent.writer.write(GET)
        assert (await recent.answer()).endswith(b"00")
        service.go_on.set()
        assert (await at_work.answer()).endswith(b"00")


@in_event_loop
async def test_who_was_kept_waiting_does_not_give_way_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client whose answer took long has only now the chance to go on."""
    limits = HttpLimits(max_connections=2)
    async with serving(monkeypatch, limits) as service:
        at_work = await service.peer(b"GET /?wait HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await service.working.acquire()
        idle = await service.peer(GET)
        await idle.answer()
        service.go_on.set()
        await at_work.answer()
        await (await service.peer(GET)).answer()
        assert await idle.rest() == b""
        at_work.writer.write(GET)
        assert (await at_work.answer()).endswith(b"00")


@in_event_loop
async def test_too_many_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused, and says so; nobody else notices."""
    limits = HttpLimits(max_connections=2)
    async with serving(monkeypatch, limits) as service:
        busy = [
            await service.peer(b"GET /?wait HTTP/1.1\r\nhost: localhost\r\n\r\n") for _ in range(2)
        ]
        for _ in busy:
            await service.working.acquire()
        refused = await (await service.peer(GET)).rest()
        assert refused.startswith(b"HTTP/1.1 503")
        service.go_on.set()
        for peer in busy:
            assert (await peer.answer()).endswith(b"00")
