"""Peers that break the protocol: their connection ends, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pika import spec

from tests.scenarios.amqp.driver import OWNER, Target, Wire, raw_frame

_HEADER = b"\x00\x3c\x00\x00"


def _body_without_publish(wire: Wire) -> None:
    wire.send(raw_frame(3, 1, b"body"))


def _header_without_publish(wire: Wire) -> None:
    wire.send(raw_frame(2, 1, _HEADER + bytes(10)))


def _method_within_content(wire: Wire) -> None:
    wire.method(1, spec.Basic.Publish(routing_key="q"))
    wire.method(1, spec.Basic.Qos())


def _body_before_header(wire: Wire) -> None:
    wire.method(1, spec.Basic.Publish(routing_key="q"))
    wire.send(raw_frame(3, 1, b"body"))


def _header_of_another_class(wire: Wire) -> None:
    wire.method(1, spec.Basic.Publish(routing_key="q"))
    wire.send(raw_frame(2, 1, b"\x00\x32\x00\x00" + bytes(10)))


def _body_too_long(wire: Wire) -> None:
    wire.method(1, spec.Basic.Publish(routing_key="q"))
    wire.send(raw_frame(2, 1, _HEADER + (3).to_bytes(8, "big") + bytes(2)))
    wire.send(raw_frame(3, 1, b"four"))
    wire.method(1, spec.Basic.Qos())


def _unknown_frame_type(wire: Wire) -> None:
    wire.send(raw_frame(77, 1, b"what"))


def _wrong_frame_end(wire: Wire) -> None:
    wire.send(raw_frame(1, 1, b"\x00\x14\x00\x0a\x00", end=b"!"))


def _frame_too_large(wire: Wire) -> None:
    wire.send(b"\x03\x00\x01\x7f\xff\xff\xff")


def _unknown_method(wire: Wire) -> None:
    wire.send(raw_frame(1, 1, b"\x00\x3c\x27\x0f"))


def _arguments_cut_short(wire: Wire) -> None:
    wire.send(raw_frame(1, 1, b"\x00\x32\x00\x0a\x00\x00\x20"))


def _channel_that_is_not_open(wire: Wire) -> None:
    wire.method(9, spec.Basic.Qos())


def _channel_method_on_channel_zero(wire: Wire) -> None:
    wire.method(0, spec.Basic.Qos())


def _second_open(wire: Wire) -> None:
    wire.method(0, spec.Connection.Open("/"))


#: What a peer does, and the reply codes that the specification or RabbitMQ have for it; 0 stands
#: for a socket that is closed without a word, 541 for RabbitMQ's own surprise.
BREACHES: list[tuple[Callable[[Wire], None], set[int]]] = [
    (_body_without_publish, {505}),
    (_header_without_publish, {505}),
    (_method_within_content, {505}),
    (_body_before_header, {505}),
    (_header_of_another_class, {505}),
    (_body_too_long, {501, 505, 541}),
    (_unknown_frame_type, {501}),
    (_wrong_frame_end, {501}),
    (_frame_too_large, {501}),
    (_unknown_method, {0, 503, 541}),
    (_arguments_cut_short, {501, 502, 541}),
    (_channel_that_is_not_open, {504}),
    (_channel_method_on_channel_zero, {503, 504}),
    (_second_open, {503, 504}),
]


@pytest.mark.parametrize(
    ("breach", "codes"), BREACHES, ids=[breach.__name__[1:] for breach, _ in BREACHES]
)
def test_a_breach_of_protocol_ends_its_connection_only(
    target: Target, breach: Callable[[Wire], None], codes: set[int]
) -> None:
    """The peer is told why; a bystander's messages go on."""
    with target.connect() as bystander:
        queue = bystander.queue()
        with target.wire().ready(target.urls[OWNER]) as wire:
            breach(wire)
            assert wire.close_code() in codes
        bystander.publish(queue, b"alive")
        assert bystander.get(queue) == b"alive"


@pytest.mark.parametrize(
    "noise",
    [
        b"AMQP\x00\x00\x09\x01" + b"\xff" * 64,
        b"AMQP\x00\x00\x09\x01" + raw_frame(1, 0, b"\x00\x0a\x00\x0b\xff\xff\xff\xff"),
        b"AMQP\x00\x00\x09\x01" + raw_frame(1, 0, b"\x00\x0a\x00\x28\x01/\x00\x00"),
    ],
    ids=["ones", "huge table", "open before login"],
)
def test_noise_before_the_login_ends_the_connection(target: Target, noise: bytes) -> None:
    """No hang, and no login."""
    with target.wire() as wire:
        wire.send(noise)
        wire.expect(spec.Connection.Start)
        assert wire.close_code() in {0, 501, 502, 503, 504, 505, 541}
