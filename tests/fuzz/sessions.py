"""Recorded AMQP sessions: what pika sent to the broker while it did what clients and agents do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pika
from pika.exceptions import AMQPChannelError

from tests.fuzz.broker_process import RunningBroker

_PATIENCE_S = 15.0


def recorded_sessions(broker: RunningBroker) -> list[bytes]:
    """Let pika do each of the `_SCRIPTS`, and return what it sent."""
    return [_record(broker, script) for script in _SCRIPTS]


def _record(broker: RunningBroker, script: Callable[[Any], None]) -> bytes:
    sent = bytearray()
    with _recording(broker.address, sent) as port:
        place = urlsplit(broker.url)
        url = place._replace(netloc=place.netloc.replace(str(place.port), str(port))).geturl()
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            script(connection.channel())
    return bytes(sent)


@contextmanager
def _recording(address: tuple[str, int], sent: bytearray) -> Iterator[int]:
    """Pass one connection on, and keep what its client sends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_pass_on, args=(listener, address, sent))
        thread.start()
        yield listener.getsockname()[1]
        thread.join(_PATIENCE_S)


def _pass_on(listener: socket.socket, address: tuple[str, int], sent: bytearray) -> None:
    client, _ = listener.accept()
    with client, socket.create_connection(address, _PATIENCE_S) as server:
        back = threading.Thread(target=_copy, args=(server, client, bytearray()))
        back.start()
        _copy(client, server, sent)
        back.join(_PATIENCE_S)


def _copy(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    try:
        while data := source.recv(65536):
            kept += data
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # One side has closed, so there is nobody to tell.
        return


def _agent(channel: Any) -> None:
    """Check what is there, confirm, publish results, consume and acknowledge."""
    channel.exchange_declare("results", "direct")
    channel.queue_declare("tasks", arguments={"x-expires": 60_000, "x-max-length": 100})
    channel.queue_bind("tasks", "results", "endpoint.result")
    channel.queue_declare("tasks", passive=True)
    channel.confirm_delivery()
    properties = pika.BasicProperties(
        delivery_mode=2,
        content_type="application/octet-stream",
        headers={"task_uuid": "b0a5d1a0", "result_serializers": ["a", "b"], "deep": {"n": 1}},
    )
    for body in (b"", b"small", bytes(9000)):
        channel.basic_publish("results", "endpoint.result", body, properties, mandatory=True)
    for method, _, _ in channel.consume("tasks", exclusive=True, inactivity_timeout=_PATIENCE_S):
        channel.basic_ack(method.delivery_tag, multiple=True)
        if method.delivery_tag == 3:
            break
    channel.cancel()


def _client(channel: Any) -> None:
    """Fetch, give back, reject, recover, purge."""
    channel.basic_qos(prefetch_count=2)
    queue = channel.queue_declare("group", auto_delete=False, exclusive=False).method.queue
    for number in range(4):
        channel.basic_publish("", queue, b"result %d" % number)
    method, _, _ = channel.basic_get(queue)
    channel.basic_nack(method.delivery_tag, requeue=True)
    channel.basic_get(queue)
    channel.basic_recover(requeue=True)
    method, _, _ = channel.basic_get(queue)
    channel.basic_reject(method.delivery_tag, requeue=False)
    channel.queue_purge(queue)
    channel.queue_delete(queue)


def _topology(channel: Any) -> None:
    """Declare, bind and delete on two channels, one of which fails."""
    channel.exchange_declare("topics", "topic", durable=True)
    channel.queue_declare("patterns", durable=True, arguments={"x-max-length": 5})
    channel.queue_bind("patterns", "topics", "#.a.*.b.#")
    channel.basic_publish("topics", "x.a.y.b", b"routed")
    other = channel.connection.channel()
    try:
        other.queue_declare("missing", passive=True)
    except AMQPChannelError:
        channel.queue_unbind("patterns", "topics", "#.a.*.b.#")
    channel.exchange_delete("topics", if_unused=True)


_SCRIPTS: tuple[Callable[[Any], None], ...] = (_agent, _client, _topology)
