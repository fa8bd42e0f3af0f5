"""Requests that name a whole address are served by its path."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import pytest
from starlette.types import Receive, Scope, Send

from gcompute.local.http_server import by_path, unless_refused


def _seen(path: str, raw_path: bytes) -> tuple[str, bytes]:
    """Give the path and the raw path that an application sees."""
    seen: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def never() -> dict[str, object]:
        raise AssertionError("nothing is to be received")

    async def nothing(message: object) -> None:
        raise AssertionError("nothing is to be sent")

    scope = {"type": "http", "path": path, "raw_path": raw_path}

    async def request() -> None:
        await by_path(application)(scope, never, nothing)

    asyncio.run(request())
    return seen[0]["path"], seen[0]["raw_path"]


@pytest.mark.parametrize(
    "authority", ["localhost:5000", "127.0.0.1:4711", "[::1]:4711", "localhost"]
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_host_is_left_out(authority: str, slash: str) -> None:
    """For every name of this machine, with the slash that some servers put before it."""
    whole = f"{slash}http://{authority}/v2/tasks/a b?c"
    raw = f"{slash}http://{authority}/v2/tasks/a%20b%3Fc".encode()
    assert _seen(whole, raw) == ("/v2/tasks/a b?c", b"/v2/tasks/a%20b%3Fc")


def test_an_address_without_a_path_is_the_root() -> None:
    """As in a browser."""
    assert _seen("http://localhost:5000", b"http://localhost:5000") == ("/", b"/")


@pytest.mark.parametrize(
    "path",
    ["/v2/version", "http://example.org/v2/version", "/", "http://[::1/v2/version", "http://"],
)
def test_everything_else_stays(path: str) -> None:
    """A path, the address of another machine, and what is no address: nothing is found there."""
    assert _seen(path, path.encode()) == (path, path.encode())


def test_an_answer_to_a_request_that_was_refused_is_dropped() -> None:
    """The server forgets the request when it has hung up, and not before."""
    left: list[dict[str, Any]] = [{"type": "http.request"}, {"type": "http.disconnect"}]

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        raise h11.LocalProtocolError("can't handle event type Response")

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    async def send(message: object) -> None:
        raise AssertionError("nothing is to be sent")

    async def request() -> None:
        await unless_refused(application)({"type": "http"}, receive, send)

    asyncio.run(request())
    assert left == []
