"""Publishing: confirms, returns, sizes, and that messages pass through as they are."""

from __future__ import annotations

from collections.abc import Iterable

import pika
import pytest
from pika import spec
from pika.exceptions import UnroutableError

from tests.scenarios.amqp.driver import (
    MAX_MESSAGE_SIZE,
    OWNER,
    Client,
    Target,
    channel_closes_with,
    connection_closes_with,
    fresh,
)

#: Every kind of header that AMQP knows, as a client may encode them: a long string
#: that is no UTF-8, integers of all widths, a float, nested tables and arrays.
ODD_HEADERS = (
    b"\x01bt\x01",
    b"\x01sS\x00\x00\x00\x02\xff\xfe",
    b"\x02i1b\x80",
    b"\x02i2s\xff\x00",
    b"\x02i4I\x80\x00\x00\x00",
    b"\x02i8l\x80\x00\x00\x00\x00\x00\x00\x01",
    b"\x01dd\x3f\xf8\x00\x00\x00\x00\x00\x00",
    b"\x01xx\x00\x00\x00\x01\x00",
    b"\x01vV",
    b"\x01aA\x00\x00\x00\x02t\x00",
    b"\x01FF\x00\x00\x00\x04\x01ct\x01",
    b"\x01TT\x00\x00\x00\x00\x65\x00\x00\x00",
)


def _name(field: bytes) -> bytes:
    return field[1 : 1 + field[0]]


def _odd_properties(headers: Iterable[bytes]) -> bytes:
    """Encode the flags for content type, headers, delivery mode, priority, timestamp, and those."""
    table = b"".join(headers)
    return (
        b"\xb8\x40\x0atext/plain"
        + len(table).to_bytes(4, "big")
        + table
        + b"\x02\x09\x00\x00\x00\x00\x65\x00\x00\x00"
    )


def test_publishing_in_confirm_mode_returns_when_the_broker_has_it(client: Client) -> None:
    """pika's blocking publish waits for the acknowledgement."""
    client.channel.confirm_delivery()
    queue = client.queue()
    for body in (b"1", b"2"):
        client.channel.basic_publish("", queue, body)
    assert client.get_all(queue) == [b"1", b"2"]


def test_confirms_count_from_one_and_cover_every_message(target: Target) -> None:
    """A burst is confirmed completely and in order, one by one or many at once."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Confirm.Select())
        wire.expect(spec.Confirm.SelectOk)
        for _ in range(100):
            wire.message(1, "nobody", b"\x00\x00", b"x")
        confirmed = 0
        while confirmed < 100:
            ack = wire.expect(spec.Basic.Ack)
            assert ack.delivery_tag > confirmed
            assert ack.multiple or ack.delivery_tag == confirmed + 1
            confirmed = ack.delivery_tag
        assert confirmed == 100


def test_an_unroutable_mandatory_message_is_returned(client: Client) -> None:
    """pika raises with the message, which comes back whole."""
    client.channel.confirm_delivery()
    properties = pika.BasicProperties(message_id="42")
    with pytest.raises(UnroutableError) as raised:
        client.channel.basic_publish("amq.direct", "nobody", b"back", properties, mandatory=True)
    (message,) = raised.value.messages
    assert (message.body, message.properties.message_id) == (b"back", "42")
    assert (message.method.reply_code, message.method.reply_text) == (312, "NO_ROUTE")
    assert (message.method.exchange, message.method.routing_key) == ("amq.direct", "nobody")


def test_the_return_comes_before_the_confirm(target: Target) -> None:
    """A publisher may forget a message when it is confirmed."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Confirm.Select())
        wire.expect(spec.Confirm.SelectOk)
        wire.method(1, spec.Basic.Publish(routing_key="nobody", mandatory=True))
        wire.send(b"\x02\x00\x01\x00\x00\x00\x0e\x00\x3c" + bytes(12) + b"\xce")
        wire.expect(spec.Basic.Return)
        header = wire.frame()
        assert header is not None
        assert header[0] == 2
        assert wire.expect(spec.Basic.Ack).delivery_tag == 1


def test_an_unroutable_message_that_is_not_mandatory_is_confirmed(client: Client) -> None:
    """Nobody wanted it; that is no error."""
    client.channel.confirm_delivery()
    client.channel.basic_publish("", fresh("nobody"), b"gone")
    assert client.channel.is_open


def test_immediate_is_not_implemented(target: Target) -> None:
    """540 closes the connection."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Basic.Publish(routing_key="q", immediate=True))
        wire.send(b"\x02\x00\x01\x00\x00\x00\x0e\x00\x3c" + bytes(12) + b"\xce")
        assert wire.close_code() == 540


def test_publishing_to_a_missing_exchange_is_404(client: Client) -> None:
    """The channel closes after the publish."""
    with channel_closes_with(404, "no exchange"):
        client.channel.basic_publish(fresh("missing"), "", b"1")
        client.settle()


def test_a_message_without_a_body_arrives(client: Client) -> None:
    """An empty body is a body."""
    queue = client.queue()
    client.publish(queue, b"")
    assert client.get_all(queue) == [b""]


@pytest.mark.parametrize("size", [131_072 - 8, 131_072 - 7, 2**20, 20 * 10**6])
def test_bodies_of_any_size_arrive(client: Client, size: int) -> None:
    """Bodies that fit one frame exactly, one byte more, 1 MB, 20 MB."""
    queue = client.queue()
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    client.publish(queue, body)
    assert client.consume(queue, auto_ack=True).wait_for(1)[0].body == body


def test_a_body_is_split_at_the_negotiated_frame_size(target: Target) -> None:
    """A client that asked for small frames gets no larger ones."""
    with target.connect(frame_max=4096) as client:
        queue = client.queue()
        client.publish(queue, b"x" * 100_000)
        assert client.get(queue) == b"x" * 100_000
    with target.wire().ready(target.urls[OWNER], frame_max=4096) as wire:
        wire.method(1, spec.Queue.Declare(exclusive=True))
        queue = wire.expect(spec.Queue.DeclareOk).queue
        wire.method(1, spec.Basic.Publish(routing_key=queue))
        wire.send(b"\x02\x00\x01\x00\x00\x00\x0e\x00\x3c\x00\x00" + (8000).to_bytes(8, "big"))
        wire.send(b"\x00\x00\xce")
        for part in (b"a" * 4000, b"b" * 4000):
            wire.send(b"\x03\x00\x01" + len(part).to_bytes(4, "big") + part + b"\xce")
        wire.method(1, spec.Basic.Get(queue=queue, no_ack=True))
        wire.expect(spec.Basic.GetOk)
        wire.frame()
        received = b""
        while len(received) < 8000:
            frame = wire.frame()
            assert frame is not None
            assert len(frame[2]) <= 4096 - 8
            received += frame[2]
        assert received == b"a" * 4000 + b"b" * 4000


def test_a_message_over_the_limit_is_406(client: Client) -> None:
    """The channel closes, the connection stays."""
    queue = client.queue()
    with channel_closes_with(406, "larger than configured max size"):
        client.publish(queue, bytes(MAX_MESSAGE_SIZE + 1))
    assert client.depth(queue) == 0


def test_properties_pass_through_byte_by_byte(target: Target) -> None:
    """What a publisher encoded is what the consumer gets, in the same order and types; RabbitMQ 4
    sorts the headers by name.
    """
    sent = _odd_properties(ODD_HEADERS)
    expected = _odd_properties(sorted(ODD_HEADERS, key=_name)) if target.is_rabbitmq_4 else sent
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Queue.Declare(exclusive=True))
        queue = wire.expect(spec.Queue.DeclareOk).queue
        wire.message(1, queue, sent, b"body")
        wire.method(1, spec.Basic.Get(queue=queue, no_ack=True))
        wire.expect(spec.Basic.GetOk)
        header = wire.frame()
        assert header is not None
        assert header[2][12:] == expected


def test_headers_arrive_as_python_values(client: Client) -> None:
    """The headers of a task: texts, a list, a number, nothing."""
    queue = client.queue()
    headers = {"task_uuid": "é", "result_serializers": ["a", "b"], "n": 7, "none": None}
    client.publish(queue, b"", headers=headers, timestamp=1_700_000_000, delivery_mode=2)
    message = client.consume(queue, auto_ack=True).wait_for(1)[0]
    assert message.properties.headers == headers
    assert message.properties.timestamp == 1_700_000_000
    assert message.properties.delivery_mode == 2


def test_a_user_id_must_be_the_publishers(client: Client) -> None:
    """One's own passes, another's is 406."""
    queue = client.queue()
    client.publish(queue, b"mine", user_id=OWNER)
    with channel_closes_with(406, "user_id"):
        client.publish(queue, b"not mine", user_id="somebody")
    assert client.get_all(queue) == [b"mine"]


def test_a_message_expires_by_its_own_property(client: Client) -> None:
    """`expiration` is a text of milliseconds; zero lets nothing wait."""
    queue = client.queue()
    client.publish(queue, b"never", expiration="0")
    client.publish(queue, b"waits", expiration="60000")
    assert client.get_all(queue) == [b"waits"]


def test_an_expiration_that_is_no_number_is_406(client: Client) -> None:
    """The channel closes."""
    with channel_closes_with(406, "expiration"):
        client.publish(client.queue(), b"", expiration="soon")


def test_reusing_a_consumer_tag_is_530(target: Target) -> None:
    """A tag names one consumer of a channel."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Queue.Declare(exclusive=True))
        wire.expect(spec.Queue.DeclareOk)
        wire.method(1, spec.Basic.Consume(consumer_tag="tag"))
        wire.expect(spec.Basic.ConsumeOk)
        wire.method(1, spec.Basic.Consume(consumer_tag="tag"))
        assert wire.close_code() == 530


def test_prefetch_by_bytes_is_not_implemented(target: Target) -> None:
    """540, as for everything that the specification has and RabbitMQ does not."""
    with target.connect() as client, connection_closes_with(540):
        client.channel.basic_qos(prefetch_size=1)
