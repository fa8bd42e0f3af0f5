"""Payloads through a stream of bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gcompute.local.agent.frames import (
    LENGTH_SIZE,
    FrameReader,
    decode_task,
    encode_frame,
    encode_task,
)


@given(st.lists(st.binary(max_size=50)), st.integers(1, 30))
def test_payloads_survive_however_the_bytes_arrive(payloads: list[bytes], step: int) -> None:
    """Whatever the pieces, the payloads come out whole, in order, once."""
    stream = b"".join(encode_frame(payload) for payload in payloads)
    reader = FrameReader()
    received = [
        payload
        for at in range(0, len(stream), step)
        for payload in reader.feed(stream[at : at + step])
    ]
    assert received == payloads


@given(st.text(), st.lists(st.text()), st.binary())
def test_a_task_survives(task_id: str, serializers: list[str], body: bytes) -> None:
    """Newlines in the body, or anywhere else, do no harm."""
    payload = encode_task(task_id, serializers, body)[LENGTH_SIZE:]
    assert decode_task(payload) == (task_id, serializers, body)
