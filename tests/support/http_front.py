"""An HTTP server in front of a web service that answers in its place where a test says so.

Requests go on to the service and answers come back, unless an *intervention* is due: a function
that is given the request and a way to forward it, and gives the answer. So it can answer without
the service having heard of the request, have the service work and say something else, wait, or
break off in the middle of an answer.

:meth:`HttpFront.refuse` and :meth:`HttpFront.accept` are for a service that is down. Everything
runs in the event loop that entered the context.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import h11
import httpx

from tests.support.doorway import Doorway

_CHUNK = 65536
_TIMEOUT_S = 60.0
#: Headers that belong to one connection, or say what httpx has undone.
_OWN_HEADERS = frozenset(
    {b"connection", b"content-encoding", b"content-length", b"host", b"transfer-encoding"}
)

#: What a client that takes the front for its proxy puts before the path.
_ADDRESS = re.compile(r"^https?://[^/]+")

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Request:
    """A request of a client."""

    method: str
    #: With the query; without the address that a request to a proxy has in it.
    target: str
    headers: Headers
    body: bytes

    @property
    def path(self) -> str:
        """The path alone."""
        return self.target.partition("?")[0]

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer on its way to a client."""

    status: int
    headers: Headers
    body: bytes
    #: Break the connection off after half of the body.
    cut: bool = False

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)


Forward = Callable[[], Awaitable[Reply]]
Intervention = Callable[[Request, Forward], Awaitable[Reply]]
Matches = Callable[[Request], bool]


@dataclass
class _Due:
    """An intervention, and for which requests."""

    matches: Matches
    intervention: Intervention
    skip: int
    times: int


def answer(
    status: int, content: object, *, forward: bool = False, retry_after: int | None = None
) -> Intervention:
    """Make an intervention that gives an answer of its own, after or without the service's."""
    headers = [(b"content-type", b"application/json")]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    reply = Reply(status, headers, json.dumps(content).encode())

    async def intervene(_request: Request, pass_on: Forward) -> Reply:
        if forward:
            await pass_on()
        return reply

    return intervene


async def cut_short(_request: Request, forward: Forward) -> Reply:
    """Break off in the middle of the service's answer."""
    reply = await forward()
    return Reply(reply.status, reply.headers, reply.body, cut=True)


def hold(until: Callable[[Request], Awaitable[object]]) -> Intervention:
    """Make an intervention that gives the service's answer only after something else."""

    async def intervene(request: Request, forward: Forward) -> Reply:
        reply = await forward()
        await until(request)
        return reply

    return intervene


@dataclass
class HttpFront(Doorway):
    """Stands in front of a service.

    Attributes:
        upstream: address of the service.
        rewrite: is given each answer of the service, and may change it.
        exchanges: requests with their answers, in the order of the answers.
        disturbed: requests that met an intervention.
    """

    upstream: str
    rewrite: Callable[[Request, Reply], Reply] = lambda _request, reply: reply
    exchanges: list[tuple[Request, Reply]] = field(default_factory=list)
    disturbed: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._due: list[_Due] = []
        self._http = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)
        #: Open connections.
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The address of the front."""
        return f"http://127.0.0.1:{self.port}"

    async def __aexit__(self, *_exc: object) -> None:
        self.refuse()
        for visit in self._visits:
            visit.cancel()
        await self.leave()
        await self._http.aclose()

    def refuse(self) -> None:
        """Break all connections, and refuse new ones."""
        super().refuse()
        for writer in self._open:
            writer.transport.abort()

    def inject(
        self, matches: Matches, intervention: Intervention, *, skip: int = 0, times: int = 1
    ) -> None:
        """Intervene in requests to come.

        Args:
            matches: tells which requests are meant.
            intervention: what to do.
            skip: leave so many of them alone before.
            times: do it for so many of them.
        """
        self._due.append(_Due(matches, intervention, skip, times))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        connection = h11.Connection(h11.SERVER)
        try:
            with suppress(ConnectionError, h11.RemoteProtocolError):
                while (request := await _receive(connection, reader)) is not None:
                    reply = await self._reply(request)
                    self.exchanges.append((request, reply))
                    await _send(connection, writer, reply)
                    if reply.cut or connection.our_state is h11.MUST_CLOSE:
                        break
                    connection.start_next_cycle()
        except httpx.TransportError:
            writer.transport.abort()  # to the client it is a service that has died
        finally:
            self._open.discard(writer)
            writer.close()

    async def _reply(self, request: Request) -> Reply:
        for due in self._due:
            if due.times and due.matches(request):
                if due.skip:
                    due.skip -= 1
                    continue
                due.times -= 1
                self.disturbed.append(request)
                return await due.intervention(request, lambda: self._forward(request))
        return await self._forward(request)

    async def _forward(self, request: Request) -> Reply:
        got = await self._http.request(
            request.method,
            f"{self.upstream}{request.target}",
            headers=[(n, v) for n, v in request.headers if n not in _OWN_HEADERS],
            content=request.body,
        )
        kept = [(n.lower(), v) for n, v in got.headers.raw if n.lower() not in _OWN_HEADERS]
        return self.rewrite(request, Reply(got.status_code, kept, got.content))


async def _receive(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """Read a request; ``None`` at the end of the connection."""
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            target = _ADDRESS.sub("", head.target.decode())
            return Request(head.method.decode(), target, list(head.headers), body)
        else:
            return None


async def _send(connection: h11.Connection, writer: asyncio.StreamWriter, reply: Reply) -> None:
    length = (b"content-length", str(len(reply.body)).encode())
    head = h11.Response(status_code=reply.status, headers=[*reply.headers, length])
    writer.write(connection.send(head) or b"")
    if reply.cut:
        writer.write(reply.body[: len(reply.body) // 2])
        await writer.drain()
        return
    writer.write(connection.send(h11.Data(data=reply.body)) or b"")
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
