"""What is posted to register a function.

Source: ``openapi/compute.yaml#/components/schemas/RegisterFunctionRequest``.
"""

from __future__ import annotations

import functools
import inspect
import json
import platform
from collections.abc import Callable
from typing import Any

from gcompute.errors import TaskTooLarge
from gcompute.ids import UUIDLike, as_optional_uuid
from gcompute.protocol import MAX_REQUEST_BYTES, PROTOCOL_LEVEL
from gcompute.serialize import ComputeSerializer, PureSourceTextInspect, pack_buffers


def function_registration(
    function: Callable[..., Any],
    serializer: ComputeSerializer,
    *,
    description: str | None = None,
    metadata: dict[str, Any] | None = None,
    public: bool = False,
    group: UUIDLike | None = None,
    ha_endpoint_id: UUIDLike | None = None,
) -> dict[str, Any]:
    """Build the body that registers a function.

    Args:
        function: the callable.
        serializer: turns it into text.
        description: for people; default the function's docstring.
        metadata: replaces values of the metadata (``python_version``, ...).
        public: whether everybody may run it.
        group: a Globus group whose members may run it.
        ha_endpoint_id: the one high-assurance endpoint that may run it.

    Raises:
        TypeError: ``function`` is not callable.
        ValueError: ``ha_endpoint_id`` is given with ``public`` or ``group``.
        SerializationError: the strategy cannot handle the function.
        TaskTooLarge: no request could carry the function.
    """
    if not callable(function):
        raise TypeError(f"a function is needed, not {function!r} ({type(function).__name__})")
    return _registration(
        name=function_name(function),
        code=pack_buffers([serializer.serialize(function)]),
        serialized=True,
        serde_identifier=serializer.code_serializer.identifier.strip(),
        description=(inspect.getdoc(_innermost(function)) if description is None else description),
        metadata=metadata,
        public=public,
        group=group,
        ha_endpoint_id=ha_endpoint_id,
    )


def source_registration(
    source: str,
    name: str,
    *,
    description: str | None = None,
    metadata: dict[str, Any] | None = None,
    public: bool = False,
    group: UUIDLike | None = None,
    ha_endpoint_id: UUIDLike | None = None,
) -> dict[str, Any]:
    """Build the body that registers Python source with a function in it.

    Args:
        source: the source.
        name: the function in it to call.
        description, metadata, public, group, ha_endpoint_id: as for
            :func:`function_registration`.

    Raises:
        TypeError: the source or the name is no text.
        ValueError: ``name`` is no name, or ``ha_endpoint_id`` is given with ``public`` or
            ``group``.
        TaskTooLarge: no request could carry the source.
    """
    if not isinstance(source, str) or not isinstance(name, str):
        raise TypeError("source code and the function's name are text")
    if not name.isidentifier():
        raise ValueError(f"function_name is no name of a function: {name!r}")
    return _registration(
        name=name,
        code=source,
        serialized=False,
        serde_identifier=PureSourceTextInspect.identifier.strip(),
        description=description,
        metadata=metadata,
        public=public,
        group=group,
        ha_endpoint_id=ha_endpoint_id,
    )


def _registration(
    *,
    name: str,
    code: str,
    serialized: bool,
    serde_identifier: str,
    description: str | None,
    metadata: dict[str, Any] | None,
    public: bool,
    group: UUIDLike | None,
    ha_endpoint_id: UUIDLike | None,
) -> dict[str, Any]:
    if ha_endpoint_id and (public or group):
        raise ValueError(
            "a function of a high-assurance endpoint cannot be shared: give "
            "ha_endpoint_id without public and group"
        )
    size = len(json.dumps(code, ensure_ascii=False).encode("utf-8", "replace"))
    if size > MAX_REQUEST_BYTES:
        raise TaskTooLarge(
            f"function {name} has {size:,} bytes serialized, a request may have "
            f"{MAX_REQUEST_BYTES:,}: does it carry data with it, in globals or defaults?",
            size=size,
            limit=MAX_REQUEST_BYTES,
        )
    body: dict[str, Any] = {
        "function_name": name,
        "function_code": code,
        "serialized": serialized,
        "meta": {
            "python_version": platform.python_version(),
            "sdk_version": PROTOCOL_LEVEL,
            "serde_identifier": serde_identifier,
            **(metadata or {}),
        },
    }
    optional = {
        "description": description,
        "public": public,
        "group": group and str(as_optional_uuid(group, "group")),
        "ha_endpoint_id": ha_endpoint_id
        and str(as_optional_uuid(ha_endpoint_id, "ha_endpoint_id")),
    }
    return body | {key: value for key, value in optional.items() if value}


def function_name(function: Callable[..., Any]) -> str:
    """Name a callable, also one that has no name of its own (a partial, a callable object)."""
    function = _innermost(function)
    return getattr(function, "__name__", None) or type(function).__name__


def _innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give what a partial calls in the end."""
    while isinstance(function, functools.partial):
        function = function.func
    return function
