"""Who may see and use what: endpoints, functions and task groups of a caller. Reads only.

=============  ======================================  ====================================
               may see it                              may use it
=============  ======================================  ====================================
endpoint       owner, admins; everybody if ``public``  owner, admins
  multi-user   the same                                who may see it
  own          every user of the service               every user of the service
function       owner, its ``group``; everybody if      who may see it
               ``public``
task           its submitter                           its submitter
task group     its maker                               its maker
=============  ======================================  ====================================

Only owners and admins may change an endpoint, and only its owner may delete a function.
``public`` makes an endpoint known, not usable: it would run the tasks of strangers as its owner.
One for many users starts an endpoint for each, and decides itself whom it serves. The own endpoint
is the one that the service starts itself.
Source: ``openapi/compute.yaml#/components/schemas``.
"""

from __future__ import annotations

from gcompute.local import errors
from gcompute.local.service import Service
from gcompute.local.store.endpoints import Endpoint
from gcompute.local.store.functions import Function
from gcompute.local.store.tasks import TaskGroup

from .call import Call


def may_use(service: Service, call: Call, endpoint: Endpoint) -> bool:
    """Tell whether the caller may run tasks on an endpoint."""
    for_all = endpoint.multi_user and endpoint.public
    return (
        for_all or endpoint.id == service.local_endpoint or endpoint.administered_by(call.user.id)
    )


def may_see(service: Service, call: Call, endpoint: Endpoint) -> bool:
    """Tell whether the caller may look at an endpoint."""
    return endpoint.public or may_use(service, call, endpoint)


def visible_endpoint(service: Service, call: Call, endpoint_id: str) -> Endpoint:
    """Give an endpoint that the caller may look at."""
    endpoint = _endpoint(service, endpoint_id)
    if not may_see(service, call, endpoint):
        raise errors.endpoint_forbidden(endpoint_id)
    return endpoint


def usable_endpoint(service: Service, call: Call, endpoint_id: str) -> Endpoint:
    """Give an endpoint that the caller may run tasks on."""
    endpoint = _endpoint(service, endpoint_id)
    if not may_use(service, call, endpoint):
        raise errors.endpoint_forbidden(endpoint_id)
    return endpoint


def administered_endpoint(service: Service, call: Call, endpoint_id: str) -> Endpoint:
    """Give an endpoint that the caller may change."""
    endpoint = _endpoint(service, endpoint_id)
    if not endpoint.administered_by(call.user.id):
        raise errors.endpoint_forbidden(endpoint_id)
    return endpoint


def _endpoint(service: Service, endpoint_id: str) -> Endpoint:
    endpoint = service.store.endpoints.find(endpoint_id)
    if endpoint is None:
        raise errors.endpoint_not_found(endpoint_id)
    return endpoint


def usable_function(service: Service, call: Call, function_id: str) -> Function:
    """Give a function that the caller may look at and run."""
    function = service.store.functions.find(function_id)
    if function is None:
        raise errors.function_not_found(function_id)
    shared = function.public or function.group_id in service.identities.groups(call.user.id)
    if not shared and function.owner != call.user.id:
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
