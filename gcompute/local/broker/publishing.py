"""Published messages: putting method, header and body frames together, and confirming.

In: the frames of one channel. Out: a `Publication` when one is complete, and the tags to confirm.
Raises `ConnectionFault` 505 for frames out of order and 501 for a body longer than announced,
`ChannelFault` 406 for a message that is too large, before its body is read.
Source: AMQP 0-9-1 specification, section 4.2.6.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .codec import EMPTY_PROPERTIES, decode_header, decode_properties
from .faults import (
    FRAME_ERROR,
    PRECONDITION_FAILED,
    UNEXPECTED_FRAME,
    ChannelFault,
    ConnectionFault,
)


class Publication(NamedTuple):
    """A complete message: its `basic.publish`, its properties as they arrived, its body."""

    method: Any
    properties: bytes
    body: bytes


class Unfinished:
    """The messages of one connection that have begun and not ended, in bytes; `limit` for all."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0


class ContentAssembler:
    """Collect the frames of one message after the other, within what `unfinished` allows."""

    def __init__(self, unfinished: Unfinished) -> None:
        self._unfinished = unfinished
        #: What this message has of it, in bytes.
        self._reserved = 0
        self._method: Any = None
        self._properties: bytes | None = None
        self._missing = 0
        self._parts: list[bytes] = []

    @property
    def busy(self) -> bool:
        """Whether a message has begun and not ended, so that no method may come."""
        return self._method is not None

    def begin(self, method: Any) -> None:
        """Start with a `basic.publish`."""
        self._method = method

    def header(self, payload: bytes) -> Publication | None:
        """Take the content header; it completes a message without a body."""
        if self._method is None or self._properties is not None:
            raise ConnectionFault(UNEXPECTED_FRAME, "a content header follows no basic.publish")
        size, self._properties = decode_header(payload)
        limit, used = self._unfinished.limit, self._unfinished.used
        if size > limit:
            text = f"message size {size} is larger than configured max size {limit}"
            raise ChannelFault(PRECONDITION_FAILED, text)
        if size + used > limit:
            text = f"message size {size} is larger than what others that this connection has begun"
            raise ChannelFault(PRECONDITION_FAILED, f"{text} leave of the max size {limit}")
        self._unfinished.used += size
        self._missing = self._reserved = size
        return self._finish() if size == 0 else None

    def body(self, payload: bytes) -> Publication | None:
        """Take a part of the body; the last one completes the message."""
        if self._properties is None:
            raise ConnectionFault(UNEXPECTED_FRAME, "a content body follows no content header")
        self._missing -= len(payload)
        if self._missing < 0:
            raise ConnectionFault(FRAME_ERROR, "the body is longer than its header announced")
        self._parts.append(payload)
        return self._finish() if self._missing == 0 else None

    def abandon(self) -> None:
        """Forget a message that will not be completed."""
        self._unfinished.used -= self._reserved
        self._method, self._properties, self._parts, self._reserved = None, None, [], 0

    def _finish(self) -> Publication:
        parts, properties = self._parts, self._properties or EMPTY_PROPERTIES
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        publication = Publication(self._method, properties, body)
        self.abandon()
        return publication


class Confirms:
    """Publisher confirms of a channel in confirm mode: which tags are still to be confirmed."""

    def __init__(self) -> None:
        self._published = 0
        self._confirmed = 0

    def count(self) -> None:
        """Count a message that has reached its queues, or has none to reach."""
        self._published += 1

    def collect(self) -> tuple[int, bool] | None:
        """Return the tag to acknowledge and whether it stands for several; None for nothing."""
        waiting = self._published - self._confirmed
        self._confirmed = self._published
        return (self._published, waiting > 1) if waiting else None


class Stated(NamedTuple):
    """What the broker itself reads of a message's properties.

    `ttl_s` is the lifetime in a queue that they ask for, in seconds; None for unlimited.
    """

    ttl_s: float | None = None
    message_id: str | None = None


_NOTHING = Stated()


def read_properties(encoded: bytes, user_name: str) -> Stated:
    """Check a message's properties and return what they say.

    Raises:
        ChannelFault: 406 for an expiration that is no number of milliseconds, and for a user id
            that is not the publisher's.
        ConnectionFault: 502 for properties that do not parse.
    """
    if encoded == EMPTY_PROPERTIES:
        return _NOTHING
    properties = decode_properties(encoded)
    if properties.user_id not in (None, user_name):
        text = f"user_id property set to '{properties.user_id}' but authenticated user was "
        raise ChannelFault(PRECONDITION_FAILED, f"{text}'{user_name}'")
    # pika gives bytes for what is no text.
    message_id = properties.message_id if isinstance(properties.message_id, str) else None
    expiration = properties.expiration
    if expiration is None:
        return Stated(None, message_id)
    if not (isinstance(expiration, str) and expiration.isascii() and expiration.isdigit()):
        raise ChannelFault(PRECONDITION_FAILED, f"invalid expiration {str(expiration)[:30]!r}")
    return Stated(int(expiration) / 1000, message_id)
