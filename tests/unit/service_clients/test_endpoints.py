"""Endpoint documents, and updates that name only what changes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from gcompute.service_clients.endpoints import registration, whole_update, with_endpoint_uuid

FUNCTION = str(uuid.uuid4())
PRESENT: dict[str, Any] = {
    "uuid": str(uuid.uuid4()),
    "name": "cluster",
    "display_name": "The cluster",
    "multi_user": True,
    "high_assurance": None,
    "public": False,
    "hostname": "login03",
    "description": "old",
    "endpoint_config": None,
    "subscription_admin_verified": True,
}
FREE = {"restricted": False, "functions": None}


def test_a_description_belongs_to_the_metadata() -> None:
    """Where both have one, the metadata's own counts; without one nothing is added."""
    assert registration({"endpoint_name": "e", "description": "d"}) == {
        "endpoint_name": "e",
        "metadata": {"description": "d"},
    }
    both = {"endpoint_name": "e", "description": "d", "metadata": {"description": "own"}}
    assert registration(both)["metadata"] == {"description": "own"}
    assert registration({"endpoint_name": "e"}) == {"endpoint_name": "e"}
    with pytest.raises(TypeError, match="is a dictionary"):
        registration("e")  # type: ignore[arg-type]


def test_an_update_says_again_what_it_does_not_change() -> None:
    """All that can be read, and nothing that an update has no place for."""
    body = whole_update({"public": True, "description": "new"}, PRESENT, FREE)
    assert body == {
        "endpoint_name": "cluster",
        "display_name": "The cluster",
        "multi_user": True,
        "public": True,
        "metadata": {"hostname": "login03", "description": "new"},
    }


def test_an_update_does_not_lift_a_restriction() -> None:
    """The allow-list is said again, also an empty one, unless the update has another."""
    for functions in ([FUNCTION], []):
        allowlist = {"restricted": True, "functions": functions}
        assert whole_update({}, PRESENT, allowlist)["allowed_functions"] == functions
    changed = whole_update({"allowed_functions": []}, PRESENT, {"restricted": True})
    assert changed["allowed_functions"] == []
    assert "allowed_functions" not in whole_update({}, PRESENT, FREE)


def test_an_endpoint_has_its_id_under_both_names() -> None:
    """In the answer to a registration."""
    assert with_endpoint_uuid({"endpoint_id": "e"}) == {"endpoint_id": "e", "endpoint_uuid": "e"}
    assert with_endpoint_uuid({}) == {}
