"""Connections and channels: the handshake, tuning, heartbeats, closing, and who is let in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pika
import pytest
from pika import spec
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.exceptions import (
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    UnroutableError,
)

from tests.scenarios.amqp.driver import (
    OWNER,
    PATIENCE_S,
    Client,
    Target,
    channel_closes_with,
    connection_closes_with,
    fresh,
)


@pytest.mark.parametrize("greeting", [b"AMQP\x00\x01\x00\x00", b"GET / HT"])
def test_another_protocol_is_answered_with_ours(target: Target, greeting: bytes) -> None:
    """The broker sends the header of the version that it speaks, and closes the socket."""
    with target.wire() as wire:
        wire.send(greeting)
        answer = wire.receive_all()
    newest = b"AMQP\x03\x01\x00\x00" if target.is_rabbitmq_4 else b"AMQP\x00\x00\x09\x01"
    assert answer == newest


def test_the_server_says_what_it_can_do(target: Target) -> None:
    """Confirms, nack and cancel notifications: what an agent asks for."""
    with target.wire() as wire:
        wire.send(b"AMQP\x00\x00\x09\x01")
        start = wire.expect(spec.Connection.Start)
        capabilities = start.server_properties["capabilities"]
        for name in (
            "publisher_confirms",
            "basic.nack",
            "consumer_cancel_notify",
            "authentication_failure_close",
        ):
            assert capabilities[name] is True
        assert b"PLAIN" in start.mechanisms.split()
        assert (start.version_major, start.version_minor) == (0, 9)


@pytest.mark.parametrize(("user", "password"), [(OWNER, "wrong"), ("nobody", ""), ("", "")])
def test_wrong_credentials_are_refused(target: Target, user: str, password: str) -> None:
    """A client that can hear it is told 403."""
    address = urlsplit(target.urls[OWNER])
    parameters = pika.ConnectionParameters(
        str(address.hostname), address.port, credentials=pika.PlainCredentials(user, password)
    )
    with pytest.raises(ProbableAuthenticationError, match="403"):
        pika.BlockingConnection(parameters)


def test_an_unknown_mechanism_is_refused(target: Target) -> None:
    """No login, and the connection ends."""
    with target.wire() as wire:
        wire.start_ok(target.urls[OWNER], mechanism="ROT13")
        assert wire.close_code() in (0, 503)


def test_an_unknown_virtual_host_is_530(target: Target) -> None:
    """pika names it an access problem."""
    with pytest.raises(ProbableAccessDeniedError, match="530"):
        target.connect(virtual_host="elsewhere")


@pytest.mark.parametrize(("frame_max", "channel_max"), [(1024, 2047), (2**20, 2047), (131072, 0)])
def test_limits_outside_the_servers_are_refused(
    target: Target, frame_max: int, channel_max: int
) -> None:
    """Frames below 4,096 bytes or over the server's, and any number of channels.

    RabbitMQ closes the socket without a word.
    """
    with target.wire() as wire:
        wire.log_in(target.urls[OWNER], frame_max=frame_max, channel_max=channel_max)
        assert wire.close_code() in (0, 530)


def test_channels_are_limited_as_negotiated(target: Target) -> None:
    """One channel too many closes the connection with 530."""
    with target.wire() as wire:
        wire.ready(target.urls[OWNER], channel_max=2).open_channel(2)
        wire.method(3, spec.Channel.Open())
        assert wire.close_code() == 530


def test_the_server_sends_heartbeats(target: Target) -> None:
    """With an interval of one second something arrives on an idle connection."""
    with target.wire().ready(target.urls[OWNER], heartbeat=1) as wire:
        frame = wire.frame()
        assert frame is not None
        assert (frame[0], frame[1], frame[2]) == (8, 0, b"")


def test_a_silent_peer_is_cut_off(target: Target, client: Client) -> None:
    """After two missed heartbeats the socket ends, and its exclusive queue goes."""
    with target.wire().ready(target.urls[OWNER], heartbeat=1) as wire:
        wire.method(1, spec.Queue.Declare(queue=fresh("silent"), exclusive=True))
        queue = wire.expect(spec.Queue.DeclareOk).queue
        assert wire.close_code() == 0
    client.ask_until(lambda: _is_missing(client, queue))


def _is_missing(client: Client, queue: str) -> bool:
    """Tell whether a queue is gone, in one round trip that harms no channel."""
    try:
        client.publish(queue, b"")
    except UnroutableError:
        return True
    return False


def test_closing_is_answered(target: Target, client: Client) -> None:
    """close, close-ok, and what the connection held is free."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Queue.Declare(queue=fresh("mine"), exclusive=True))
        queue = wire.expect(spec.Queue.DeclareOk).queue
        wire.method(0, spec.Connection.Close(200, "bye", 0, 0))
        wire.expect(spec.Connection.CloseOk)
        client.ask_until(lambda: _is_missing(client, queue))


def test_an_error_closes_its_channel_only(client: Client) -> None:
    """Its neighbour goes on, and its number can be used again."""
    queue = client.queue()
    client.publish(queue, b"0")
    failing = client.connection.channel()
    number = failing.channel_number
    with channel_closes_with(404):
        failing.queue_declare(fresh("missing"), passive=True)
    client.publish(queue, b"1")
    assert client.get_all(queue) == [b"0", b"1"]
    again = client.connection.channel(number)
    assert again.queue_declare(queue, passive=True).method.message_count == 0


def test_a_channel_error_names_the_method(target: Target) -> None:
    """channel.close carries class and method of the request that failed."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Queue.Declare(queue=fresh("missing"), passive=True))
        close = wire.expect(spec.Channel.Close)
        assert (close.reply_code, close.class_id, close.method_id) == (404, 50, 10)
        # Whatever was under way is dropped until the client has answered.
        wire.method(1, spec.Basic.Qos())
        wire.method(1, spec.Channel.CloseOk())
        wire.open_channel(1)


def test_a_failed_publish_names_basic_publish(target: Target) -> None:
    """Although it is the content that completes it."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Basic.Publish(exchange=fresh("missing")))
        wire.send(b"\x02\x00\x01\x00\x00\x00\x0e\x00\x3c" + bytes(12) + b"\xce")
        close = wire.expect(spec.Channel.Close)
        assert (close.reply_code, close.class_id, close.method_id) == (404, 60, 40)


def test_flow_can_be_confirmed_but_not_stopped(target: Target) -> None:
    """channel.flow to stop deliveries is 540; prefetch is the way."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Channel.Flow(active=True))
        assert wire.expect(spec.Channel.FlowOk).active is True
        wire.method(1, spec.Channel.Flow(active=False))
        assert wire.close_code() == 540


@pytest.mark.parametrize("adapter", [pika.SelectConnection, AsyncioConnection])
def test_pikas_asynchronous_connections_work(target: Target, adapter: Callable[..., Any]) -> None:
    """Declare, consume with a consumer of its own, publish with confirms, cancel, close."""
    loop = asyncio.new_event_loop()
    events: list[str] = []

    def opened(connection: Any) -> None:
        connection.channel(on_open_callback=channel_opened)

    def channel_opened(channel: Any) -> None:
        def declared(frame: Any) -> None:
            queue = frame.method.queue
            channel.confirm_delivery(lambda frame: events.append(frame.method.NAME))
            channel.basic_consume(queue, delivered, exclusive=True)
            channel.basic_publish("", queue, b"hello", mandatory=True)

        channel.queue_declare("", exclusive=True, callback=declared)

    def delivered(channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        events.append(body.decode())
        channel.basic_ack(method.delivery_tag, multiple=True)
        channel.basic_cancel(method.consumer_tag, callback=lambda _: channel.connection.close())

    def closed(connection: Any, reason: Any) -> None:
        events.append(f"closed {reason.reply_code}")
        stop()

    def stop() -> None:
        if adapter is AsyncioConnection:
            loop.stop()
        else:
            connection.ioloop.stop()

    options = {"custom_ioloop": loop} if adapter is AsyncioConnection else {}
    connection = adapter(
        pika.URLParameters(target.urls[OWNER]),
        on_open_callback=opened,
        on_close_callback=closed,
        **options,
    )
    connection.ioloop.call_later(PATIENCE_S, stop)
    if adapter is AsyncioConnection:
        loop.run_forever()
    else:
        connection.ioloop.start()
        connection.ioloop.close()
    loop.close()
    assert sorted(events) == ["Basic.Ack", "closed 200", "hello"]


def test_many_connections_come_and_go(target: Target, client: Client) -> None:
    """Fifty at once; each has its own exclusive queue, and none is left afterwards."""
    clients = [target.connect() for _ in range(50)]
    queues = [connected.queue() for connected in clients]
    assert len(set(queues)) == 50
    for connected in clients:
        connected.connection.close()
    with channel_closes_with(404):
        client.depth(queues[0])


def test_an_open_channel_cannot_be_opened_again(target: Target) -> None:
    """504, an error of the connection."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Channel.Open())
        assert wire.close_code() == 504


def test_an_error_of_the_connection_tells_the_code(target: Target) -> None:
    """pika raises it from the call that waited."""
    with target.connect() as client, connection_closes_with(540):
        client.channel.basic_recover(requeue=False)
