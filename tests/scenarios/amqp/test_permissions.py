"""Permissions: what a user with patterns may do, and what it needs for it.

The limited user may configure, write and read what begins with `mine-` or has `anywhere` in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.scenarios.amqp.driver import LIMITED, Client, Target, channel_closes_with, fresh


@pytest.fixture
def limited(target: Target) -> Iterator[Client]:
    """A connection of the limited user."""
    with target.connect(LIMITED) as connected:
        yield connected


@pytest.fixture
def foreign(client: Client) -> Iterator[str]:
    """A queue that the limited user has no right to."""
    name = client.queue(fresh("foreign"), exclusive=False)
    yield name
    client.new_channel().queue_delete(name)


def test_what_matches_is_permitted(limited: Client) -> None:
    """Declare, bind, publish, consume, purge and delete, all with the matching name."""
    name = limited.queue(fresh("mine"))
    exchange = fresh("mine")
    limited.channel.exchange_declare(exchange, "fanout", auto_delete=True)
    limited.channel.queue_bind(name, exchange)
    limited.channel.basic_publish(exchange, "", b"1")
    assert limited.consume(name).wait_for(1)[0].body == b"1"
    limited.channel.queue_purge(name)
    limited.channel.queue_delete(name)


def test_a_pattern_matches_anywhere_in_the_name(limited: Client) -> None:
    """It is searched for, as RabbitMQ does; only an anchor ties it to an end."""
    limited.queue(fresh("here-anywhere-there"))
    with channel_closes_with(403):
        limited.queue(fresh("not-mine-"))


def test_declaring_needs_configure(limited: Client) -> None:
    """403 names the queue and the user, and the connection stays."""
    with channel_closes_with(403, f"refused for user '{LIMITED}'"):
        limited.queue("foreign")
    with channel_closes_with(403, "exchange"):
        limited.new_channel().exchange_declare("foreign", "direct")
    limited.new_channel()
    limited.queue(fresh("mine"))


def test_a_server_named_queue_needs_configure_too(limited: Client) -> None:
    """The made-up name must match."""
    with channel_closes_with(403):
        limited.queue()


def test_passive_declare_needs_nothing(limited: Client, foreign: str) -> None:
    """An agent may look at queues and exchanges that it may only write to."""
    assert limited.depth(foreign) == 0
    limited.channel.exchange_declare("amq.direct", passive=True)


@pytest.mark.parametrize("operation", ["consume", "get", "purge", "delete", "unbind"])
def test_a_foreign_queue_is_out_of_reach(limited: Client, foreign: str, operation: str) -> None:
    """Each closes the channel with 403."""
    actions: dict[str, Callable[[], object]] = {
        "consume": lambda: limited.consume(foreign),
        "get": lambda: limited.get(foreign),
        "purge": lambda: limited.channel.queue_purge(foreign),
        "delete": lambda: limited.channel.queue_delete(foreign),
        "unbind": lambda: limited.channel.queue_unbind(foreign, "amq.direct", "k"),
    }
    with channel_closes_with(403, f"queue '{foreign}'"):
        actions[operation]()


def test_binding_needs_to_read_from_the_exchange(limited: Client) -> None:
    """The queue is one's own, the exchange is not."""
    name = limited.queue(fresh("mine"))
    with channel_closes_with(403, "exchange 'amq.topic'"):
        limited.channel.queue_bind(name, "amq.topic", "#")


def test_publishing_needs_to_write_to_the_exchange(limited: Client) -> None:
    """The channel closes after the publish."""
    with channel_closes_with(403, "exchange 'amq.topic'"):
        limited.channel.basic_publish("amq.topic", "k", b"1")
        limited.settle()


def test_the_default_exchange_needs_a_right_as_well(limited: Client) -> None:
    """It goes by the name amq.default, which the patterns do not cover."""
    name = limited.queue(fresh("mine"))
    with channel_closes_with(403):
        limited.channel.basic_publish("", name, b"1")
        limited.settle()
