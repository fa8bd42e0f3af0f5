"""Base64 as the official package writes it, in lines."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.errors import DeserializationError
from gcompute.serialize.base64_lines import _CHUNK_BYTES, from_base64, to_base64


@pytest.mark.parametrize("chunks", [0, 1, 2, 3])
@pytest.mark.parametrize("more", [-58, -57, -1, 0, 1, 56, 57, 58, 1000])
def test_lines_are_the_standard_librarys(chunks: int, more: int) -> None:
    """Around every edge at which the encoder changes its way."""
    size = max(0, chunks * _CHUNK_BYTES + more)
    data = bytes(i * 7 % 256 for i in range(size))
    assert to_base64(data) == base64.encodebytes(data).decode("ascii")


@given(st.binary())
def test_what_is_written_is_read(data: bytes) -> None:
    """With newlines and without."""
    assert from_base64(to_base64(data)) == data
    assert from_base64(to_base64(data).replace("\n", "")) == data


@pytest.mark.parametrize("text", ["a", "abc", "ü", "YWJj=="[:-1] + "x"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    """With its beginning."""
    with pytest.raises(DeserializationError, match="not base64"):
        from_base64(text)
