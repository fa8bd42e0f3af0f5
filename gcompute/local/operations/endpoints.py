"""Endpoints that are registered: look at, lock, delete; what they report."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from gcompute.local import errors
from gcompute.local.amqp import LinkError
from gcompute.local.service import Service
from gcompute.local.store.endpoints import Endpoint

from . import user_endpoints
from .access import administered_endpoint, may_see, visible_endpoint
from .call import Call, Handler, canonical
from .times import iso_time

log = logging.getLogger(__name__)

#: How long a locked endpoint may not register, in seconds.
_LOCK_S = 15 * 60.0
#: What the service answers to a deletion, for whatever reason.
_DELETED = 302
#: What an endpoint tells about itself, as far as it does.
_TOLD = (
    *("config", "endpoint_config", "user_config_template", "user_config_schema"),
    *("description", "hostname", "local_user", "ip_address"),
    *("endpoint_version", "sdk_version", "python_version"),
)


async def get_endpoints(service: Service, call: Call) -> list[dict[str, Any]]:
    """List the caller's endpoints; with ``role=any`` all that he may see."""
    any_role = call.query.get("role") == "any"
    return [
        {
            "uuid": endpoint.id,
            "name": endpoint.name,
            "display_name": endpoint.display_name,
            "owner": endpoint.owner,
        }
        for endpoint in service.store.endpoints.all()
        if endpoint.manager is None
        and (endpoint.owner == call.user.id or (any_role and may_see(service, call, endpoint)))
    ]


async def get_endpoint(service: Service, call: Call) -> dict[str, Any]:
    """Show what an endpoint is."""
    endpoint = visible_endpoint(service, call, call.id("endpoint_uuid"))
    answer: dict[str, Any] = {
        "uuid": endpoint.id,
        "name": endpoint.name,
        "display_name": endpoint.display_name,
        "multi_user": endpoint.multi_user,
        "high_assurance": endpoint.high_assurance,
        "public": endpoint.public,
        "subscription_uuid": endpoint.registration.get("subscription_uuid"),
        "subscription_admin_verified": endpoint.subscription_admin_verified,
    }
    answer |= {key: endpoint.metadata.get(key) for key in _TOLD}
    answer["endpoint_version"] = answer["endpoint_version"] or endpoint.registration.get("version")
    return answer


async def get_endpoint_status(service: Service, call: Call) -> dict[str, Any]:
    """Tell whether an endpoint is at work, and what it last reported."""
    endpoint = visible_endpoint(service, call, call.id("endpoint_uuid"))
    report = endpoint.report or {}
    fields = ("total_workers", "idle_workers", "pending_tasks", "outstanding_tasks", "managers")
    return {
        "status": "online" if endpoint.is_online(call.now) else "offline",
        "details": {field: _count(report, field) or 0 for field in fields},
    }


def _count(report: Mapping[str, Any], field: str) -> int | None:
    """Give a count of a report. Agents report some as text or, by manager, as objects."""
    value = report.get(field)
    if isinstance(value, dict):
        value = sum(v for v in value.values() if isinstance(v, int))
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError, OverflowError):
        return None


async def lock_endpoint(service: Service, call: Call) -> dict[str, Any]:
    """Cut an endpoint off, and keep it from registering for a while."""
    endpoint_id, until = await _lock(service, call)
    return {"endpoint_id": endpoint_id, "lock_expiration_timestamp": until}


async def lock_endpoint_v2(service: Service, call: Call) -> dict[str, Any]:
    """Lock an endpoint; this version tells the time as text."""
    endpoint_id, until = await _lock(service, call)
    return {"endpoint_id": endpoint_id, "lock_expiration_timestamp": iso_time(until)}


async def _lock(service: Service, call: Call) -> tuple[str, float]:
    endpoint = administered_endpoint(service, call, call.id("endpoint_uuid"))
    until = call.now + _LOCK_S
    with service.store.transaction():
        service.store.endpoints.lock(endpoint.id, until)
    for locked in (*user_endpoints.of_manager(service, endpoint), endpoint):
        await service.provisioning.shut_out(locked.id)
    return endpoint.id, until


async def delete_endpoint(service: Service, call: Call) -> dict[str, Any]:
    """Delete an endpoint. Its unfinished tasks fail, so that nobody waits for them."""
    endpoint = administered_endpoint(service, call, call.id("endpoint_uuid"))
    for doomed in (*user_endpoints.of_manager(service, endpoint), endpoint):
        await _delete(service, doomed, call.now)
    return {}


async def _delete(service: Service, endpoint: Endpoint, now: float) -> None:
    with service.store.transaction():
        service.store.endpoints.delete(endpoint.id, now)
    await service.results.fail_deleted(endpoint.id)
    if service.store.endpoints.find(endpoint.id) is not None:
        # It was registered again meanwhile, and has its queues and credentials from that.
        return
    try:
        await service.provisioning.remove_endpoint(endpoint.id)
    except LinkError as error:
        # It is deleted all the same; what is left is a queue that nobody writes to.
        log.warning("the queue of endpoint %s stays at the broker: %s", endpoint.id, error)


async def delete_endpoint_v2(service: Service, call: Call) -> dict[str, Any]:
    """Delete an endpoint; this version answers with a number."""
    await delete_endpoint(service, call)
    return {"result": _DELETED}


async def get_endpoint_allowlist(service: Service, call: Call) -> dict[str, Any]:
    """Tell which functions an endpoint runs."""
    endpoint = visible_endpoint(service, call, call.id("endpoint_uuid"))
    allowed = endpoint.allowed_functions
    return {"endpoint_id": endpoint.id, "restricted": allowed is not None, "functions": allowed}


async def get_endpoint_console(service: Service, call: Call) -> dict[str, Any]:
    """Tell what an endpoint is doing. One that runs tasks itself is its own user endpoint."""
    endpoint = administered_endpoint(service, call, call.id("endpoint_uuid"))
    wanted = call.query.get("user_endpoint_id")
    runners = user_endpoints.of_manager(service, endpoint) if endpoint.is_manager else [endpoint]
    entries = [
        _console(runner, service.store.tasks.count(runner.id), call.now)
        for runner in runners
        if wanted is None or canonical(wanted) == runner.id
    ]
    fields = [name.strip() for name in call.query.get("include_fields", "").split(",")]
    if any(fields):
        told = {*fields, "user_endpoint_id"}
        entries = [{k: v for k, v in entry.items() if k in told} for entry in entries]
    return {"user_endpoints": entries}


def _console(endpoint: Endpoint, tasks: Mapping[str, int], now: float) -> dict[str, Any]:
    report = endpoint.report or {}
    finished = tasks.get("success", 0) + tasks.get("failed", 0)
    running = tasks.get("running", 0)
    return {
        "user_endpoint_id": endpoint.id,
        "active": endpoint.is_online(now),
        "python_version": endpoint.metadata.get("python_version"),
        "endpoint_version": endpoint.metadata.get("endpoint_version"),
        "posix_username": endpoint.metadata.get("local_user"),
        "last_heartbeat_unix": endpoint.reported_at,
        "total_worker_count": _count(report, "total_workers"),
        "idle_worker_count": _count(report, "idle_workers"),
        "total_node_count": _count(report, "managers"),
        "running_task_count": running,
        "queued_task_count": sum(tasks.values()) - finished - running,
        "executed_task_count": finished,
        "engine_type": str(report["engine_type"]) if "engine_type" in report else None,
    }


async def set_subscription_admin_verified(service: Service, call: Call) -> dict[str, Any]:
    """Keep whether the administrator of the endpoint's subscription vouches for it."""
    endpoint = administered_endpoint(service, call, call.id("endpoint_uuid"))
    verified = call.body["subscription_admin_verified"]
    if verified and endpoint.registration.get("subscription_uuid") is None:
        raise errors.endpoint_conflict(endpoint.id, "it belongs to no subscription")
    with service.store.transaction():
        service.store.endpoints.verify_subscription(endpoint.id, verified)
    return {"subscription_admin_verified": verified}


HANDLERS: dict[str, Handler] = {
    "get_endpoints": get_endpoints,
    "get_endpoint": get_endpoint,
    "get_endpoint_status": get_endpoint_status,
    "lock_endpoint": lock_endpoint,
    "lock_endpoint_v2": lock_endpoint_v2,
    "delete_endpoint": delete_endpoint,
    "delete_endpoint_v2": delete_endpoint_v2,
    "get_endpoint_allowlist": get_endpoint_allowlist,
    "get_endpoint_console": get_endpoint_console,
    "set_subscription_admin_verified": set_subscription_admin_verified,
}
