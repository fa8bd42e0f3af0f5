"""Peers that ask for too much of the broker: time, memory, attention."""

from __future__ import annotations

import select
import socket
import time
from contextlib import ExitStack

import pika
from pika import spec

from tests.fuzz.broker_process import LIMITS, RunningBroker
from tests.fuzz.bystander import ROUND_TRIP_S, Bystander
from tests.scenarios.amqp.driver import Target, Wire

_MIB = 2**20
#: What the kernel holds of one connection in both directions, at most, in bytes.
_SOCKETS = 16 * _MIB


def _target(broker: RunningBroker) -> Target:
    return Target("embedded", *broker.address, {"owner": broker.url})


def test_slow_logins_keep_nobody_out(broker: RunningBroker) -> None:
    """Hundreds that send a byte now and then are cut off in time, and others go on."""
    header = b"AMQP\x00\x00\x09\x01\x01\x00\x00\x00\x00\x10\x00"
    began = time.monotonic()
    with Bystander(broker.url) as bystander, ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(broker.address, 15)) for _ in range(300)
        ]
        sent = 0
        while slow:
            assert time.monotonic() - began < LIMITS.handshake_timeout_s + 20
            for peer in slow:
                try:
                    peer.send(header[sent % len(header)].to_bytes(1, "big"))
                except OSError:
                    continue
            sent += 1
            ended = select.select(slow, [], [], LIMITS.handshake_timeout_s / 20)[0]
            slow = [peer for peer in slow if peer not in ended or _speaks(peer)]
        rounds = bystander.rounds
    assert time.monotonic() - began >= LIMITS.handshake_timeout_s
    assert rounds > 20
    assert bystander.slowest_s < ROUND_TRIP_S


def _speaks(peer: socket.socket) -> bool:
    try:
        return bool(peer.recv(65536))
    except OSError:
        return False


def test_who_publishes_faster_than_others_consume_waits_in_his_socket(
    broker: RunningBroker,
) -> None:
    """The broker holds what it may, and has it all in the end, in order."""
    target = _target(broker)
    with target.connect() as consumer, target.wire().ready(broker.url) as publisher:
        queue = consumer.queue("outrun", exclusive=False)
        before = broker.memory
        sent = 0
        while publisher.takes(0.5):
            publisher.message(1, queue, b"\x00\x00", sent.to_bytes(4, "big") * (_MIB // 64))
            sent += 1
            assert sent * _MIB // 16 < LIMITS.max_queued_bytes + _SOCKETS
        assert broker.memory - before < 2 * LIMITS.max_queued_bytes
        inbox = consumer.consume(queue, auto_ack=True)
        received = [message.body[:4] for message in inbox.wait_for(sent)]
        assert received == [number.to_bytes(4, "big") for number in range(sent)]


def test_who_consumes_and_does_not_read_costs_little(broker: RunningBroker) -> None:
    """His messages stay in their queue, and the broker's memory is that of the queue."""
    target = _target(broker)
    with target.connect() as client, ExitStack() as stack:
        queue = client.queue("unread", exclusive=False)
        client.publish(queue, *[bytes(_MIB // 2)] * 10)
        before = broker.memory
        for number in range(20):
            wire: Wire = stack.enter_context(target.wire().ready(broker.url))
            for tag in range(1, 400):
                # Fetched and given back: the same message, again and again.
                wire.method(1, spec.Basic.Get(queue=queue))
                wire.method(1, spec.Basic.Nack(tag, requeue=True))
            client.publish(queue, b"%d" % number)
        assert broker.memory - before < 20 * 3 * 2**20


def test_a_closed_broker_leaves_no_session_behind(broker: RunningBroker) -> None:
    """Thousands of sessions, one after the other, cost no memory."""
    for _ in range(100):
        pika.BlockingConnection(pika.URLParameters(broker.url)).close()
    before = broker.memory
    for _ in range(300):
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            channel = connection.channel()
            name = channel.queue_declare("", exclusive=True).method.queue
            channel.basic_publish("", name, bytes(10_000))
    assert broker.memory - before < 4 * _MIB
