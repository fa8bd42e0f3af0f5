"""Containers, as records: this service neither builds nor runs any."""

from __future__ import annotations

import uuid
from typing import Any

from gcompute.local import errors
from gcompute.local.service import Service
from gcompute.local.store.containers import Container

from .call import Call, Handler

_NO_BUILDS = "The local service builds no containers: build the image yourself and register it"


async def register_container(service: Service, call: Call) -> dict[str, Any]:
    """Record an image that exists."""
    return _add(service, call, "provided", None)


async def build_container(service: Service, call: Call) -> dict[str, Any]:
    """Record that an image was asked for; its build has failed already."""
    return _add(service, call, "failed", _NO_BUILDS)


def _add(
    service: Service, call: Call, build_status: str, err_message: str | None
) -> dict[str, Any]:
    container = Container(str(uuid.uuid4()), call.user.id, call.body, build_status, err_message)
    with service.store.transaction():
        service.store.containers.add(container, call.now)
    return {"container_id": container.id}


async def get_container_build(service: Service, call: Call) -> dict[str, Any]:
    """Tell how a build goes."""
    return {"status": _find(service, call).build_status}


async def get_container(service: Service, call: Call) -> dict[str, Any]:
    """Show a container of a type; one that failed to build has no type to differ from."""
    container = _find(service, call)
    known_type = container.registration.get("type")
    if known_type not in (None, call.path["container_type"]):
        raise errors.container_not_found(container.id)
    return {
        "container": {
            "container_uuid": container.id,
            "name": container.registration["name"],
            "build_status": container.build_status,
            "type": known_type,
            "location": container.registration.get("location"),
            "build_stderr": None,
            "err_message": container.err_message,
        }
    }


def _find(service: Service, call: Call) -> Container:
    container_id = call.id("container_uuid")
    container = service.store.containers.find(container_id)
    if container is None or container.owner != call.user.id:
        raise errors.container_not_found(container_id)
    return container


HANDLERS: dict[str, Handler] = {
    "register_container": register_container,
    "build_container": build_container,
    "get_container_build": get_container_build,
    "get_container": get_container,
}
