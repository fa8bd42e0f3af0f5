"""Registering, describing, stopping and deleting endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gcompute.calls import Recipe, read, write
from gcompute.core import ClientCore, ask, ask_for_object, unreadable, version_check
from gcompute.ids import UUIDLike, as_uuid
from gcompute.recipes.functions import register_function
from gcompute.recipes.tasks import run


def register_endpoint(
    core: ClientCore,
    name: str,
    endpoint_id: UUIDLike | None = None,
    metadata: dict[str, Any] | None = None,
    multi_user: bool | None = None,
    display_name: str | None = None,
    allowed_functions: Sequence[UUIDLike] | None = None,
    auth_policy: UUIDLike | None = None,
    subscription_id: UUIDLike | None = None,
    public: bool | None = None,
    high_assurance: bool | None = None,
    admins: Sequence[UUIDLike] | None = None,
) -> Recipe[dict[str, Any]]:
    """Register an endpoint, or update one.

    Args:
        name: its name.
        endpoint_id: the endpoint to update; ``None`` registers a new one.
        metadata: what it is and runs on: ``endpoint_version``, ``hostname``, ...
        multi_user: whether it starts an endpoint of their own for its users.
        display_name: its name for people.
        allowed_functions: the functions it may run; default all.
        auth_policy: the Globus authentication policy that its users must meet.
        subscription_id: the subscription it belongs to.
        public: whether everybody may find a multi-user endpoint.
        high_assurance: whether it is for protected data.
        admins: identities that may administer it, beside its owner; needs a subscription.

    Returns:
        ``endpoint_id``, and how its agent reaches its queues: ``task_queue_info`` (or
        ``command_queue_info``), ``result_queue_info``, ``heartbeat_queue_info``. They hold
        credentials.

    Raises:
        VersionMismatch: the service does not accept this client.
        ComputeAPIError: the service refuses it.
    """
    yield from version_check(core)
    body: dict[str, Any] = {"endpoint_name": name}
    given = {
        "display_name": display_name,
        "multi_user": multi_user or None,
        "metadata": metadata or None,
        "allowed_functions": _ids(allowed_functions, "allowed_functions"),
        "authentication_policy": _id(auth_policy, "auth_policy"),
        "subscription_uuid": _id(subscription_id, "subscription_id"),
        "public": public,
        "high_assurance": high_assurance,
        "admins": _ids(admins, "admins"),
    }
    body |= {key: value for key, value in given.items() if value is not None}
    if endpoint_id is None:
        return (yield from ask_for_object(core, write("endpoints.register_endpoint", body)))
    endpoint = as_uuid(endpoint_id, "endpoint_id")
    return (
        yield from ask_for_object(
            core, write("endpoints.update_endpoint", body, endpoint_uuid=endpoint)
        )
    )


def get_endpoint_status(core: ClientCore, endpoint_uuid: UUIDLike) -> Recipe[dict[str, Any]]:
    """Say whether an endpoint is online, and how busy it is.

    Returns:
        ``status`` (``"online"``, ``"offline"``, ...), and ``details`` with counts of workers
        and tasks, where the endpoint has reported any.
    """
    return (yield from _read(core, "endpoints.get_endpoint_status", endpoint_uuid))


def get_endpoint_metadata(core: ClientCore, endpoint_uuid: UUIDLike) -> Recipe[dict[str, Any]]:
    """Describe an endpoint: names, host, versions, configuration."""
    return (yield from _read(core, "endpoints.get_endpoint", endpoint_uuid))


def get_endpoints(core: ClientCore, role: str | None = None) -> Recipe[list[dict[str, Any]]]:
    """List endpoints.

    Args:
        role: ``"owner"`` for one's own, ``"any"`` for all that one may use; default the
            service's choice, one's own.

    Returns:
        ``uuid``, ``name``, ``display_name`` and ``owner`` of each.
    """
    parameters = {} if role is None else {"role": role}
    answer = yield from ask(core, read("endpoints.get_endpoints", **parameters))
    if not isinstance(answer, list):
        raise unreadable(f"the list of endpoints is no list: {answer!r:.200}")
    return answer


def get_allowed_functions(core: ClientCore, endpoint_id: UUIDLike) -> Recipe[dict[str, Any]]:
    """Say which functions an endpoint may run.

    Returns:
        ``restricted`` (bool), and ``functions``, a list of ids, where it is restricted.
    """
    return (yield from _read(core, "endpoints.get_endpoint_allowlist", endpoint_id))


def stop_endpoint(core: ClientCore, endpoint_id: UUIDLike) -> Recipe[dict[str, Any]]:
    """Stop an endpoint: its connections are dropped, and it is locked for a while.

    Returns:
        ``endpoint_id`` and ``lock_expiration_timestamp`` (Unix time in s).
    """
    endpoint = as_uuid(endpoint_id, "endpoint_id")
    return (
        yield from ask_for_object(core, write("endpoints.lock_endpoint", endpoint_uuid=endpoint))
    )


def delete_endpoint(core: ClientCore, endpoint_id: UUIDLike) -> Recipe[dict[str, Any]]:
    """Delete an endpoint's registration.

    Returns:
        What the service answers.
    """
    endpoint = as_uuid(endpoint_id, "endpoint_id")
    return (
        yield from ask_for_object(
            core, write("endpoints.delete_endpoint_v2", endpoint_uuid=endpoint)
        )
    )


def get_worker_hardware_details(core: ClientCore, endpoint_id: UUIDLike) -> Recipe[str]:
    """Run a function that describes the machine of an endpoint's worker.

    Returns:
        The task's id; the result of the task is text.
    """
    from gcompute.functions import hardware_report

    function_id = yield from register_function(core, hardware_report)
    return (yield from run(core, endpoint_id=endpoint_id, function_id=function_id))


def _read(core: ClientCore, operation: str, endpoint_id: UUIDLike) -> Recipe[dict[str, Any]]:
    endpoint = as_uuid(endpoint_id, "endpoint_id")
    return (yield from ask_for_object(core, read(operation, endpoint_uuid=endpoint)))


def _id(value: UUIDLike | None, name: str) -> str | None:
    return None if value is None else str(as_uuid(value, name))


def _ids(values: Sequence[UUIDLike] | None, name: str) -> list[str] | None:
    return None if not values else [str(as_uuid(value, name)) for value in values]
