"""Configurations that travel as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from gcompute.json_object import as_json_object


def test_a_later_change_does_not_reach_the_copy() -> None:
    """What was checked is what is sent."""
    given: dict[str, Any] = {"nodes": [1]}
    taken = as_json_object(given, "config")
    given["nodes"].append(object())
    assert taken == {"nodes": [1]}
    assert as_json_object(None, "config") is None


@pytest.mark.parametrize("value", ["{}", [1], {"a": {1, 2}}, {"a": float("nan")}])
def test_what_json_cannot_carry_is_refused_by_name(value: Any) -> None:
    """The error says which argument, and why."""
    with pytest.raises(TypeError, match="config must be a dict"):
        as_json_object(value, "config")
