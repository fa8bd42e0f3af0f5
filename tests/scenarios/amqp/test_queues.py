"""Queues: declaring, binding, purging, deleting, and whom they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pika.exceptions import UnroutableError

from tests.scenarios.amqp.driver import Client, Target, channel_closes_with, fresh


def test_the_server_names_a_queue_without_a_name(client: Client) -> None:
    """Two queues declared without a name have different names with the reserved prefix."""
    first, second = client.queue(), client.queue()
    assert first.startswith("amq.gen-")
    assert first != second


def test_an_empty_name_stands_for_the_queue_declared_last(client: Client) -> None:
    """Consuming from '' consumes from the queue that this channel declared last."""
    queue = client.queue()
    client.publish(queue, b"hello")
    assert client.get("") == b"hello"


def test_an_empty_name_without_a_declaration_is_404(client: Client) -> None:
    """A channel that has declared nothing cannot mean a queue with ''."""
    with channel_closes_with(404, "no previously declared queue"):
        client.get("")


def test_passive_declare_of_a_missing_queue_is_404(client: Client) -> None:
    """The channel closes, and the text names queue and virtual host."""
    with channel_closes_with(404, "NOT_FOUND - no queue 'nothing-here' in vhost '/'"):
        client.channel.queue_declare("nothing-here", passive=True)


def test_passive_declare_counts_messages_and_consumers(client: Client) -> None:
    """Only ready messages count, and consumers count per queue."""
    queue = client.queue()
    client.publish(queue, b"1", b"2")
    assert (client.depth(queue), client.consumers(queue)) == (2, 0)
    client.consume(queue).wait_for(2)
    assert (client.depth(queue), client.consumers(queue)) == (0, 1)


def test_declaring_again_with_the_same_attributes_is_fine(client: Client) -> None:
    """A second declaration changes nothing and tells the message count."""
    name = client.queue(fresh("same"), arguments={"x-expires": 60_000})
    client.publish(name, b"1")
    again = client.channel.queue_declare(name, exclusive=True, arguments={"x-expires": 60_000})
    assert again.method.message_count == 1


@pytest.mark.parametrize(
    "change",
    [{"durable": True}, {"auto_delete": True}, {"arguments": {"x-expires": 60_000}}],
    ids=["durable", "auto_delete", "arguments"],
)
def test_declaring_again_with_other_attributes_is_406(
    client: Client, change: dict[str, Any]
) -> None:
    """The channel closes and the queue stays as it was."""
    name = client.queue(fresh("other"), exclusive=False)
    with channel_closes_with(406, "inequivalent arg"):
        client.channel.queue_declare(name, **change)
    client.new_channel().queue_declare(name)
    client.channel.queue_delete(name)


@pytest.mark.parametrize(
    "arguments",
    [{"x-expires": 0}, {"x-expires": "soon"}, {"x-message-ttl": -1}, {"x-max-length": -1}],
)
def test_an_argument_that_makes_no_sense_is_406(client: Client, arguments: dict[str, Any]) -> None:
    """The queue is not made."""
    name = fresh("senseless")
    with channel_closes_with(406):
        client.queue(name, arguments=arguments)
    client.new_channel()
    with channel_closes_with(404):
        client.depth(name)


def test_a_reserved_name_is_403(client: Client) -> None:
    """Clients may not make queues that begin with 'amq.'."""
    with channel_closes_with(403, "reserved prefix"):
        client.queue("amq.mine")


@pytest.mark.parametrize("operation", ["declare", "passive", "consume", "delete", "purge", "bind"])
def test_an_exclusive_queue_is_locked_for_other_connections(
    client: Client, other: Client, operation: str
) -> None:
    """Whatever another connection does with it closes its channel with 405."""
    name = client.queue(fresh("locked"))
    actions: dict[str, Callable[[], object]] = {
        "declare": lambda: other.channel.queue_declare(name, exclusive=True),
        "passive": lambda: other.channel.queue_declare(name, passive=True),
        "consume": lambda: other.consume(name),
        "delete": lambda: other.channel.queue_delete(name),
        "purge": lambda: other.channel.queue_purge(name),
        "bind": lambda: other.channel.queue_bind(name, "amq.topic", "key"),
    }
    with channel_closes_with(405, "RESOURCE_LOCKED"):
        actions[operation]()
    assert client.depth(name) == 0


def test_an_exclusive_queue_goes_with_its_connection(target: Target, client: Client) -> None:
    """After the owner has closed, the name is free."""
    name = fresh("owned")
    with target.connect() as owner:
        owner.queue(name)
    with channel_closes_with(404):
        client.depth(name)


def test_an_auto_delete_queue_goes_with_its_last_consumer(client: Client) -> None:
    """It lives without consumers until it has had one."""
    name = client.queue(fresh("auto"), exclusive=False, auto_delete=True)
    first, second = client.consume(name), client.consume(name)
    client.channel.basic_cancel(first.consumer_tag)
    assert client.consumers(name) == 1
    client.channel.basic_cancel(second.consumer_tag)
    with channel_closes_with(404):
        client.depth(name)


def test_purge_drops_ready_messages_only(client: Client) -> None:
    """The count tells how many; an unacknowledged message can still come back."""
    name = client.queue()
    client.publish(name, b"held", b"2", b"3")
    assert client.get(name, auto_ack=False) == b"held"
    assert client.channel.queue_purge(name).method.message_count == 2
    client.channel.basic_recover(requeue=True)
    assert client.get_all(name) == [b"held"]


def test_delete_tells_how_many_messages_it_dropped(client: Client) -> None:
    """And the queue is gone."""
    name = client.queue()
    client.publish(name, b"1", b"2")
    assert client.channel.queue_delete(name).method.message_count == 2
    with channel_closes_with(404):
        client.depth(name)


def test_deleting_a_missing_queue_is_fine(client: Client) -> None:
    """It had no messages."""
    assert client.channel.queue_delete(fresh("missing")).method.message_count == 0


def test_delete_if_unused_spares_a_queue_with_consumers(client: Client) -> None:
    """406, and the queue stays."""
    name = client.queue()
    client.consume(name)
    with channel_closes_with(406, "in use"):
        client.channel.queue_delete(name, if_unused=True)
    client.new_channel().queue_delete(name, if_unused=True)


def test_delete_if_empty_spares_a_queue_with_messages(client: Client) -> None:
    """406, and the messages stay."""
    name = client.queue()
    client.publish(name, b"1")
    with channel_closes_with(406, "not empty"):
        client.channel.queue_delete(name, if_empty=True)
    client.new_channel()
    assert client.get(name) == b"1"
    client.channel.queue_delete(name, if_empty=True)


def test_an_unused_queue_expires(client: Client) -> None:
    """With x-expires, a queue that nobody uses goes, and one that has a consumer does not."""
    used, unused = (
        client.queue(fresh(name), exclusive=False, arguments={"x-expires": ms})
        for name, ms in (("used", 100), ("unused", 300))
    )
    client.consume(used)

    def expired() -> bool:
        # A passive declare would count as use: ask whether a message still finds the queue.
        try:
            client.publish(unused, b"there?")
        except UnroutableError:
            return True
        return False

    client.ask_until(expired)
    assert client.consumers(used) == 1
    client.channel.queue_delete(used)


def test_messages_outlive_their_ttl_nowhere(client: Client) -> None:
    """With x-message-ttl of zero a message without a waiting consumer is dropped."""
    name = client.queue(arguments={"x-message-ttl": 0})
    client.publish(name, b"late")
    assert client.get(name) is None


def test_a_full_queue_drops_its_oldest_message(client: Client) -> None:
    """With x-max-length the newest messages stay."""
    name = client.queue(arguments={"x-max-length": 2})
    client.publish(name, b"1", b"2", b"3")
    assert client.get_all(name) == [b"2", b"3"]
