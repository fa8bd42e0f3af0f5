"""Functions: register, look at, delete."""

from __future__ import annotations

import uuid
from typing import Any

from gcompute.errors import DeserializationError
from gcompute.local import errors
from gcompute.local.service import Service
from gcompute.local.store.functions import Function
from gcompute.serialize import unpack_buffers

from .access import may_see, own_function, usable_function
from .call import Call, Handler, canonical

#: What the service answers to a deletion, for whatever reason.
_DELETED = 302


async def register_function(service: Service, call: Call) -> dict[str, Any]:
    """Register a function: packed buffers, or source text with ``serialized: false``."""
    body = call.body
    ha_endpoint = body.get("ha_endpoint_id")
    if ha_endpoint is not None:
        _check_ha_endpoint(service, call, canonical(ha_endpoint))
    function = Function(
        id=str(uuid.uuid4()),
        owner=call.user.id,
        name=body["function_name"],
        code=_checked_code(body, "function_code", serialized=body.get("serialized", True)),
        serialized=body.get("serialized", True),
        description=body.get("description"),
        metadata=body["meta"],
        public=body.get("public", False),
        group_id=_group(body),
        ha_endpoint=None if ha_endpoint is None else canonical(ha_endpoint),
    )
    with service.store.transaction():
        service.store.functions.add(function, call.now)
    return {"function_uuid": function.id}


def _group(body: dict[str, Any]) -> str | None:
    """Give the group that a function is shared with."""
    group = body.get("group")
    return None if group is None else canonical(group)


def _check_ha_endpoint(service: Service, call: Call, endpoint_id: str) -> None:
    if call.body.get("public") or call.body.get("group"):
        raise errors.invalid_field(
            "body",
            "ha_endpoint_id",
            msg="A function of a high-assurance endpoint cannot be public or shared with a group",
        )
    endpoint = service.store.endpoints.find(endpoint_id)
    # One that the caller may not see does not exist for him.
    if endpoint is None or not (endpoint.high_assurance and may_see(service, call, endpoint)):
        raise errors.invalid_field(
            "body", "ha_endpoint_id", msg=f"{endpoint_id} is no high-assurance endpoint"
        )


def _checked_code(body: dict[str, Any], field: str, *, serialized: bool) -> str:
    """Refuse code that no worker could unpack, now rather than at each task."""
    code: str = body[field]
    try:
        if serialized and not unpack_buffers(code):
            raise DeserializationError("there is no buffer in it")
    except DeserializationError as error:
        raise errors.invalid_field(
            "body", field, msg=f"Not what a serialization strategy writes: {error.reason}"
        ) from error
    return code


async def register_function_v2(service: Service, call: Call) -> dict[str, Any]:
    """Register a function the older way: always packed buffers."""
    body = call.body
    function = Function(
        id=str(uuid.uuid4()),
        owner=call.user.id,
        name=body["function_name"],
        code=_checked_code(body, "function_code", serialized=True),
        description=body.get("description"),
        metadata=body.get("metadata"),
        public=body.get("public", False),
        group_id=_group(body),
    )
    with service.store.transaction():
        service.store.functions.add(function, call.now)
    return {"function_uuid": function.id}


async def get_function(service: Service, call: Call) -> dict[str, Any]:
    """Show a function."""
    function = usable_function(service, call, call.id("function_uuid"))
    metadata = function.metadata or {}
    return {
        "function_uuid": function.id,
        "function_name": function.name,
        "description": function.description,
        "function_code": function.code,
        "metadata": {key: metadata.get(key) for key in ("python_version", "sdk_version")},
    }


async def delete_function(service: Service, call: Call) -> dict[str, Any]:
    """Delete a function; tasks that were accepted before still run."""
    function = own_function(service, call, call.id("function_uuid"))
    with service.store.transaction():
        service.store.functions.delete(function.id, call.now)
    return {"result": _DELETED}


HANDLERS: dict[str, Handler] = {
    "register_function": register_function,
    "register_function_v2": register_function_v2,
    "get_function": get_function,
    "delete_function": delete_function,
}
