"""Function documents of all forms, as the registrations of the two versions.

Pure. A document may have its code as packed buffers, as one serialized text, or as Python source,
and may leave out what tells of the client. Source:
``openapi/compute.yaml#/components/schemas/RegisterFunctionRequest``, ``docs/wire.md``.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from gcompute.errors import DeserializationError
from gcompute.protocol import PROTOCOL_LEVEL
from gcompute.serialize import (
    PureSourceTextInspect,
    SerializationStrategy,
    pack_buffers,
    unpack_buffers,
)
from gcompute.service_clients.documents import given, plain, warn_of_foreign_class
from gcompute.service_clients.warning import warn_caller

#: Characters of a serialized text that name its strategy, with the newline.
_IDENTIFIER = 3

#: What tells that code is source.
_SOURCE = PureSourceTextInspect.identifier.strip()

#: Fields of documents that a version has nothing for, and why that is.
_NO_RESOURCES = (
    "resource_requirements",
    "the service keeps no resources with a function: ask for them when you submit, with "
    "resource_specification, or in the endpoint's configuration",
)
_NO_CONTAINER = (
    "container_uuid",
    "version 3 of the interface runs functions in the container that the endpoint is configured "
    "with; ComputeClientV2 registers functions with one",
)


def one_document(
    function_data: Mapping[str, Any] | None, data: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Give the one document that came under either name.

    Raises:
        TypeError: there is none, or there are two.
    """
    documents = [document for document in (function_data, data) if document is not None]
    if len(documents) != 1:
        raise TypeError("register_function takes one document: function_data, or data")
    return documents[0]


def registration_v3(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the body of ``POST /v3/functions`` for a document."""
    body = _fields(document, _NO_RESOURCES, _NO_CONTAINER)
    code, identifier = body.get("function_code"), None
    if isinstance(code, str):
        packed = None if body.get("serialized") is False else _buffers(code)
        serialized = packed is not None or body.setdefault("serialized", False)
        body["function_code"], identifier = packed or (code, None if serialized else _SOURCE)
    if "meta" not in body:
        told = body.pop("metadata", {})
        body["meta"] = _made_here() | given({"serde_identifier": identifier}) | told
    return body


def registration_v2(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the body of ``POST /v2/functions`` for a document; source goes as a buffer."""
    body = _fields(document, _NO_RESOURCES)
    code, serialized = body.get("function_code"), body.pop("serialized", None)
    if isinstance(code, str):
        packed = None if serialized is False else _buffers(code)
        if packed is not None:
            body["function_code"] = packed[0]
        elif not serialized:
            source = f"{PureSourceTextInspect.identifier}{body.get('function_name')}:{code}"
            body["function_code"] = pack_buffers([source])
    if "metadata" not in body:
        told = body.pop("meta", {})
        told.pop("serde_identifier", None)  # which version 2 does not have
        body["metadata"] = _made_here() | told
    return body


def _made_here() -> dict[str, Any]:
    """Tell of this client what a registration tells."""
    return {"python_version": platform.python_version(), "sdk_version": PROTOCOL_LEVEL}


def _fields(document: Mapping[str, Any], *unknown: tuple[str, str]) -> dict[str, Any]:
    """Give what a document has, without what there is no place for."""
    if not isinstance(document, Mapping):
        raise TypeError(f"a function document is a dictionary, and not {document!r:.100}")
    warn_of_foreign_class(document)
    fields: dict[str, Any] = given(plain(document))
    for name, reason in unknown:
        if fields.pop(name, None) is not None:
            warn_caller(
                f"{name} of the function {fields.get('function_name')} is ignored: {reason}"
            )
    return fields


def _buffers(code: str) -> tuple[str, str | None] | None:
    """Give code as packed buffers, with its strategy's identifier; ``None`` for source."""
    try:
        buffers = unpack_buffers(code)
    except DeserializationError:
        buffers = []
    if buffers and buffers[0][_IDENTIFIER - 1 : _IDENTIFIER] == "\n":
        return code, buffers[0][: _IDENTIFIER - 1]
    if SerializationStrategy.find(code[:_IDENTIFIER]) is not None:
        return pack_buffers([code]), code[: _IDENTIFIER - 1]
    return None
