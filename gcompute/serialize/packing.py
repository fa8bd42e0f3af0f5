"""Several serialized buffers in one text, and apart again.

For each buffer: its length in characters as a decimal number, a newline, the buffer.
Source: ``docs/wire.md#serialized-buffers``.
"""

from __future__ import annotations

from collections.abc import Iterable

from gcompute.errors import DeserializationError

#: Longer than any length that a buffer in memory can have.
_MAX_DIGITS = 20


def pack_buffers(buffers: Iterable[str]) -> str:
    """Join buffers into one text that :func:`unpack_buffers` takes apart."""
    return "".join([f"{len(buffer)}\n{buffer}" for buffer in buffers])


def unpack_buffers(packed_buffer: str) -> list[str]:
    """Take a packed text apart.

    Raises:
        DeserializationError: a length is missing, no number, negative, or larger than what
            follows it.
    """
    buffers = []
    position = 0
    while position < len(packed_buffer):
        newline = packed_buffer.find("\n", position, position + _MAX_DIGITS + 1)
        digits = packed_buffer[position : newline if newline >= 0 else position + _MAX_DIGITS]
        if newline < 0 or not (digits.isascii() and digits.isdigit()):
            raise DeserializationError(
                f"at character {position} of a packed text of {len(packed_buffer)} stands "
                f"{digits!r} where the length of a buffer and a newline are expected"
            )
        start, end = newline + 1, newline + 1 + int(digits)
        if end > len(packed_buffer):
            raise DeserializationError(
                f"a buffer of {digits} characters is announced, {len(packed_buffer) - start} follow"
            )
        buffers.append(packed_buffer[start:end])
        position = end
    return buffers
