"""The two ways in which AMQP 0-9-1 reports an error, and the reply codes.

A `ChannelFault` closes the channel on which it happened, a `ConnectionFault` the whole connection.
Both carry the reply code and the text that travel to the peer in `channel.close` or
`connection.close`; the texts follow RabbitMQ's, which clients are known to parse.

The pure modules of this package raise nothing else for whatever a peer may send.
Source: AMQP 0-9-1 specification, section 1.2 (constants).
"""

from __future__ import annotations

from typing import Any, ClassVar

CONNECTION_FORCED = 320
NO_ROUTE = 312
ACCESS_REFUSED = 403
NOT_FOUND = 404
RESOURCE_LOCKED = 405
PRECONDITION_FAILED = 406
FRAME_ERROR = 501
SYNTAX_ERROR = 502
COMMAND_INVALID = 503
CHANNEL_ERROR = 504
UNEXPECTED_FRAME = 505
RESOURCE_ERROR = 506
NOT_ALLOWED = 530
NOT_IMPLEMENTED = 540

_NAMES = {
    CONNECTION_FORCED: "CONNECTION_FORCED",
    ACCESS_REFUSED: "ACCESS_REFUSED",
    NOT_FOUND: "NOT_FOUND",
    RESOURCE_LOCKED: "RESOURCE_LOCKED",
    PRECONDITION_FAILED: "PRECONDITION_FAILED",
    FRAME_ERROR: "FRAME_ERROR",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    COMMAND_INVALID: "COMMAND_INVALID",
    CHANNEL_ERROR: "CHANNEL_ERROR",
    UNEXPECTED_FRAME: "UNEXPECTED_FRAME",
    RESOURCE_ERROR: "RESOURCE_ERROR",
    NOT_ALLOWED: "NOT_ALLOWED",
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
}


_MAX_TEXT = 255


def closing(code: int, text: str, method: Any) -> tuple[int, str, int, int]:
    """Give the arguments of `channel.close` and `connection.close`: why, and over which method.

    The text is cut to what fits in a short string.
    """
    index = 0 if method is None else method.INDEX
    short = text.encode()[:_MAX_TEXT].decode("utf-8", "ignore")
    return code, short, index >> 16, index & 0xFFFF


class Fault(Exception):
    """An error that the peer is told about."""

    #: What the fault ends: "channel" or "connection".
    scope: ClassVar[str]

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.text = f"{_NAMES[code]} - {detail}"


class ChannelFault(Fault):
    """An error that closes one channel."""

    scope = "channel"


class ConnectionFault(Fault):
    """An error that closes the connection."""

    scope = "connection"
