"""A connection without a socket: its states, its confirms, and any bytes at all."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pika import spec

from gcompute.local.broker.codec import FrameParser, content, decode_method, method_frame
from gcompute.local.broker.connection import Connection, State
from gcompute.local.broker.limits import BrokerLimits
from gcompute.local.broker.places import Places
from gcompute.local.broker.users import Users
from gcompute.local.broker.vhost import VirtualHost

HELLO = b"AMQP\x00\x00\x09\x01"


class Peer:
    """The client's side of a connection to a virtual host."""

    def __init__(
        self,
        vhost: VirtualHost,
        limits: BrokerLimits | None = None,
        places: Places | None = None,
    ) -> None:
        users = Users()
        users.add("ann", "pw", configure=".*", write=".*", read=".*")
        limits = limits or BrokerLimits()
        self.connection = Connection(users, vhost, limits, places or Places(limits), lambda _: None)
        self._parser = FrameParser(2**20)

    def send(self, *methods: Any, channel: int = 1) -> None:
        """Send methods in one piece."""
        self.connection.receive(b"".join(method_frame(channel, method) for method in methods))

    def publish(self, queue: str, body: bytes) -> bytes:
        """Return a publish to a queue, encoded."""
        method = spec.Basic.Publish(routing_key=queue)
        return b"".join(content(1, method, b"\x00\x00", body, 4096))

    def received(self) -> list[Any]:
        """Return the methods that came since the last call."""
        frames = list(self._parser.feed(b"".join(self.connection.take_output())))
        return [decode_method(frame.payload) for frame in frames if frame.type == spec.FRAME_METHOD]

    def names(self) -> list[str]:
        """Return the names of the methods that came since the last call."""
        return [method.NAME for method in self.received()]

    def open(self) -> Peer:
        """Log in and open channel 1."""
        self.connection.receive(HELLO)
        self.send(spec.Connection.StartOk({}, "PLAIN", "\0ann\0pw"), channel=0)
        self.send(spec.Connection.TuneOk(10, 4096, 0), channel=0)
        self.send(spec.Connection.Open("/"), channel=0)
        self.send(spec.Channel.Open())
        assert self.received()[-1].NAME == "Channel.OpenOk"
        return self


def test_the_handshake_goes_through_its_states() -> None:
    """One step after the other, in one piece or in many."""
    peer = Peer(VirtualHost())
    states = [peer.connection.state]
    for step in (HELLO[:3], HELLO[3:]):
        peer.connection.receive(step)
        states.append(peer.connection.state)
    for method in (
        spec.Connection.StartOk({}, "PLAIN", "\0ann\0pw"),
        spec.Connection.TuneOk(10, 4096, 0),
        spec.Connection.Open("/"),
        spec.Connection.Close(200, "", 0, 0),
    ):
        peer.send(method, channel=0)
        states.append(peer.connection.state)
    assert states == [
        State.PROTOCOL,
        State.PROTOCOL,
        State.START,
        State.TUNE,
        State.OPENING,
        State.OPEN,
        State.CLOSED,
    ]


def test_a_step_out_of_turn_is_504() -> None:
    """Opening before the login."""
    peer = Peer(VirtualHost())
    peer.connection.receive(HELLO)
    peer.send(spec.Connection.Open("/"), channel=0)
    assert peer.received()[-1].reply_code == 504
    states = [peer.connection.state]
    peer.send(spec.Connection.CloseOk(), channel=0)
    assert [*states, peer.connection.state] == [State.CLOSING, State.CLOSED]


def test_a_refused_login_without_the_capability_ends_silently() -> None:
    """The client could not understand a close at this point."""
    peer = Peer(VirtualHost())
    peer.connection.receive(HELLO)
    peer.received()
    peer.send(spec.Connection.StartOk({}, "PLAIN", "\0ann\0wrong"), channel=0)
    assert peer.connection.state is State.CLOSED
    assert peer.received() == []


def test_confirms_of_one_piece_are_one_acknowledgement() -> None:
    """The last tag, with multiple."""
    peer = Peer(VirtualHost()).open()
    peer.send(spec.Confirm.Select())
    peer.received()
    peer.connection.receive(peer.publish("nobody", b"x") * 50)
    (ack,) = peer.received()
    assert (ack.delivery_tag, ack.multiple) == (50, True)
    peer.connection.receive(peer.publish("nobody", b"x"))
    (ack,) = peer.received()
    assert (ack.delivery_tag, ack.multiple) == (51, False)


def test_confirms_come_before_the_end_of_their_channel() -> None:
    """In one piece: publish and close, publish and fail."""
    for ending, expected in (
        (spec.Channel.Close(200, "", 0, 0), "Channel.CloseOk"),
        (spec.Queue.Declare(queue="missing", passive=True), "Channel.Close"),
    ):
        peer = Peer(VirtualHost()).open()
        peer.send(spec.Confirm.Select())
        peer.received()
        end = method_frame(1, ending)
        peer.connection.receive(peer.publish("nobody", b"x") + end)
        assert peer.names() == ["Basic.Ack", expected]


def test_deliveries_stop_at_the_high_water_mark_and_go_on() -> None:
    """Another connection of the same queue is not held back."""
    vhost = VirtualHost()
    limits = BrokerLimits(write_high_water=5_000)
    slow, publisher = Peer(vhost, limits).open(), Peer(vhost).open()
    slow.send(spec.Queue.Declare(queue="q"), spec.Basic.Consume(queue="q", no_ack=True))
    slow.received()
    publisher.connection.receive(publisher.publish("q", bytes(1000)) * 20)
    assert len(vhost.queues["q"]) == 15
    assert slow.names() == ["Basic.Deliver"] * 5
    slow.connection.resume()
    assert len(vhost.queues["q"]) == 10
    slow.received()
    slow.connection.paused = True
    slow.connection.resume()
    assert slow.received() == []


def test_a_lost_connection_delivers_nothing_to_itself() -> None:
    """What its channels give back goes to others, in order."""
    vhost = VirtualHost()
    peer, other = Peer(vhost).open(), Peer(vhost).open()
    peer.send(spec.Queue.Declare(queue="q"), spec.Basic.Qos(0, 2), spec.Basic.Consume(queue="q"))
    peer.send(spec.Channel.Open(), channel=2)
    peer.send(spec.Basic.Consume(queue="q"), channel=2)
    peer.connection.receive(b"".join(peer.publish("q", body) for body in (b"1", b"2", b"3")))
    other.send(spec.Basic.Consume(queue="q", consumer_tag="other"))
    other.received()
    peer.connection.lost()
    delivered = other.received()
    assert [method.delivery_tag for method in delivered] == [1, 2, 3]
    assert all(method.redelivered for method in delivered)


@given(st.data())
def test_no_bytes_raise_anything(data: st.DataObject) -> None:
    """A valid conversation with a byte changed, noise in it, or a part missing."""
    vhost = VirtualHost()
    limits = BrokerLimits(max_message_size=10_000)
    peer, bystander = Peer(vhost, limits).open(), Peer(vhost).open()
    talk = bytearray(
        method_frame(
            1, spec.Queue.Declare(queue="q", arguments={"x-expires": 9, "l": [1, {"a": True}]})
        )
        + method_frame(1, spec.Confirm.Select())
        + method_frame(1, spec.Basic.Consume(queue="q", consumer_tag="tag"))
        + peer.publish("q", b"hello" * 3)
        + method_frame(1, spec.Basic.Ack(1, True))
        + method_frame(1, spec.Exchange.Declare(exchange="e", type="topic"))
        + method_frame(1, spec.Queue.Bind(queue="q", exchange="e", routing_key="a.#"))
        + method_frame(1, spec.Channel.Close(200, "", 0, 0))
    )
    for _ in range(data.draw(st.integers(min_value=1, max_value=4))):
        start = data.draw(st.integers(min_value=0, max_value=len(talk) - 1))
        length = data.draw(st.integers(min_value=0, max_value=5))
        talk[start : start + length] = data.draw(st.binary(max_size=6))
    cut = data.draw(st.integers(min_value=0, max_value=len(talk)))
    peer.connection.receive(bytes(talk[:cut]))
    peer.connection.receive(bytes(talk[cut:]))
    peer.connection.lost()
    assert peer.connection.state is State.CLOSED
    assert all(not queue.consumers for queue in vhost.queues.values())
    bystander.send(spec.Queue.Declare(queue="alive", exclusive=True))
    assert bystander.names()[-1] == "Queue.DeclareOk"
