"""A connection of the web service: what its client may keep it waiting for, and for how long.

uvicorn waits for ever for a request that has begun, and takes any number of connections. Here a
client has so many seconds to say what it wants, and to go on with a body; and when there are too
many connections, the one that has kept the service waiting longest gives way to a new one. Clients
that reuse a connection see that it is closed, and make another.

A connection whose request is being worked on waits for the service, not the service for it: that
one is left alone.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class HttpLimits(NamedTuple):
    """What the web service bears.

    Attributes:
        max_connections: open connections. With those of the embedded broker below the usual limit
            of 1,024 files a process.
        request_s: how long a client may take to send a request without its body, from its first
            byte on, and from the beginning of a connection to its first request, in seconds.
        pause_s: how long it may pause within a body, in seconds.
    """

    max_connections: int = 400
    request_s: float = 20.0
    pause_s: float = 60.0


_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 20\r\nconnection: close\r\n\r\ntoo many connections"
)
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 34\r\nconnection: close\r\n\r\nthe request did not arrive in time"
)


class HttpConnection(H11Protocol):
    """uvicorn's connection, within limits."""

    #: Of all connections; a test makes them lower.
    limits = HttpLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Since when the client is the one to go on, if it is; by the loop's clock.
        self.waits_since = self.loop.time()
        #: Ends a connection whose client is too slow; none while it owes nothing.
        self._timer: asyncio.TimerHandle | None = None

    # -- events of the socket -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start with a connection that must say something in time, if there is room for it."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections and not self._make_room():
            self._answer(_BUSY)
            return
        self._wait(self.limits.request_s)

    def data_received(self, data: bytes) -> None:
        """Hand bytes on, and see what else the client owes."""
        if self.transport.is_closing():
            return
        self.waits_since = self.loop.time()
        super().data_received(data)
        self._look_what_is_owed()

    def on_response_complete(self) -> None:
        """Go on with what the client said meanwhile; wait for it from now on."""
        self.waits_since = self.loop.time()
        super().on_response_complete()
        self._look_what_is_owed()

    def pause_writing(self) -> None:
        """Wait until the client reads, from now on."""
        self.waits_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Go on: a client that reads slowly does not keep waiting like one that reads nothing."""
        self.waits_since = self.loop.time()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._stop_waiting()
        super().connection_lost(exc)

    # -- patience -----------------------------------------------------------------------------

    @property
    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    @property
    def keeps_waiting(self) -> bool:
        """Whether the client is the one to go on: with a request, a body, or reading the answer."""
        if self.transport.is_closing():
            return False
        return self._is_answered or self.cycle.more_body or self.flow.write_paused

    @property
    def _has_begun(self) -> bool:
        """Whether there is a part of a request."""
        return self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])

    def _look_what_is_owed(self) -> None:
        if self.conn.their_state is h11.SEND_BODY:
            # A body that nobody reads any more does not get more time with each piece.
            if self._timer is None or not self._is_answered:
                self._wait(self.limits.pause_s)
        elif not self._has_begun:
            self._stop_waiting()
        elif self._timer is None:
            self._wait(self.limits.request_s)

    def _make_room(self) -> bool:
        """Close the connection that has kept waiting longest; give whether there is one."""
        others = [
            other
            for other in self.connections
            if isinstance(other, HttpConnection) and other is not self and other.keeps_waiting
        ]
        if not others:
            return False
        min(others, key=lambda other: other.waits_since).transport.abort()
        return True

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._end)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._timer = None
        if self.flow.read_paused:
            # It is the service that does not read.
            self._wait(self.limits.pause_s)
        elif self._has_begun:
            self._answer(_TOO_SLOW)
        else:
            self.transport.abort()

    def _answer(self, answer: bytes) -> None:
        """Say why, past h11, which has no request that this could be the answer to."""
        self.transport.write(answer)
        self.transport.close()
