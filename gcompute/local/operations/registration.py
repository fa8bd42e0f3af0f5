"""How an endpoint registers: what is kept of it, and what it is told.

Who may register, as what, and when is looked at again whenever the broker was waited for: somebody
else may have registered or locked the endpoint meanwhile.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import cache
from typing import Any

from gcompute.local import errors
from gcompute.local.document import document
from gcompute.local.service import Service
from gcompute.local.store.endpoints import Endpoint

from . import user_endpoints
from .access import administered_endpoint
from .call import Call, Handler, canonical

#: What a registration that does not name it leaves as it was.
#: Source: ``openapi/compute.yaml#/components/schemas/RegisterEndpointRequest``.
_FLAGS = ("multi_user", "high_assurance", "public")
#: What the older registration does not know.
_NEWER = ("high_assurance", "subscription_uuid", "admins", "public")


async def register_endpoint(service: Service, call: Call) -> dict[str, Any]:
    """Register a new endpoint."""
    return await register(service, call, str(uuid.uuid4()))


async def update_endpoint(service: Service, call: Call) -> dict[str, Any]:
    """Register a known endpoint again: it starts, or starts anew."""
    endpoint = administered_endpoint(service, call, call.id("endpoint_uuid"))
    return await register(service, call, endpoint.id)


async def register_endpoint_v2(service: Service, call: Call) -> dict[str, Any]:
    """Register an endpoint the older way: it brings its id along."""
    body = {key: value for key, value in call.body.items() if key not in _NEWER}
    answer = await register(service, replace(call, body=body), canonical(body["endpoint_uuid"]))
    # Older endpoints report in their result queue.
    del answer["heartbeat_queue_info"]
    if "command_queue_info" in answer:
        del answer["result_queue_info"]
    return answer | {"warnings": []}


async def register(service: Service, call: Call, endpoint_id: str) -> dict[str, Any]:
    """Keep a registration, declare the endpoint's queues, and tell it where they are.

    Raises:
        ServiceError: 403 for somebody else's endpoint, 409 for another kind of endpoint than it
            was, 423 for a locked one.
    """
    registration = _merged(service, call, endpoint_id)
    multi_user = registration["multi_user"]
    is_manager = Endpoint(endpoint_id, call.user.id, registration).is_manager
    await service.provisioning.declare_endpoint(endpoint_id, multi_user=is_manager)
    # Somebody else may have registered or locked it meanwhile.
    known = _check_again(service, call, endpoint_id, multi_user)
    owner = call.user.id if known is None else known.owner
    with service.store.transaction():
        service.store.endpoints.register(endpoint_id, owner, registration, call.now)
    answer = await service.provisioning.describe_endpoint(endpoint_id, multi_user=is_manager)
    try:
        _check_again(service, call, endpoint_id, multi_user)
    except errors.ServiceError:
        await service.provisioning.shut_out(endpoint_id)
        raise
    if is_manager:
        endpoint = service.store.endpoints.find(endpoint_id)
        assert endpoint is not None, "it was just registered"
        await user_endpoints.resume(service, endpoint, call.now)
    return answer


def _merged(service: Service, call: Call, endpoint_id: str) -> dict[str, Any]:
    """Give a registration as it is kept: flags that it does not name stay as they were."""
    known = service.store.endpoints.find(endpoint_id)
    before = {} if known is None else known.registration
    # What the document does not know, nobody may say of his endpoint: it may mean something here.
    registration = {key: value for key, value in call.body.items() if key in _fields()}
    for flag in _FLAGS:
        registration.setdefault(flag, before.get(flag, False))
    _check_again(service, call, endpoint_id, registration["multi_user"])
    registration["metadata"] = {"ip_address": call.host} | (registration.get("metadata") or {})
    for field in ("allowed_functions", "admins"):
        if registration.get(field) is not None:
            registration[field] = [canonical(id_) for id_ in registration[field]]
    return registration


@cache
def _fields() -> frozenset[str]:
    """Give what the document knows of an endpoint."""
    return frozenset(document()["components"]["schemas"]["RegisterEndpointRequest"]["properties"])


def _check_again(
    service: Service, call: Call, endpoint_id: str, multi_user: bool
) -> Endpoint | None:
    """Refuse to register an endpoint again that is another's, locked, or was of another kind."""
    endpoint = service.store.endpoints.find(endpoint_id, deleted=True)
    if endpoint is None:
        return None
    if not endpoint.administered_by(call.user.id):
        raise errors.endpoint_forbidden(endpoint.id)
    if endpoint.locked_until > call.now:
        raise errors.endpoint_locked(endpoint.id, endpoint.locked_until)
    if endpoint.multi_user != multi_user:
        kind = "multi-user" if endpoint.multi_user else "single-user"
        raise errors.endpoint_conflict(endpoint.id, f"it was registered as a {kind} endpoint")
    return endpoint


HANDLERS: dict[str, Handler] = {
    "register_endpoint": register_endpoint,
    "register_endpoint_v2": register_endpoint_v2,
    "update_endpoint": update_endpoint,
}
