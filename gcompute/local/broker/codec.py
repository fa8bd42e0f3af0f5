"""Bytes to AMQP frames and back, on `pika`'s codec.

In: the bytes of one connection, in pieces of any size. Out: `Frame` tuples, and the bytes of
methods and contents to send. `pika.spec` encodes and decodes every method and every property;
this module only cuts the stream at the frame boundaries, because `pika.frame.decode_frame` would
re-encode what must pass through unchanged and has no limit on a frame's size.

Whatever the bytes are, the only exception is `ConnectionFault`: 501 for a broken frame, 502 for
arguments that do not parse, 503 for a method that AMQP does not have. After a fault the stream is
out of step, so the parser must not be fed again.

`spec` is re-exported here so that one module of the broker knows where it comes from.
Source: AMQP 0-9-1 specification, sections 2.3.5 and 4.2.
"""

from __future__ import annotations

import decimal
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from pika import frame as pika_frame
from pika import spec
from pika.exceptions import AMQPError

from .faults import COMMAND_INVALID, FRAME_ERROR, SYNTAX_ERROR, UNEXPECTED_FRAME, ConnectionFault

__all__ = [
    "EMPTY_PROPERTIES",
    "FRAME_OVERHEAD",
    "HEARTBEAT",
    "PROTOCOL_HEADER",
    "ContentHeader",
    "Frame",
    "FrameParser",
    "content",
    "decode_header",
    "decode_method",
    "decode_properties",
    "method_frame",
    "spec",
]

PROTOCOL_HEADER: bytes = pika_frame.ProtocolHeader().marshal()
HEARTBEAT: bytes = pika_frame.Heartbeat().marshal()
#: Bytes of a frame that are not payload: type, channel, size and the end mark.
FRAME_OVERHEAD = spec.FRAME_HEADER_SIZE + spec.FRAME_END_SIZE
#: A flag word without a flag: no property is set.
EMPTY_PROPERTIES = b"\x00\x00"

_FRAME_HEADER = struct.Struct(">BHI")
_CONTENT_HEADER = struct.Struct(">HHQ")
_FRAME_TYPES = frozenset(
    (spec.FRAME_METHOD, spec.FRAME_HEADER, spec.FRAME_BODY, spec.FRAME_HEARTBEAT)
)
_FRAME_END = bytes((spec.FRAME_END,))
#: The arguments that are bytes by right.
_LONG_STRINGS = frozenset(
    ("mechanisms", "locales", "challenge", "response", "new_secret", "channel_id")
)
#: What pika's decoder lets out when bytes are cut short, nested too deep or out of range.
_UNDECODABLE = (
    AMQPError,
    struct.error,
    ValueError,
    OverflowError,
    OSError,
    IndexError,
    TypeError,
    RecursionError,
    decimal.DecimalException,
)


class Frame(NamedTuple):
    """One frame: its type, its channel and its payload as it was on the wire."""

    type: int
    channel: int
    payload: bytes


class ContentHeader(NamedTuple):
    """What announces a message: the size of its body in bytes and its properties, encoded."""

    body_size: int
    properties: bytes


class FrameParser:
    """Cut a stream of bytes into frames.

    `max_size` limits a whole frame, in bytes. It may be changed at any time, and holds for the
    frames that follow.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        #: The start of a frame whose end has not arrived; never longer than `max_size`.
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that `data` completes; the iterator must be exhausted.

        Raises:
            ConnectionFault: 501, for an unknown frame type, a frame over the limit or one that
                does not end with the end mark.
        """
        if self._rest:
            data = self._rest + data
            self._rest = b""
        position, end = 0, len(data)
        while end - position >= spec.FRAME_HEADER_SIZE:
            frame_type, channel, size = _FRAME_HEADER.unpack_from(data, position)
            if frame_type not in _FRAME_TYPES:
                raise ConnectionFault(FRAME_ERROR, f"unknown frame type {frame_type}")
            if size + FRAME_OVERHEAD > self.max_size:
                limit = self.max_size - FRAME_OVERHEAD
                raise ConnectionFault(FRAME_ERROR, f"frame payload of {size} bytes, over {limit}")
            start = position + spec.FRAME_HEADER_SIZE
            stop = start + size
            if stop >= end:
                break
            if data[stop] != spec.FRAME_END:
                raise ConnectionFault(FRAME_ERROR, "invalid frame end marker")
            position = stop + 1
            yield Frame(frame_type, channel, data[start:stop])
        if position < end:
            self._rest = data[position:] if position else data


def decode_method(payload: bytes) -> Any:
    """Return the `pika.spec` method that a method frame's payload holds.

    Raises:
        ConnectionFault: 503 for a method that does not exist; 502 for arguments that do not
            parse, short strings that are not UTF-8 among them.
    """
    index = int.from_bytes(payload[:4], "big")
    method_class = spec.methods.get(index)
    if method_class is None or len(payload) < 4:
        raise ConnectionFault(COMMAND_INVALID, f"no method {index >> 16}, {index & 0xFFFF}")
    try:
        # Making one can fail as well: pika has methods that need arguments, which only it sends.
        method = method_class()
        method.decode(payload, 4)
    except _UNDECODABLE as error:
        raise ConnectionFault(SYNTAX_ERROR, f"malformed {method_class.NAME}") from error
    for name, value in method.__dict__.items():
        # pika hands out bytes where a short string is not UTF-8.
        if type(value) is bytes and name not in _LONG_STRINGS:
            raise ConnectionFault(SYNTAX_ERROR, f"{name} of {method.NAME} is not UTF-8")
    return method


def decode_header(payload: bytes) -> ContentHeader:
    """Take a content header apart, without decoding the properties.

    Raises:
        ConnectionFault: 501 when it is cut short, 505 for another class than basic.
    """
    if len(payload) < _CONTENT_HEADER.size + len(EMPTY_PROPERTIES):
        raise ConnectionFault(FRAME_ERROR, "content header cut short")
    class_id, _weight, body_size = _CONTENT_HEADER.unpack_from(payload)
    if class_id != spec.BasicProperties.INDEX:
        expected = spec.BasicProperties.INDEX
        text = f"expected content header for class {expected}, got one for class {class_id} instead"
        raise ConnectionFault(UNEXPECTED_FRAME, text)
    return ContentHeader(body_size, payload[_CONTENT_HEADER.size :])


@lru_cache(maxsize=64)
def decode_properties(encoded: bytes) -> Any:
    """Return the `pika.spec.BasicProperties` that `encoded` holds; shared, so never change them.

    What pika cannot decode is refused: a consumer on pika would fail over it.

    Raises:
        ConnectionFault: 502, when they do not parse.
    """
    properties = spec.BasicProperties()
    try:
        properties.decode(encoded)
    except _UNDECODABLE as error:
        raise ConnectionFault(SYNTAX_ERROR, "malformed message properties") from error
    return properties


def method_frame(channel: int, method: Any) -> bytes:
    """Return one method as a frame."""
    encoded: bytes = pika_frame.Method(channel, method).marshal()
    return encoded


def content(
    channel: int, method: Any, properties: bytes, body: bytes, frame_max: int
) -> list[bytes]:
    """Return a method that carries a message as pieces to send one after the other.

    Args:
        channel: the channel number.
        method: `basic.deliver`, `basic.get-ok` or `basic.return`.
        properties: the encoded properties, sent as they are.
        body: the whole body, sent as frames of at most `frame_max` bytes.
        frame_max: the negotiated limit, in bytes.
    """
    header = _CONTENT_HEADER.pack(spec.BasicProperties.INDEX, 0, len(body)) + properties
    pieces = [
        method_frame(channel, method),
        _FRAME_HEADER.pack(spec.FRAME_HEADER, channel, len(header)) + header + _FRAME_END,
    ]
    step = frame_max - FRAME_OVERHEAD
    for start in range(0, len(body), step):
        part = body if len(body) <= step else body[start : start + step]
        pieces += (_FRAME_HEADER.pack(spec.FRAME_BODY, channel, len(part)), part, _FRAME_END)
    return pieces
