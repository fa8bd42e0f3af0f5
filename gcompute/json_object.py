"""A configuration as users give it: a dictionary that JSON can carry."""

from __future__ import annotations

import json
from typing import Any


def as_json_object(value: dict[str, Any] | None, name: str) -> dict[str, Any] | None:
    """Check a value that travels as a JSON object, when it is given and not when it is sent.

    Args:
        value: the dictionary; ``None`` for none.
        name: what it is, for the error.

    Returns:
        A copy, which a later change of the value does not reach.

    Raises:
        TypeError: it is no dictionary, or holds what JSON cannot carry.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be a dict or None, not {type(value).__name__}")
    try:
        copied: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a dict that JSON can carry: {error}") from error
    return copied
