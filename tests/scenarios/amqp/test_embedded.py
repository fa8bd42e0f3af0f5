"""What only the embedded broker has: its interface in the process, and its own limits."""

from __future__ import annotations

import logging
from contextlib import ExitStack

import pika
import pytest
from pika import spec
from pika.exceptions import (
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from gcompute.local.broker import BrokerLimits
from tests.scenarios.amqp.conftest import EmbeddedBroker, embedded_broker
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


def test_a_broker_that_is_shut_takes_nothing_more_and_gives_what_it_has() -> None:
    """Who may publish is cut off, and nobody comes in; consumers and the owner go on."""
    with embedded_broker(BrokerLimits()) as running:
        add = running.broker.add_user
        running.call(lambda: add("reader", "r", read="^q$"))
        running.call(lambda: add("writer", "w", write="^amq[.]default$"))
        target = running.target
        with (
            target.connect() as owner,
            target.wire().ready(running.broker.url("reader")) as reader,
            target.wire().ready(running.broker.url("writer")) as writer,
            target.wire() as mute,
        ):
            queue = owner.queue("q", exclusive=False)
            writer.method(1, spec.Confirm.Select())
            writer.expect(spec.Confirm.SelectOk)
            writer.message(1, queue, b"\x00\x00", b"in time")
            writer.expect(spec.Basic.Ack)
            running.call(lambda: running.broker.shut("it ends", publishers_but=OWNER))
            assert writer.expect(spec.Connection.Close).reply_code == 320
            # Its last words are not heard, and so not confirmed.
            writer.message(1, queue, b"\x00\x00", b"too late")
            assert mute.receive_all() == b""
            with pytest.raises(ConnectionRefusedError):
                target.wire()
            reader.method(1, spec.Basic.Get(queue=queue, no_ack=True))
            reader.expect(spec.Basic.GetOk)
            assert owner.depth(queue) == 0


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


def test_one_connection_too_many_is_closed_until_there_is_room() -> None:
    """Those that are logged in go on; the log says so once."""
    with embedded_broker(BrokerLimits(max_connections=3)) as running:
        target = running.target
        with target.connect() as client:
            with target.wire().ready(target.urls[OWNER]), target.wire().ready(target.urls[OWNER]):
                with target.wire() as refused:
                    assert refused.receive_all() == b""
                client.queue()
            client.ask_until(lambda: _is_let_in(target))


def test_who_has_not_logged_in_gives_way() -> None:
    """The first of them: connections that say nothing keep nobody out."""
    with embedded_broker(BrokerLimits(max_connections=3)) as running:
        target = running.target
        with target.connect() as client, target.wire() as mute, target.wire() as half:
            for wire in (mute, half):
                # An answer to bytes: the broker has taken the connection in.
                wire.send(b"AMQP\x00\x00\x09\x01")
                wire.expect(spec.Connection.Start)
            with target.connect() as another:
                assert mute.receive_all() == b""
                another.queue()
            client.queue()


def test_accounts_of_one_holder_share_their_places() -> None:
    """Who has too many connections is told so, and others are let in."""
    with embedded_broker(BrokerLimits(max_connections=9, max_share=1)) as running:
        for name in ("one", "two"):
            running.call(lambda name=name: running.broker.add_user(name, "pw", holder="ada"))
        target, urls = running.target, [running.broker.url(name) for name in ("one", "two")]
        parameters = pika.URLParameters(urls[0])
        with ExitStack() as opened:
            for number in range(5):
                opened.enter_context(target.wire().ready(urls[number % 2]))
            with pytest.raises(ProbableAccessDeniedError, match=r"506.*has 5 connections"):
                pika.BlockingConnection(parameters)
            opened.enter_context(target.connect()).queue()


def _is_let_in(target: Target) -> bool:
    with target.wire() as wire:
        wire.send(b"GET / HT")
        return wire.receive_all() != b""


@pytest.mark.parametrize("sent", [b"", b"AM", b"AMQP\x00\x00\x09\x01", b"AMQP\x00\x00\x09\x01\x01"])
def test_who_does_not_log_in_in_time_is_cut_off(sent: bytes) -> None:
    """However far he came; one who is logged in may be silent."""
    limits = BrokerLimits()
    with embedded_broker(limits) as running:
        target = running.target
        with target.connect() as client, target.wire() as slow:
            slow.send(sent)
            client.ask_until(lambda: running.open_connections == 2)
            running.later(limits.handshake_timeout_s)
            slow.receive_all()
            client.queue()


def test_who_does_not_read_his_last_words_is_cut_off() -> None:
    """A closed connection does not wait for ever for its peer to read."""
    with embedded_broker(BrokerLimits(close_timeout_s=0.2)) as running:
        target = running.target
        with target.connect() as client, target.wire().ready(target.urls[OWNER]) as wire:
            queue = client.queue("kept", exclusive=False)
            client.publish(queue, *[bytes(2**20)] * 20)
            wire.method(1, spec.Basic.Consume(queue=queue, no_ack=False))
            # Its consumer holds messages now, and gives them back when the connection is gone.
            depths = [20]
            while len(depths) < 50 or len(set(depths[-50:])) > 1:
                depths.append(client.depth(queue))
            assert depths[-1] < 20
            wire.method(0, spec.Connection.Close(200, "", 0, 0))
            client.ask_until(lambda: running.open_connections == 1)
            assert client.depth(queue) == 20


def test_a_slow_reader_does_not_make_the_broker_grow() -> None:
    """What is fetched and given back over and over waits in the socket, and then goes on."""
    with embedded_broker(BrokerLimits(write_high_water=10_000)) as running:
        target = running.target
        with target.connect() as client, target.wire().ready(target.urls[OWNER]) as wire:
            queue = client.queue("one", exclusive=False)
            client.publish(queue, bytes(100_000))
            rounds = 1000
            for tag in range(1, rounds + 1):
                wire.method(1, spec.Basic.Get(queue=queue))
                wire.method(1, spec.Basic.Nack(tag))
            assert client.depth(queue) in (0, 1)
            for _ in range(rounds):
                wire.expect(spec.Basic.GetOk)
                assert wire.frame() is not None
                assert wire.frame() is not None
            client.ask_until(lambda: client.depth(queue) == 1)


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
