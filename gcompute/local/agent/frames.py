"""How agent and worker speak over their socket. Pure.

A frame is its length in bytes (4 bytes, big-endian) and its payload. To the worker, a payload is
a task: one line of JSON (``task_id``, ``result_serializers``) and the AMQP body as it came. To
the agent, the first payload is empty and says that the worker is warm; each one after that is
the AMQP body of the result of the task that it was given last.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence

_LENGTH = struct.Struct(">I")
LENGTH_SIZE = _LENGTH.size


def encode_frame(payload: bytes) -> bytes:
    """Put the length before a payload."""
    return _LENGTH.pack(len(payload)) + payload


def payload_length(head: bytes) -> int:
    """Read the length before a payload."""
    length: int = _LENGTH.unpack(head)[0]
    return length


def encode_task(task_id: str, result_serializers: Sequence[str], body: bytes) -> bytes:
    """Give the frame of a task."""
    line = json.dumps({"task_id": task_id, "result_serializers": list(result_serializers)})
    return encode_frame(b"%b\n%b" % (line.encode(), body))


def decode_task(payload: bytes) -> tuple[str, list[str], bytes]:
    """Give back what :func:`encode_task` was given."""
    line, _, body = payload.partition(b"\n")
    head = json.loads(line)
    return head["task_id"], head["result_serializers"], body


class FrameReader:
    """Cuts a stream of bytes, as it arrives, into payloads."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes, and give the payloads that are complete by now."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= LENGTH_SIZE:
            end = LENGTH_SIZE + payload_length(bytes(buffer[:LENGTH_SIZE]))
            if len(buffer) < end:
                return
            payload = bytes(buffer[LENGTH_SIZE:end])
            del buffer[:end]
            yield payload
