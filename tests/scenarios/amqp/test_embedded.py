"""What only the embedded broker has: its interface in the process, and its own limits."""

from __future__ import annotations

import logging

import pika
import pytest
from pika import spec
from pika.exceptions import ConnectionClosedByBroker, ProbableAuthenticationError

from tests.scenarios.amqp.conftest import EmbeddedBroker
from tests.scenarios.amqp.driver import OWNER, Target, connection_closes_with


def test_a_user_added_again_has_a_fresh_password(embedded: EmbeddedBroker) -> None:
    """Open connections go on, old passwords do not, new ones do."""
    before = embedded.target
    with before.connect() as client:
        embedded.call(lambda: embedded.broker.add_user(OWNER, "fresh", configure=".*", read=".*"))
        with pytest.raises(ProbableAuthenticationError):
            before.connect()
        with embedded.target.connect() as again:
            again.queue()
        assert client.channel.is_open
        client.queue()


def test_new_permissions_hold_for_open_connections(embedded: EmbeddedBroker) -> None:
    """What was permitted at login may be taken away."""
    with embedded.target.connect() as client:
        client.queue()
        embedded.call(lambda: embedded.broker.add_user(OWNER, "fresh"))
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="403"):
            client.queue()


def test_a_removed_user_cannot_log_in(embedded: EmbeddedBroker) -> None:
    """His open connections stay until they are closed."""
    target = embedded.target
    with target.connect() as client:
        embedded.call(embedded.broker.remove_user, OWNER)
        with pytest.raises(ProbableAuthenticationError):
            target.connect()
        client.queue()
        embedded.call(embedded.broker.close_connections, OWNER, "endpoint deleted")
        with pytest.raises(ConnectionClosedByBroker) as raised:
            client.queue()
    assert raised.value.reply_code == 320
    assert raised.value.reply_text == "CONNECTION_FORCED - endpoint deleted"


def test_stopping_tells_clients(embedded: EmbeddedBroker) -> None:
    """They get 320; a peer that does not answer is cut off, one that never spoke as well."""
    target = embedded.target
    with target.connect() as client, target.wire() as mute, target.wire() as deaf:
        deaf.ready(target.urls[OWNER])
        embedded.stop()
        with connection_closes_with(320):
            client.queue()
        assert deaf.expect(spec.Connection.Close).reply_code == 320
        assert deaf.receive() == b""
        assert mute.receive() == b""


def test_transactions_are_not_implemented(embedded: EmbeddedBroker) -> None:
    """540; RabbitMQ has them, nobody here needs them."""
    with embedded.target.connect() as client, connection_closes_with(540):
        client.channel.tx_select()


def test_full_queues_stop_publishers_until_somebody_consumes(embedded: EmbeddedBroker) -> None:
    """A publisher is not read from over the limit, and goes on when there is room."""
    target = embedded.target
    with target.connect() as consumer, target.wire().ready(target.urls[OWNER]) as publisher:
        queue = consumer.queue("full", exclusive=False)
        publisher.method(1, spec.Confirm.Select())
        publisher.expect(spec.Confirm.SelectOk)
        part = bytes(100_000)
        for _ in range(11):
            publisher.message(1, queue, b"\x00\x00", part)
        confirmed = 0
        while confirmed < 11:
            confirmed = publisher.expect(spec.Basic.Ack).delivery_tag
        # Over the limit now: what follows waits in the socket.
        publisher.message(1, queue, b"\x00\x00", b"last")
        assert consumer.depth(queue) == 11
        inbox = consumer.consume(queue, auto_ack=True)
        assert inbox.wait_for(12)[-1].body == b"last"
        assert publisher.expect(spec.Basic.Ack).delivery_tag == 12


def test_nothing_that_a_peer_does_is_an_exception_in_the_log(
    embedded: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """Broken handshakes, sockets cut in the middle, and passwords leave no trace."""
    target: Target = embedded.target
    with caplog.at_level(logging.DEBUG):
        for noise in (b"", b"AMQP", b"\xff" * 100, b"AMQP\x00\x00\x09\x01\x01\x00\x00"):
            with target.wire() as wire:
                wire.send(noise)
        with target.wire() as wire:
            wire.ready(target.urls[OWNER])
            wire.method(1, spec.Basic.Publish(routing_key="q"))
        embedded.stop()
    broker_records = [r for r in caplog.records if r.name.startswith(("gcompute", "asyncio"))]
    assert [r for r in broker_records if r.levelno >= logging.WARNING] == []
    assert "secret" not in caplog.text
    assert "secret" not in repr(embedded.broker)
