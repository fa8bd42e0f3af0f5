"""Identifiers as users give them: a UUID, or text that is one."""

from __future__ import annotations

import uuid

#: What every argument that is an identifier accepts.
UUIDLike = uuid.UUID | str


def as_uuid(value: UUIDLike, name: str) -> uuid.UUID:
    """Check an identifier.

    Args:
        value: the identifier.
        name: what it identifies, for the error: ``"endpoint_id"``.

    Raises:
        ValueError: it is text, but no UUID.
        TypeError: it is neither.
    """
    if isinstance(value, uuid.UUID):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a UUID or text, not {type(value).__name__}")
    try:
        return uuid.UUID(value)
    except ValueError:
        raise ValueError(
            f"{name} is no UUID: {value!r} (expected a form like "
            "4b116d3c-1703-4f8f-9f6f-39921e5864df)"
        ) from None


def as_optional_uuid(value: UUIDLike | None, name: str) -> uuid.UUID | None:
    """Check an identifier that may be missing."""
    return None if value is None else as_uuid(value, name)
