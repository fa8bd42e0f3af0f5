"""Clients of the web service that take their time, and too many of them.

That time passes by `Service.later`, so that it is always as long as a test says, however slow the
machine is.
"""

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
#: More than sockets hold.
PIECES, PIECE_BYTES = 50, 2**20
#: What a client has for a request, and for each pause in a body, in seconds.
REQUEST_S, PAUSE_S = 20.0, 60.0
LIMITS = HttpLimits(request_s=REQUEST_S, pause_s=PAUSE_S)


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
        #: Released for each piece of a body that arrives.
        self.heard = asyncio.Semaphore(0)
        self.disconnects = 0
        #: How far the loop's clock is ahead, in seconds.
        self.ahead_s = 0.0
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
            self.heard.release()
        if scope["query_string"] == b"large":
            await self._answer_at_length(send)
            return
        if scope["query_string"]:
            self.working.release()
            await self.go_on.wait()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"%02d" % size})

    async def _answer_at_length(self, send: Send) -> None:
        """Answer with pieces, and tell of each that the connection took."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(PIECES):
            piece = bytes(PIECE_BYTES)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            self.working.release()
        await send({"type": "http.response.body", "body": b""})

    async def peer(self, *said: bytes) -> Peer:
        """Connect, and say something."""
        made = Peer(*await asyncio.open_connection(*self.address))
        self._peers.append(made)
        for piece in said:
            made.writer.write(piece)
        return made

    def later(self, seconds: float) -> None:
        """Let time pass for everything in the loop."""
        self.ahead_s += seconds

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
    loop = asyncio.get_running_loop()
    clock = loop.time
    monkeypatch.setattr(loop, "time", lambda: clock() + service.ahead_s)
    http.start()
    try:
        yield service
    finally:
        await service.close()
        await http.stop()


@pytest.mark.parametrize("said", [b"", b"G", GET[:-2], GET + b"GET / HT"])
@in_event_loop
async def test_a_request_that_does_not_arrive(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """It is ended; one that has begun is told why. The first request on it was answered."""
    async with serving(monkeypatch, LIMITS) as service:
        peer = await service.peer(said)
        # Whoever comes later is served later: then the service knows what the first one said.
        assert (await (await service.peer(GET)).answer()).endswith(b"00")
        if said.startswith(GET):
            assert (await peer.answer()).startswith(b"HTTP/1.1 200")
        service.later(REQUEST_S)
        rest = await peer.rest()
        assert rest[:12] == (b"HTTP/1.1 408" if said else b"")


@in_event_loop
async def test_a_client_may_wait_between_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those do that reuse a connection."""
    async with serving(monkeypatch, LIMITS) as service:
        peer = await service.peer(GET)
        assert (await peer.answer()).endswith(b"00")
        service.later(REQUEST_S + PAUSE_S)
        late = await service.peer(b"G")
        assert (await (await service.peer(GET)).answer()).endswith(b"00")
        service.later(REQUEST_S)
        assert (await late.rest()).startswith(b"HTTP/1.1 408")
        peer.writer.write(POST + bytes(30))
        assert (await peer.answer()).endswith(b"30")


@in_event_loop
async def test_a_body_that_does_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application hears that its client is gone; the next client is served meanwhile."""
    async with serving(monkeypatch, LIMITS) as service:
        stalled = await service.peer(POST, bytes(10))
        await service.heard.acquire()
        service.later(PAUSE_S / 2)
        assert (await (await service.peer(GET)).answer()).endswith(b"00")
        assert service.disconnects == 0
        service.later(PAUSE_S / 2)
        assert await stalled.rest() == b""
        assert service.disconnects == 1


@in_event_loop
async def test_a_body_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it goes on."""
    async with serving(monkeypatch, LIMITS) as service:
        slow = await service.peer(POST)
        for _ in range(30):
            service.later(PAUSE_S / 2)
            slow.writer.write(b"x")
            await service.heard.acquire()
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


@in_event_loop
async def test_who_reads_slowly_does_not_give_way_to_who_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client goes on with an answer for as long as it reads it."""
    limits = HttpLimits(max_connections=2)
    async with serving(monkeypatch, limits) as service:
        slow = await service.peer(b"GET /?large HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        # All that sockets hold is there to be read when a piece was sent, and none follows.
        await service.working.acquire()
        idle = await service.peer(GET)
        await idle.answer()
        size = len(await slow.reader.readuntil(b"\r\n\r\n"))
        while size < PIECES * PIECE_BYTES // 2:
            size += len(await slow.reader.read(2**16))
        assert (await (await service.peer(GET)).answer()).endswith(b"00")
        assert await idle.rest() == b""
        assert size + len(await slow.rest()) > PIECES * PIECE_BYTES
