"""The uvicorn server, in a loop that is not its own: no signals, no lifespan, a socket of ours.

A request may name the whole address in place of the path, as one to a proxy does. So the official
SDK, which knows no address but ``http://localhost:5000`` for a local service, finds this one at
any port where ``HTTP_PROXY`` names it. Source: RFC 9112, section 3.2.2.

A request whose body is no HTTP is answered by uvicorn itself, while the application still works on
it: what the application has to say then is dropped.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from .http_connection import HttpConnection

#: An idle connection of a client stays open for so long, in seconds: clients that reuse a
#: connection which the server just closes get an error that they cannot interpret.
_KEEP_ALIVE_S = 600
#: The names of this machine that a whole address may have; another one is nowhere here.
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class AddressTaken(Exception):
    """The web service cannot have its address; the text says what to do."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever owns the process."""
        yield


class HttpServer:
    """Serves an application on a socket of loopback."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        self.url = f"http://{host}:{port}"
        self._listener = listener
        self._server = _Server(
            uvicorn.Config(
                unless_refused(by_path(app)),
                # Whatever else is installed: what is no HTTP has the same answers everywhere.
                http=HttpConnection,
                lifespan="off",
                ws="none",
                access_log=False,
                # Nothing stands before it: who says that he was forwarded says what he wants.
                proxy_headers=False,
                log_config=None,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=2,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Serve; requests that come before the server runs wait in the socket."""
        self._serving = asyncio.create_task(
            self._server.serve(sockets=[self._listener]), name="gcompute-http"
        )

    async def stop(self) -> None:
        """Finish the requests that are under way, for two seconds at most."""
        if self._serving is not None:
            self._server.should_exit = True
            await asyncio.wait([self._serving])
        self._listener.close()


def by_path(app: ASGIApp) -> ASGIApp:
    """Have an application see the path alone where a request names a whole address."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].lstrip("/").startswith("http://"):
            scope = {**scope, **_without_host(scope)}
        await app(scope, receive, send)

    return application


def unless_refused(app: ASGIApp) -> ASGIApp:
    """Drop the answer of an application to a request that the server has refused meanwhile."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except h11.LocalProtocolError:
            # uvicorn has sent a 400 and hangs up, which is when it forgets the request.
            while (await receive())["type"] != "http.disconnect":
                pass

    return application


def _without_host(scope: Scope) -> Scope:
    """Give path and raw path without the host; nothing where it is another machine's."""
    # Not by urlsplit alone: the path is decoded already, and may have ? and # in it.
    _, _, authority, *path = scope["path"].lstrip("/").split("/", 3)
    if _host(authority) not in _THIS_MACHINE:
        return {}
    raw = scope["raw_path"].lstrip(b"/").split(b"/", 3)[3:]
    return {"path": "/" + "".join(path), "raw_path": b"/" + b"".join(raw)}


def _host(authority: str) -> str | None:
    """Give the name of the machine; none where this is no authority."""
    try:
        return urlsplit(f"//{authority}").hostname
    except ValueError:
        return None


def listen(host: str, port: int) -> socket.socket:
    """Open the socket of the web service; port 0 picks a free one.

    Raises:
        AddressTaken: somebody else has it, or it is not ours to have.
    """
    # asyncio turns Nagle's algorithm off only where the protocol is given as TCP; with it on,
    # every answer on a kept connection would wait 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            advice = "stop what listens there, pass another port, or port=0 for a free one"
        else:
            advice = "pass another host or port"
        raise AddressTaken(
            f"the web service cannot listen on {host}:{port} ({error.strerror}): {advice}"
        ) from error
    return listener
