"""User endpoints: what an endpoint of many users, or with a template, starts to run tasks.

Such a manager runs no tasks itself. Its agent takes commands to start agents of user endpoints::

    submit --+--> tasks ----> queue of the user endpoint ----> its agent --> results
             |                                                    ^
             +--> command --> queue of the manager --> its agent -+  starts it

There is one user endpoint for each manager, user and configuration; its id follows from them, in a
way that nobody else can follow, to register it for himself.
Each submit sends the command again: a manager whose user endpoint runs only hands it the new
credentials, and starts it anew if it was just about to stop. Commands that a manager was not
there for are out of date when it comes back; then it gets one for each user endpoint that has
tasks. Source of the command: ``globus-compute-endpoint`` 4.19.0, ``core_endpoint.py``.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from gcompute.local.service import Service
from gcompute.local.store.endpoints import Endpoint

from .call import Call


async def runner(service: Service, call: Call, endpoint: Endpoint) -> Endpoint:
    """Give the endpoint that runs the tasks of a submit: itself, or a user endpoint of it.

    Raises:
        LinkError: the broker is away, and the queues of a new one cannot be made.
    """
    if not endpoint.is_manager:
        return endpoint
    configuration = call.body.get("user_endpoint_config") or {}
    owner = call.user.id
    id_ = _id(service, endpoint.id, owner, configuration)
    registration = {
        "endpoint_name": f"uep.{endpoint.id}.{id_}",
        "display_name": endpoint.display_name,
        "manager": endpoint.id,
        "admins": [endpoint.owner],
        "high_assurance": endpoint.high_assurance,
        "metadata": {},
        "user_endpoint_config": configuration,
        "user_runtime": call.body.get("user_runtime") or {},
    }
    await service.provisioning.declare_endpoint(id_, multi_user=False)
    with service.store.transaction():
        service.store.endpoints.register(id_, owner, registration, call.now)
    return Endpoint(id_, owner, registration)


def _id(service: Service, manager: str, owner: str, configuration: dict[str, Any]) -> str:
    described = json.dumps([manager, owner, configuration], sort_keys=True)
    return str(uuid.UUID(service.provisioning.names.seal(described), version=5))


async def start(service: Service, endpoint: Endpoint, now: float) -> None:
    """Have a user endpoint started, if it is one; while it or its manager is locked, it waits.

    Raises:
        LinkError: the broker is away.
    """
    if endpoint.manager is None:
        return
    for id_ in (endpoint.id, endpoint.manager):
        known = service.store.endpoints.find(id_)
        if known is None or known.locked_until > now:
            return
    owner = service.identities.find(endpoint.owner)
    credentials = await service.provisioning.describe_endpoint(endpoint.id, multi_user=False)
    command = {
        "command": "cmd_start_endpoint",
        "args": [],
        "kwargs": {
            "name": endpoint.name,
            "amqp_creds": credentials,
            "user_opts": endpoint.registration["user_endpoint_config"],
            "user_runtime": endpoint.registration["user_runtime"],
        },
        "globus_effective_identity": endpoint.owner,
        "globus_identity_set": [{"sub": endpoint.owner}],
        "globus_username": endpoint.owner if owner is None else owner.name,
    }
    service.provisioning.command(endpoint.manager, command, now)


def of_manager(service: Service, manager: Endpoint) -> list[Endpoint]:
    """Give the user endpoints of an endpoint, oldest first."""
    return [known for known in service.store.endpoints.all() if known.manager == manager.id]


async def resume(service: Service, manager: Endpoint, now: float) -> None:
    """Have every user endpoint started that has tasks, in place of the commands of before."""
    await service.provisioning.forget_commands(manager.id)
    for endpoint in of_manager(service, manager):
        if service.store.tasks.unfinished(endpoint=endpoint.id, limit=1):
            await start(service, endpoint, now)
