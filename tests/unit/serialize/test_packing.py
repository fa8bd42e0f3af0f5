"""Several buffers in one text, and apart again."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.errors import DeserializationError
from gcompute.serialize import pack_buffers, unpack_buffers


@given(st.lists(st.text()))
def test_unpacking_is_the_inverse_of_packing(buffers: list[str]) -> None:
    """Any texts come out as they went in: empty ones, newlines and digits included."""
    assert unpack_buffers(pack_buffers(buffers)) == buffers


@given(st.lists(st.text()), st.lists(st.text()))
def test_joined_texts_are_the_packed_join(first: list[str], second: list[str]) -> None:
    """A task buffer is the function's packed text followed by that of the arguments."""
    assert unpack_buffers(pack_buffers(first) + pack_buffers(second)) == first + second


def test_the_layout_is_length_newline_buffer() -> None:
    """Lengths count characters, not bytes."""
    assert pack_buffers(["ab", "", "é\n"]) == "2\nab0\n2\né\n"


@pytest.mark.parametrize(
    "packed",
    [
        "x",
        "1",
        "1\n",
        "\n",
        "-1\nab",
        "+1\na",
        " 1\na",
        "1 \na",
        "1.0\na",
        "0x1\na",
        "1_0\n" + "a" * 10,
        "\u00b2\nab",
        "\u0661\na",
        "3\nab",
        "1\nab",
        "1\na1",
        "99999999999999999999\na",
        "9" * 5000 + "\na",
        "1" * 100_000,
        "None\na",
    ],
)
def test_malformed_texts_are_refused(packed: str) -> None:
    """A length that is missing, no number, negative or too large is a DeserializationError."""
    with pytest.raises(DeserializationError) as caught:
        unpack_buffers(packed)
    assert len(str(caught.value)) < 300


@given(st.text(st.sampled_from("0123456789-\na")) | st.text())
def test_any_text_unpacks_or_is_refused(packed: str) -> None:
    """Nothing else is ever raised, and what unpacks says the same again."""
    with contextlib.suppress(DeserializationError):
        buffers = unpack_buffers(packed)
        assert unpack_buffers(pack_buffers(buffers)) == buffers
