"""Error texts for users."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.errors import DeserializationError
from gcompute.local.agent.failure import describe_failure, shorten
from gcompute.serialize import ComputeSerializer


def test_our_frames_are_left_out_of_the_error_and_of_its_cause() -> None:
    """What led to the user's code is not shown, in the error and in its cause."""
    with pytest.raises(DeserializationError) as caught:
        ComputeSerializer().deserialize("st\nf:raise LookupError('mine')")
    # This test stands where the worker's own code does: leave its frame out.
    text = describe_failure(caught.value.with_traceback(caught.tb.tb_next))
    assert "gcompute/serialize" not in text
    assert 'File "<string>", line 1, in <module>' in text
    assert "LookupError: mine" in text
    assert "direct cause" in text


def test_an_error_that_refuses_to_be_shown_is_named() -> None:
    """A ``__str__`` that raises does not cost the user the answer."""

    class Hidden(Exception):
        def __str__(self) -> str:
            raise SystemExit

    assert "Hidden" in describe_failure(Hidden())


def test_errors_in_a_circle_end() -> None:
    """An exception that is the cause of its own cause is described once."""
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert describe_failure(first).count("ValueError: first") == 1


@given(st.text(max_size=300), st.integers(10, 200))
def test_a_long_text_keeps_both_ends(text: str, limit: int) -> None:
    """A short text stays as it is, of a longer one the beginning and the end do."""
    short = shorten(text, limit)
    half = limit // 2
    if len(text) <= limit:
        assert short == text
    else:
        assert short.startswith(text[:half])
        assert short.endswith(text[-half:])
        assert f"{len(text) - 2 * half} characters left out" in short
