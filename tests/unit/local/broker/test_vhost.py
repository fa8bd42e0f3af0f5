"""The virtual host without connections: expiry, and what goes with what."""

from __future__ import annotations

import pytest

from gcompute.local.broker.faults import ChannelFault
from gcompute.local.broker.queue import Queue
from gcompute.local.broker.vhost import VirtualHost
from tests.unit.local.broker.fakes import FakeConsumer, message

ANN, BOB = object(), object()


def declare(vhost: VirtualHost, name: str, *, exclusive: bool = False, **arguments: int) -> Queue:
    """Declare a queue for Ann; arguments in Python's spelling."""
    table = {f"x-{key}": value for key, value in arguments.items()}
    return vhost.declare_queue(
        name, ANN, durable=False, exclusive=exclusive, auto_delete=False, arguments=table
    )


def test_a_queue_expires_when_nobody_has_used_it() -> None:
    """Not before, and use puts it off."""
    vhost = VirtualHost()
    queue = declare(vhost, "q", expires=10_000)
    assert vhost.next_expiry == 10.0
    vhost.now = 6.0
    vhost.touch(queue)
    vhost.now = 10.0
    vhost.expire()
    assert "q" in vhost.queues
    assert vhost.next_expiry == 16.0
    vhost.now = 16.0
    vhost.expire()
    assert vhost.queues == {}
    assert vhost.next_expiry is None


def test_a_queue_with_a_consumer_does_not_expire() -> None:
    """Its time begins when the last consumer has left."""
    vhost = VirtualHost()
    queue = declare(vhost, "q", expires=10_000)
    consumer = FakeConsumer()
    vhost.add_consumer(queue, consumer)
    vhost.now = 50.0
    vhost.expire()
    vhost.remove_consumer(queue, consumer)
    assert vhost.next_expiry == 60.0
    vhost.now = 60.0
    vhost.expire()
    assert vhost.queues == {}


def test_a_queue_made_again_has_a_life_of_its_own() -> None:
    """The expiry of its predecessor does not touch it."""
    vhost = VirtualHost()
    vhost.delete_queue(declare(vhost, "q", expires=10_000))
    vhost.now = 5.0
    declare(vhost, "q", expires=10_000)
    vhost.now = 10.0
    vhost.expire()
    assert "q" in vhost.queues
    vhost.now = 15.0
    vhost.expire()
    assert vhost.queues == {}


def test_a_deleted_queue_leaves_no_bindings() -> None:
    """Its messages are counted, its routes are gone."""
    vhost = VirtualHost()
    queue = declare(vhost, "q")
    exchange = vhost.exchange("amq.fanout")
    exchange.bind("q", "")
    vhost.publish(message("1"), vhost.route(exchange, ""))
    assert vhost.delete_queue(queue) == 1
    assert vhost.route(exchange, "") == []
    assert vhost.route(vhost.exchange(""), "q") == []
    assert vhost.budget.used == 0


def test_exclusive_queues_go_with_their_connection() -> None:
    """And only those."""
    vhost = VirtualHost()
    declare(vhost, "ann's", exclusive=True)
    declare(vhost, "everybody's")
    with pytest.raises(ChannelFault) as raised:
        vhost.queue("ann's", BOB)
    assert raised.value.code == 405
    vhost.delete_queues_of(BOB)
    assert len(vhost.queues) == 2
    vhost.delete_queues_of(ANN)
    assert list(vhost.queues) == ["everybody's"]


@pytest.mark.parametrize(
    "argument", ["x-dead-letter-exchange", "x-max-priority", "x-single-active-consumer"]
)
def test_features_that_are_missing_are_refused(argument: str) -> None:
    """Rather than accepted and not done."""
    with pytest.raises(ChannelFault) as raised:
        VirtualHost().declare_queue(
            "q", ANN, durable=False, exclusive=False, auto_delete=False, arguments={argument: 1}
        )
    assert raised.value.code == 406
