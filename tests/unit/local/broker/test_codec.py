"""Frames: cutting a stream, and what is said about bytes that are none."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import frame as pika_frame
from pika import spec

from gcompute.local.broker.codec import (
    Frame,
    FrameParser,
    content,
    decode_header,
    decode_method,
    decode_properties,
    method_frame,
)
from gcompute.local.broker.faults import ConnectionFault

FRAMES = st.lists(
    st.builds(
        Frame,
        st.sampled_from([1, 2, 3, 8]),
        st.integers(min_value=0, max_value=65535),
        st.binary(max_size=40),
    ),
    max_size=8,
)
METHODS = [
    spec.Queue.Declare(queue="q", arguments={"x-expires": 5, "a": [1, {"b": None}]}),
    spec.Basic.Publish(exchange="e", routing_key="k"),
    spec.Connection.StartOk({"capabilities": {"x": True}}, "PLAIN", "\0u\0p"),
    spec.Basic.Nack(5, True, False),
]


def encoded(frame: Frame) -> bytes:
    """Return a frame's bytes, by pika."""
    marshalled: bytes = pika_frame.Frame(frame.type, frame.channel)._marshal([frame.payload])
    return marshalled


@given(FRAMES, st.lists(st.integers(min_value=1, max_value=20), max_size=30))
def test_any_cut_of_a_stream_gives_the_same_frames(frames: list[Frame], cuts: list[int]) -> None:
    """Pieces of any size."""
    stream = b"".join(map(encoded, frames))
    parser = FrameParser(4096)
    received: list[Frame] = []
    for cut in cuts:
        received += parser.feed(stream[:cut])
        stream = stream[cut:]
    received += parser.feed(stream)
    assert received == frames


@given(st.binary(max_size=200))
def test_noise_gives_frames_or_a_fault(noise: bytes) -> None:
    """Nothing else is raised."""
    with suppress(ConnectionFault):
        list(FrameParser(4096).feed(noise))


@given(st.sampled_from(sorted(spec.methods)), st.binary(max_size=60))
def test_noise_in_a_method_gives_a_method_or_a_fault(index: int, noise: bytes) -> None:
    """For every method that AMQP has."""
    with suppress(ConnectionFault):
        decode_method(index.to_bytes(4, "big") + noise)


@given(st.sampled_from(METHODS), st.data())
def test_a_mutated_method_gives_a_method_or_a_fault(method: Any, data: st.DataObject) -> None:
    """One byte changed, or the end cut off."""
    (frame,) = FrameParser(4096).feed(method_frame(1, method))
    payload = bytearray(frame.payload)
    position = data.draw(st.integers(min_value=0, max_value=len(payload) - 1))
    payload[position] = data.draw(st.integers(min_value=0, max_value=255))
    with suppress(ConnectionFault):
        decode_method(bytes(payload[: data.draw(st.integers(min_value=0, max_value=len(payload)))]))


@given(st.binary(max_size=80))
def test_noise_in_headers_and_properties_gives_a_value_or_a_fault(noise: bytes) -> None:
    """Properties are decoded from what a header holds."""
    with suppress(ConnectionFault):
        decode_properties(decode_header(b"\x00\x3c\x00\x00" + noise).properties)
    with suppress(ConnectionFault):
        decode_header(noise)


def test_tables_nested_without_end_are_a_fault() -> None:
    """Not a RecursionError."""
    nested = b"\x01aF\xff\xff\xff\xff" * 5000
    with pytest.raises(ConnectionFault) as raised:
        decode_properties(b"\x20\x00\xff\xff\xff\xff" + nested)
    assert raised.value.code == 502


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x09\x00\x00\x00\x00\x00\x00", 501),
        (b"\x01\x00\x00\x00\x00\x00\x00!", 501),
        (b"\x01\x00\x00\x00\x00\x10\x00", 501),
    ],
    ids=["unknown type", "no end mark", "too large"],
)
def test_broken_frames_are_501(data: bytes, code: int) -> None:
    """As soon as they show, without waiting for the rest."""
    with pytest.raises(ConnectionFault) as raised:
        list(FrameParser(4096).feed(data))
    assert raised.value.code == code


def test_a_short_string_that_is_not_utf8_is_502() -> None:
    """Names are text."""
    payload = spec.Basic.Get.INDEX.to_bytes(4, "big") + b"\x00\x00\x01\xff\x00"
    with pytest.raises(ConnectionFault) as raised:
        decode_method(payload)
    assert raised.value.code == 502


@pytest.mark.parametrize("size", [0, 1, 4088, 4089, 10_000])
def test_contents_are_cut_at_the_frame_size(size: int) -> None:
    """Each frame fits, and the body is whole."""
    body = bytes(size)
    pieces = content(3, spec.Basic.Deliver("t", 1, False, "", "k"), b"\x00\x00", body, 4096)
    frames = list(FrameParser(4096).feed(b"".join(pieces)))
    assert [frame.type for frame in frames[:2]] == [1, 2]
    assert decode_header(frames[1].payload) == (size, b"\x00\x00")
    assert b"".join(frame.payload for frame in frames[2:]) == body
    assert all(frame.payload for frame in frames)
    assert method_frame(3, spec.Basic.Deliver("t", 1, False, "", "k")) == pieces[0]
