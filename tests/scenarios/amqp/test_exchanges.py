"""Exchanges: declaring, deleting, and where messages go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.amqp.driver import (
    Client,
    Target,
    channel_closes_with,
    connection_closes_with,
    fresh,
)


@pytest.fixture
def exchange(client: Client) -> Iterator[str]:
    """The name for an exchange, which is deleted afterwards."""
    name = fresh("exchange")
    yield name
    client.new_channel().exchange_delete(name)


def test_the_default_exchange_routes_by_queue_name(client: Client) -> None:
    """Every queue is bound to it with its own name."""
    first, second = client.queue(), client.queue()
    client.publish(second, b"for the second")
    assert (client.get(first), client.get(second)) == (None, b"for the second")


def test_a_direct_exchange_routes_by_the_whole_key(client: Client, exchange: str) -> None:
    """A queue gets what is published with its key, and nothing else."""
    client.channel.exchange_declare(exchange, "direct")
    queue = client.queue()
    client.channel.queue_bind(queue, exchange, "red")
    for key in ("red", "re", "red.", "blue"):
        client.channel.basic_publish(exchange, key, key.encode())
    assert client.get_all(queue) == [b"red"]


def test_a_fanout_exchange_ignores_the_key(client: Client, exchange: str) -> None:
    """Every bound queue gets one copy, however often it is bound."""
    client.channel.exchange_declare(exchange, "fanout")
    queues = [client.queue(), client.queue()]
    for queue in queues:
        client.channel.queue_bind(queue, exchange, "a")
        client.channel.queue_bind(queue, exchange, "b")
    client.channel.basic_publish(exchange, "c", b"all")
    assert [client.get_all(queue) for queue in queues] == [[b"all"], [b"all"]]


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("a.*.c", ["a.b.c", "a..c"], ["a.c", "a.b.b.c", "a.b.c.d"]),
        ("a.#", ["a", "a.b", "a.b.c"], ["b", "ab", ""]),
        ("#.z", ["z", "y.z", "x.y.z"], ["z.y", "zz"]),
        ("#", ["", "a", "a.b"], []),
        ("*", ["a"], ["", "a.b"]),
        ("a.#.#.b", ["a.b", "a.x.y.b"], ["a", "b"]),
    ],
)
def test_a_topic_exchange_matches_words(
    client: Client, exchange: str, pattern: str, matching: list[str], others: list[str]
) -> None:
    """`*` is one word, `#` any number of words."""
    client.channel.exchange_declare(exchange, "topic")
    queue = client.queue()
    client.channel.queue_bind(queue, exchange, pattern)
    for key in matching + others:
        client.channel.basic_publish(exchange, key, key.encode())
    assert client.get_all(queue) == [key.encode() for key in matching]


def test_unbind_stops_the_flow(client: Client, exchange: str) -> None:
    """And undoing a binding that does not exist is fine."""
    client.channel.exchange_declare(exchange, "direct")
    queue = client.queue()
    client.channel.queue_bind(queue, exchange, "k")
    client.channel.queue_unbind(queue, exchange, "k")
    client.channel.queue_unbind(queue, exchange, "k")
    client.channel.basic_publish(exchange, "k", b"1")
    assert client.get(queue) is None


def test_passive_declare_of_a_missing_exchange_is_404(client: Client) -> None:
    """The text names exchange and virtual host."""
    with channel_closes_with(404, "NOT_FOUND - no exchange 'nothing-here' in vhost '/'"):
        client.channel.exchange_declare("nothing-here", passive=True)


def test_passive_declare_finds_an_exchange_of_any_type(client: Client, exchange: str) -> None:
    """A passive declare compares nothing but the name."""
    client.channel.exchange_declare(exchange, "topic", durable=True)
    client.channel.exchange_declare(exchange, "direct", passive=True)


def test_declaring_again_with_another_type_is_406(client: Client, exchange: str) -> None:
    """The exchange stays as it was."""
    client.channel.exchange_declare(exchange, "topic")
    with channel_closes_with(406, "inequivalent arg 'type'"):
        client.channel.exchange_declare(exchange, "fanout")
    client.new_channel().exchange_declare(exchange, "topic")


def test_an_unknown_type_is_503(target: Target) -> None:
    """This is an error of the connection; of the channel alone, and another, to RabbitMQ 4."""
    closes = channel_closes_with(406) if target.is_rabbitmq_4 else connection_closes_with(503)
    with target.connect() as client, closes:
        client.channel.exchange_declare(fresh("odd"), "sideways")


def test_a_reserved_exchange_name_is_403(client: Client) -> None:
    """Clients may not make exchanges that begin with 'amq.'."""
    with channel_closes_with(403, "reserved prefix"):
        client.channel.exchange_declare("amq.mine", "direct")


def test_the_default_exchange_cannot_be_bound_to(client: Client) -> None:
    """Its bindings are the broker's business."""
    queue = client.queue()
    with channel_closes_with(403, "operation not permitted on the default exchange"):
        client.channel.queue_bind(queue, "", "key")


def test_binding_to_a_missing_exchange_is_404(client: Client) -> None:
    """The queue exists, the exchange does not."""
    queue = client.queue()
    with channel_closes_with(404, "no exchange"):
        client.channel.queue_bind(queue, fresh("missing"), "key")


def test_binding_a_missing_queue_is_404(client: Client) -> None:
    """The exchange exists, the queue does not."""
    with channel_closes_with(404, "no queue"):
        client.channel.queue_bind(fresh("missing"), "amq.topic", "key")


def test_delete_if_unused_spares_an_exchange_with_bindings(client: Client, exchange: str) -> None:
    """406, until the last binding is gone."""
    client.channel.exchange_declare(exchange, "fanout")
    queue = client.queue()
    client.channel.queue_bind(queue, exchange)
    with channel_closes_with(406, "in use"):
        client.channel.exchange_delete(exchange, if_unused=True)
    client.new_channel().queue_delete(queue)
    client.channel.exchange_delete(exchange, if_unused=True)


def test_deleting_a_missing_exchange_is_fine(client: Client) -> None:
    """As for queues."""
    client.channel.exchange_delete(fresh("missing"))
    assert client.channel.is_open


def test_an_auto_delete_exchange_goes_with_its_last_binding(client: Client) -> None:
    """It lives without bindings until it has had one."""
    name = fresh("auto")
    client.channel.exchange_declare(name, "fanout", auto_delete=True)
    queue = client.queue()
    client.channel.queue_bind(queue, name)
    client.channel.queue_unbind(queue, name)
    with channel_closes_with(404):
        client.channel.exchange_declare(name, passive=True)


def test_an_internal_exchange_takes_no_messages(client: Client, exchange: str) -> None:
    """Publishing to it closes the channel with 403."""
    client.channel.exchange_declare(exchange, "fanout", internal=True)
    with channel_closes_with(403, "internal exchange"):
        client.channel.basic_publish(exchange, "", b"1")
        client.settle()
