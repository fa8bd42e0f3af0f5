"""Frames that are sent together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gcompute.local.amqp.connection import pieces


@given(st.lists(st.binary(min_size=1, max_size=9)), st.integers(1, 20))
def test_nothing_is_lost_and_no_piece_is_large(frames: list[bytes], size: int) -> None:
    """What comes out is what went in, in as few pieces as the size allows."""
    joined = pieces(frames, size)
    assert b"".join(joined) == b"".join(frames)
    assert all(size <= len(piece) for piece in joined[:-1])
    assert all(len(piece) < size + 9 for piece in joined)
    assert all(joined)
