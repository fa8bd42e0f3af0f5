"""Who may see and use what: endpoints, functions and task groups of a caller. Reads only."""

from __future__ import annotations

from gcompute.local import errors
from gcompute.local.service import Service
from gcompute.local.store.endpoints import Endpoint
from gcompute.local.store.functions import Function
from gcompute.local.store.tasks import TaskGroup

from .call import Call


def visible_endpoint(service: Service, call: Call, endpoint_id: str) -> Endpoint:
    """Give an endpoint that the caller may look at: his, or a public one."""
    endpoint = service.store.endpoints.find(endpoint_id)
    if endpoint is None:
        raise errors.endpoint_not_found(endpoint_id)
    if not endpoint.public and not endpoint.administered_by(call.user.id):
        raise errors.endpoint_forbidden(endpoint_id)
    return endpoint


def administered_endpoint(service: Service, call: Call, endpoint_id: str) -> Endpoint:
    """Give an endpoint that the caller may change."""
    endpoint = service.store.endpoints.find(endpoint_id)
    if endpoint is None:
        raise errors.endpoint_not_found(endpoint_id)
    if not endpoint.administered_by(call.user.id):
        raise errors.endpoint_forbidden(endpoint_id)
    return endpoint


def usable_function(service: Service, call: Call, function_id: str) -> Function:
    """Give a function that the caller may run.

    Membership in Globus groups is unknown here: a function that is shared with a group is its
    owner's only.
    """
    function = service.store.functions.find(function_id)
    if function is None:
        raise errors.function_not_found(function_id)
    if not function.public and function.owner != call.user.id:
        raise errors.function_forbidden(function_id)
    return function


def own_function(service: Service, call: Call, function_id: str) -> Function:
    """Give a function that the caller owns."""
    function = service.store.functions.find(function_id)
    if function is None:
        raise errors.function_not_found(function_id)
    if function.owner != call.user.id:
        raise errors.function_forbidden(function_id)
    return function


def own_task_group(service: Service, call: Call, task_group_id: str) -> TaskGroup:
    """Give a task group that the caller owns."""
    group = service.store.tasks.find_group(task_group_id)
    if group is None:
        raise errors.task_group_not_found(task_group_id)
    if group.owner != call.user.id:
        raise errors.task_group_forbidden(task_group_id)
    return group


def check_permitted(function: Function, endpoint: Endpoint) -> None:
    """Refuse a function that the endpoint does not run, or that must run elsewhere."""
    allowed = endpoint.allowed_functions
    barred = allowed is not None and function.id not in allowed
    if barred or function.ha_endpoint not in (None, endpoint.id):
        raise errors.function_not_permitted(function.id, endpoint.id)
