"""Records what goes over the AMQP connections of a process, frame by frame.

pika decodes each frame that comes and encodes each that goes; here both are looked at, also where
the connection is encrypted. Heartbeats are left out: how many there are is a matter of time.

An event is an object: ``from`` (``client`` or ``broker``), ``connection`` (a number), ``channel``,
and ``method`` with its arguments, ``properties``, or a ``body``: decoded under ``message`` where it
is a message of the service, as its bytes are then known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pika.connection
import pika.frame

Event = dict[str, Any]

#: The byte before the JSON of a message. Source: ``docs/wire.md#messages``.
_VERSION = b"\x01"


@contextmanager
def recorded_frames() -> Iterator[list[Event]]:
    """Record every frame of the block; gives the list to which events are added."""
    events: list[Event] = []
    numbers: dict[int, int] = {}
    kind = pika.connection.Connection
    come, go = kind._process_frame, kind._output_marshaled_frames

    def note(connection: Any, side: str, frame: Any) -> None:
        number = numbers.setdefault(id(connection), len(numbers) + 1)
        described = describe(frame)
        if described is not None:
            events.append({"from": side, "connection": number, **described})

    def process_frame(self: Any, frame: Any) -> None:
        note(self, "broker", frame)
        come(self, frame)

    def output_marshaled_frames(self: Any, frames: list[bytes]) -> None:
        for encoded in frames:
            note(self, "client", pika.frame.decode_frame(encoded)[1])
        go(self, frames)

    with (
        mock.patch.object(kind, "_process_frame", process_frame),
        mock.patch.object(kind, "_output_marshaled_frames", output_marshaled_frames),
    ):
        yield events


def describe(frame: Any) -> Event | None:
    """Give a frame as plain values; ``None`` for one that is left out."""
    channel = getattr(frame, "channel_number", 0)
    if isinstance(frame, pika.frame.Method):
        arguments = {name: _plain(value) for name, value in vars(frame.method).items()}
        if "response" in arguments:
            arguments["response"] = "\0user\0password"
        arguments.get("server_properties", {}).pop("cluster_name", None)  # it is a host's
        return {"channel": channel, "method": frame.method.NAME, "arguments": arguments}
    if isinstance(frame, pika.frame.Header):
        given = {n: _plain(v) for n, v in vars(frame.properties).items() if v is not None}
        return {"channel": channel, "properties": given, "body_size": frame.body_size}
    if isinstance(frame, pika.frame.Body):
        return {"channel": channel, "body": body_of(frame.fragment)}
    return None


def unacknowledged(events: list[Event]) -> bool:
    """Tell whether a delivery was not acknowledged yet, nor its channel closed."""
    open_deliveries: dict[tuple[int, int], int] = {}
    for event in list(events):
        key, method = (event["connection"], event["channel"]), event.get("method", "")
        if method == "Basic.Deliver":
            open_deliveries[key] = event["arguments"]["delivery_tag"]
        elif method == "Basic.Ack" and event["arguments"]["delivery_tag"] >= open_deliveries.get(
            key, 0
        ):
            open_deliveries.pop(key, None)
        elif method in ("Channel.Close", "Connection.Close"):
            for other in [
                o for o in open_deliveries if o == key or (key[1] == 0 and o[0] == key[0])
            ]:
                del open_deliveries[other]
    return bool(open_deliveries)


def body_of(content: bytes) -> Any:
    """Give a body as plain values: ``message`` where that says all, else ``hex``."""
    if content[:1] == _VERSION:
        try:
            message = json.loads(content[1:])
        except ValueError:
            pass
        else:
            return {"message": message}
    return {"hex": content.hex()}


def bytes_of(body: Any) -> bytes:
    """Give the bytes of a recorded body; those of a message may have had other spaces in them."""
    if "message" in body:
        return _VERSION + json.dumps(body["message"], separators=(",", ":")).encode()
    return bytes.fromhex(body["hex"])


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    return value
