"""Opening and closing a pika connection, as coroutines in the running event loop.

A connection comes out open, or an error of :mod:`gcompute.local.amqp.errors` does. A cancelled
:func:`connect` leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.exceptions import (
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from .errors import LinkError, LinkLost, LinkRefused

log = logging.getLogger(__name__)

#: Reply codes of a broker that will not have us: access refused, not allowed.
_REFUSALS = frozenset({403, 530})
#: Bytes that are sent in one piece. What the socket does not take of a piece is copied for the
#: next try, so a piece is no larger than what a socket takes.
_PIECE = 64 * 1024
#: How long a broker may take to say goodbye, in seconds.
_CLOSE_TIMEOUT_S = 5.0


class Connection(AsyncioConnection):  # type: ignore[misc]  # pika has no types
    """A connection that sends what one turn of the event loop wrote in few pieces.

    pika sends frame by frame, and a message is three frames: three system calls, and with small
    messages three packets that wake the broker up.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._loop = asyncio.get_running_loop()
        #: Frames of this turn; a call of ``_flush`` is due while there are any.
        self._frames: list[bytes] = []
        super().__init__(*args, **kwargs)

    def _adapter_emit_data(self, data: bytes) -> None:
        if not self._frames:
            self._loop.call_soon(self._flush)
        self._frames.append(data)

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if self._transport is None:
            return  # the connection was lost in this turn
        for piece in pieces(frames, _PIECE):
            super()._adapter_emit_data(piece)

    def _adapter_disconnect_stream(self) -> None:
        # The last word, such as the answer to the broker's goodbye.
        self._flush()
        super()._adapter_disconnect_stream()


def pieces(frames: list[bytes], size: int) -> list[bytes]:
    """Join frames, in order, into pieces of about a size in bytes."""
    joined, begun, length = [], 0, 0
    for number, frame in enumerate(frames, 1):
        length += len(frame)
        if length >= size or number == len(frames):
            joined.append(b"".join(frames[begun:number]))
            begun, length = number, 0
    return joined


def describe(parameters: Any) -> str:
    """Name a broker for people, without the credentials: ``host:port/vhost``."""
    host = f"[{parameters.host}]" if ":" in parameters.host else parameters.host
    return f"{host}:{parameters.port}/{parameters.virtual_host.strip('/')}"


async def connect(parameters: Any, *, on_close: Callable[[LinkError], None]) -> Any:
    """Open a connection.

    Args:
        parameters: ``pika.ConnectionParameters``.
        on_close: told why, when the open connection closes.

    Raises:
        LinkRefused: the broker does not accept the credentials or the virtual host.
        LinkLost: it cannot be reached, or does not speak AMQP 0-9-1.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()

    def on_done(connection_or_error: Any) -> None:
        if not outcome.done():
            outcome.set_result(connection_or_error)

    workflow = Connection.create_connection([parameters], on_done, custom_ioloop=loop)
    try:
        connection = await asyncio.shield(outcome)
    except asyncio.CancelledError:
        if not outcome.done():
            _abort(workflow)
        await asyncio.wait([outcome], timeout=_CLOSE_TIMEOUT_S)
        if outcome.done() and isinstance(outcome.result(), pika.connection.Connection):
            await disconnect(outcome.result())
        raise
    if not isinstance(connection, pika.connection.Connection):
        raise _failure(connection, describe(parameters))
    connection.add_on_close_callback(
        lambda _connection, reason: on_close(LinkLost(f"the connection closed: {reason}"))
    )
    return connection


def _abort(workflow: Any) -> None:
    """Break an attempt off, whatever it has come to."""
    handshaking = getattr(getattr(workflow, "_connector", None), "_amqp_conn", None)
    if handshaking is None:
        workflow.abort()
    elif not handshaking.is_closing:
        handshaking.close()  # pika's own abort fails an assertion in this phase (1.3 to 1.4)


async def disconnect(connection: Any) -> None:
    """Close a connection that may be open, closing or closed."""
    if connection.is_closed:
        return
    closed = asyncio.Event()
    connection.add_on_close_callback(lambda _connection, _reason: closed.set())
    if not connection.is_closing:
        connection.close()
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await closed.wait()
    except TimeoutError:
        log.warning("the broker at %s did not answer the goodbye", describe(connection.params))


def _failure(error: BaseException, where: str) -> LinkError:
    """Tell a refusal from a broker that cannot be reached now."""
    # pika wraps what happened in errors about the attempt and about the phase of it.
    attempts = getattr(error, "exceptions", None) or [error]
    cause = getattr(attempts[-1], "exception", attempts[-1])
    # pika takes any end of a handshake for a refusal, also that of the line, and keeps the cause as
    # text; a broker that refuses says so.
    if isinstance(cause, ProbableAuthenticationError) and _by_broker(cause):
        what = "user or password"
    elif isinstance(cause, ProbableAccessDeniedError) and _by_broker(cause):
        what = "virtual host"
    elif isinstance(cause, ConnectionClosedByBroker) and cause.reply_code in _REFUSALS:
        what = "user or the virtual host"
    else:
        return LinkLost(f"no AMQP connection to {where}: {cause!r}")
    return LinkRefused(f"the AMQP broker at {where} does not accept the {what}: {cause}")


def _by_broker(error: BaseException) -> bool:
    code = re.search(rf"{ConnectionClosedByBroker.__name__}: \((\d+)\)", str(error))
    return code is not None and int(code[1]) in _REFUSALS
