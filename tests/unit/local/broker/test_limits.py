"""The limits: what is over them is refused, and nothing that a peer asks for outgrows them."""

from __future__ import annotations

from typing import Any

import pytest
from pika import spec

from gcompute.local.broker.codec import content, method_frame
from gcompute.local.broker.connection import State
from gcompute.local.broker.limits import BrokerLimits
from gcompute.local.broker.vhost import VirtualHost
from tests.unit.local.broker.test_connection import HELLO, Peer

_LIMITS = BrokerLimits(
    max_queues=3, max_exchanges=7, max_bindings=2, max_consumers=3, max_message_size=1000
)


def _peer() -> Peer:
    return Peer(VirtualHost(_LIMITS), _LIMITS).open()


@pytest.mark.parametrize(
    "make",
    [
        lambda n: spec.Queue.Declare(queue=f"more-{n}"),
        lambda n: spec.Exchange.Declare(exchange=f"more-{n}", type="topic"),
        lambda n: spec.Queue.Bind(queue="q", exchange="amq.topic", routing_key=str(n)),
        lambda n: spec.Basic.Consume(queue="q", consumer_tag=str(n)),
    ],
    ids=["queues", "exchanges", "bindings", "consumers"],
)
def test_one_more_than_the_limit_is_406(make: Any) -> None:
    """The channel closes; what there is stays, and may be asked for again."""
    peer = _peer()
    peer.send(spec.Queue.Declare(queue="q"))
    peer.received()
    made = 0
    while made < 10:
        peer.send(make(made))
        (answer,) = peer.received()
        if answer.NAME == "Channel.Close":
            break
        made += 1
    assert made in (2, 3)
    assert answer.reply_code == 406
    assert "limit" in answer.reply_text
    peer.send(spec.Channel.CloseOk(), spec.Channel.Open(), make(0))
    assert peer.names()[-1].endswith("Ok")


def test_endpoints_may_be_as_many_as_queues() -> None:
    """Each has an exchange of its own, and its queue is bound to one that all share."""
    vhost, limits = VirtualHost(), BrokerLimits()
    vhost.declare_exchange("tasks", "direct", durable=True, auto_delete=False, internal=False)
    tasks = vhost.exchange("tasks")
    for number in range(limits.max_queues):
        name = str(number)
        vhost.declare_exchange(name, "direct", durable=True, auto_delete=False, internal=False)
        queue = vhost.declare_queue(
            name, None, durable=True, exclusive=False, auto_delete=False, arguments=None
        )
        vhost.bind(queue, tasks, name)
    assert len(vhost.queues) == limits.max_queues


def test_what_is_gone_makes_room() -> None:
    """Unbound, cancelled, deleted, closed: the limits count what there is now."""
    peer = _peer()
    peer.send(spec.Queue.Declare(queue="q"))
    for round_ in range(5):
        key, name = str(round_), f"queue-{round_}"
        peer.send(
            spec.Queue.Declare(queue=name),
            spec.Queue.Bind(queue="q", exchange="amq.topic", routing_key=key),
            spec.Basic.Consume(queue="q", consumer_tag=key),
            spec.Basic.Consume(queue=name, consumer_tag=name),
            spec.Queue.Delete(queue=name),
            spec.Queue.Unbind(queue="q", exchange="amq.topic", routing_key=key),
            spec.Basic.Cancel(consumer_tag=key),
        )
        peer.send(spec.Channel.Open(), spec.Basic.Consume(queue="q"), channel=2)
        peer.send(spec.Channel.Close(200, "", 0, 0), channel=2)
    assert "Channel.Close" not in peer.names()


def _begin(channel: int, size: int) -> bytes:
    """Return the frames of a message without its body."""
    pieces = content(channel, spec.Basic.Publish(routing_key="q"), b"\x00\x00", bytes(size), 4096)
    return b"".join(pieces[:2])


def test_unfinished_messages_of_a_connection_share_one_limit() -> None:
    """Many channels do not multiply it."""
    peer = _peer()
    peer.send(spec.Channel.Open(), channel=2)
    peer.received()
    peer.connection.receive(_begin(1, 600))
    peer.connection.receive(_begin(2, 600))
    (close,) = peer.received()
    assert (close.NAME, close.reply_code) == ("Channel.Close", 406)


def test_a_finished_message_makes_room() -> None:
    """One after the other, each of the largest size."""
    peer = _peer()
    for _ in range(3):
        peer.connection.receive(peer.publish("q", bytes(1000)))
    assert peer.received() == []


def test_a_closed_channel_gives_its_unfinished_message_back() -> None:
    """Another channel has the whole limit again."""
    peer = _peer()
    peer.send(spec.Channel.Open(), channel=2)
    peer.connection.receive(_begin(2, 1000))
    peer.send(spec.Channel.Close(200, "", 0, 0), channel=2)
    peer.connection.receive(peer.publish("q", bytes(1000)))
    assert peer.names() == ["Channel.OpenOk", "Channel.CloseOk"]


def test_a_few_bytes_cannot_ask_for_unlimited_output() -> None:
    """A message fetched and given back again and again: what does not fit waits, unparsed."""
    limits = BrokerLimits(write_high_water=1000)
    vhost = VirtualHost(limits)
    peer = Peer(vhost, limits).open()
    peer.send(spec.Queue.Declare(queue="q"))
    peer.connection.receive(peer.publish("q", bytes(1000)))
    peer.received()
    rounds = 500
    peer.connection.receive(
        b"".join(
            method_frame(1, spec.Basic.Get(queue="q")) + method_frame(1, spec.Basic.Nack(tag))
            for tag in range(1, rounds + 1)
        )
    )
    got: list[int] = []
    while peer.connection.choked:
        output = peer.connection.take_output()
        got.append(sum(map(len, output)))
        peer.connection.resume()
    got.append(sum(map(len, peer.connection.take_output())))
    assert max(got) < 13_000
    assert sum(got) > rounds * 1000
    assert peer.connection.state is State.OPEN


def test_who_is_choked_hears_a_close() -> None:
    """What waits unparsed is worked off where nothing comes of it, so that close-ok is seen."""
    limits = BrokerLimits(write_high_water=100)
    peer = Peer(VirtualHost(limits), limits).open()
    peer.send(*[spec.Queue.Declare(queue=f"q{n}") for n in range(60)])
    assert peer.connection.choked
    peer.connection.close(320, "bye")
    peer.send(spec.Connection.CloseOk(), channel=0)
    assert peer.connection.state is State.CLOSED


def test_a_large_frame_before_the_login_is_refused() -> None:
    """Who is nobody yet has room for a login and no more."""
    limits = BrokerLimits()
    peer = Peer(VirtualHost())
    peer.connection.receive(HELLO)
    peer.received()
    peer.connection.receive(b"\x01\x00\x00" + limits.login_frame_max.to_bytes(4, "big"))
    assert peer.received()[-1].reply_code == 501
