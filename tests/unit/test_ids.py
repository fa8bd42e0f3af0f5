"""Identifiers as users give them."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.ids import as_optional_uuid, as_uuid


@given(st.uuids())
def test_a_uuid_is_accepted_as_object_and_as_text(value: uuid.UUID) -> None:
    """Object and every spelling of its text mean the same UUID."""
    for given_value in (value, str(value), str(value).upper(), value.hex):
        assert as_uuid(given_value, "task_id") == value


@given(st.text())
def test_other_text_is_refused_by_name(text: str) -> None:
    """Text that is no UUID is a ValueError that names the argument."""
    try:
        uuid.UUID(text)
    except ValueError:
        with pytest.raises(ValueError, match="endpoint_id is no UUID"):
            as_uuid(text, "endpoint_id")


@pytest.mark.parametrize("value", [1, None, b"4b116d3c-1703-4f8f-9f6f-39921e5864df", [], object()])
def test_other_types_are_refused_by_name(value: object) -> None:
    """What is neither text nor UUID is a TypeError that names argument and type."""
    with pytest.raises(TypeError, match=f"group must be .* not {type(value).__name__}"):
        as_uuid(value, "group")  # type: ignore[arg-type]


def test_an_optional_identifier_may_be_missing() -> None:
    """None stays None; all else is checked."""
    assert as_optional_uuid(None, "x") is None
    with pytest.raises(ValueError, match="x is no UUID"):
        as_optional_uuid("", "x")
