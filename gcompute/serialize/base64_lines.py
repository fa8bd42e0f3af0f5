"""Base64 in lines, byte for byte as the official package writes it. Pure.

A newline after every 76 characters and after the last. Encoded line by line, as
:func:`base64.encodebytes` does, the lines cost more than the encoding. Here a thousand lines are
encoded at once and cut by :mod:`struct` while they are in the processor's cache, which makes
them all but free.
Source: ``docs/wire.md#serialized-buffers``.
"""

from __future__ import annotations

import binascii
import struct

from gcompute.errors import DeserializationError

#: Characters in a line, and the bytes that they stand for.
_LINE = 76
_LINE_BYTES = 57
_LINES_AT_ONCE = 1024
_LINES = struct.Struct(f"{_LINE}s" * _LINES_AT_ONCE)
_CHUNK_BYTES = _LINE_BYTES * _LINES_AT_ONCE


def to_base64(data: bytes) -> str:
    """Encode bytes with a newline after every 76 characters and after the last."""
    encode = binascii.b2a_base64
    if 0 < len(data) <= _LINE_BYTES:
        # Most arguments: one line, which the encoder ends itself.
        return encode(data).decode("ascii")
    view = memoryview(data)
    whole = len(view) - len(view) % _CHUNK_BYTES
    parts = [
        b"\n".join(_LINES.unpack(encode(view[start : start + _CHUNK_BYTES], newline=False)))
        for start in range(0, whole, _CHUNK_BYTES)
    ]
    rest = encode(view[whole:], newline=False)
    parts += [rest[start : start + _LINE] for start in range(0, len(rest), _LINE)]
    parts.append(b"")
    return b"\n".join(parts).decode("ascii")


def from_base64(text: str) -> bytes:
    """Decode base64, with or without newlines.

    Raises:
        DeserializationError: the text is no base64.
    """
    try:
        return binascii.a2b_base64(text)
    except ValueError as error:
        raise DeserializationError(f"not base64: {text[:40]!r}...") from error
