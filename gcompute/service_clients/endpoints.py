"""Endpoint documents of document 000 as registrations, and what an update must say again. Pure.

Source: ``openapi/compute.yaml#/components/schemas/RegisterEndpointRequest``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcompute.service_clients.documents import given, plain

#: What an endpoint tells about itself, as far as it can be read again.
_METADATA = (
    *("endpoint_config", "user_config_template", "user_config_schema", "description"),
    *("hostname", "local_user", "ip_address"),
    *("endpoint_version", "sdk_version", "python_version"),
)

#: What else can be read of a registration.
_FIELDS = ("display_name", "multi_user", "high_assurance", "public", "subscription_uuid")


def registration(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give a document with its ``description`` where it belongs, in the metadata."""
    if not isinstance(document, Mapping):
        raise TypeError(f"an endpoint document is a dictionary, and not {document!r:.100}")
    body: dict[str, Any] = plain(document)
    description = body.pop("description", None)
    if description is not None:
        body["metadata"] = {"description": description} | (body.get("metadata") or {})
    return body


def whole_update(
    document: Mapping[str, Any], present: Mapping[str, Any], allowlist: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the body of ``PUT /v3/endpoints/...`` for a document that names only what changes.

    That request replaces what is registered, so that the rest is said again.

    Args:
        document: what changes.
        present: what ``GET /v2/endpoints/...`` tells of the endpoint.
        allowlist: what ``GET /v3/endpoints/.../allowed_functions`` tells of it.
    """
    changes = registration(document)
    body = given({name: present.get(name) for name in _FIELDS})
    body["endpoint_name"] = present.get("name")
    if allowlist.get("restricted"):
        body["allowed_functions"] = list(allowlist.get("functions") or [])
    told = given({name: present.get(name) for name in _METADATA})
    return body | changes | {"metadata": told | (changes.get("metadata") or {})}


def with_endpoint_uuid(answer: dict[str, Any]) -> dict[str, Any]:
    """Add ``endpoint_uuid``, another name of ``endpoint_id``, to the answer to a registration."""
    return {**answer, "endpoint_uuid": answer["endpoint_id"]} if "endpoint_id" in answer else answer
