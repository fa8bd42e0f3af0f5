"""The AMQP side of an endpoint or a client, in a few blocking calls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika

from gcompute.messages import Message, encode

_TIMEOUT_S = 60.0


@contextmanager
def channel(url: str) -> Iterator[Any]:
    """Open a connection with a confirming channel."""
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = _TIMEOUT_S
    connection = pika.BlockingConnection(parameters)
    try:
        opened = connection.channel()
        opened.confirm_delivery()
        yield opened
    finally:
        if connection.is_open:
            connection.close()


def receive(opened: Any, queue: str, count: int = 1) -> list[tuple[Any, bytes]]:
    """Wait for messages of a queue, and acknowledge them; give properties and bodies."""
    received: list[tuple[Any, bytes]] = []
    deadline = time.monotonic() + _TIMEOUT_S
    for method, properties, body in opened.consume(queue, inactivity_timeout=_TIMEOUT_S):
        assert method is not None, f"{len(received)} of {count} messages came to {queue}"
        received.append((properties, body))
        opened.basic_ack(method.delivery_tag)
        if len(received) == count:
            break
        assert time.monotonic() < deadline
    opened.cancel()
    return received


def publish(opened: Any, info: dict[str, Any], message: Message) -> None:
    """Publish a message as a registration says; it is confirmed when this returns."""
    arguments = dict(info["queue_publish_kwargs"])
    arguments["properties"] = pika.BasicProperties(**arguments["properties"])
    opened.basic_publish(body=encode(message), **arguments)
