"""Submits: tasks are checked, stored, answered for, and then handed to the broker.

All tasks of a submit are accepted or none is. The answer comes when they are stored; the broker
gets them right after it, and again until it has confirmed them.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

from gcompute.local import errors
from gcompute.local.service import Service
from gcompute.local.store.endpoints import Endpoint
from gcompute.local.store.functions import Function
from gcompute.local.store.tasks import Batch, NewTask, TaskGroup, WaitingTask

from . import user_endpoints
from .access import check_permitted, own_task_group, usable_endpoint, usable_function
from .call import Call, Handler, canonical

_HA_WARNING = (
    "The endpoint {} is a high-assurance endpoint: its results are protected data and are only "
    "handed out over HTTP."
)


async def submit(service: Service, call: Call) -> dict[str, Any]:
    """Accept tasks for an endpoint."""
    body = call.body
    endpoint = _open_endpoint(service, call, call.id("endpoint_uuid"))
    # Looked up by the spelling in the request, which is the spelling of the answer.
    functions = {
        given: _function(service, call, given, endpoint, "body", "tasks", given)
        for given in body["tasks"]
    }
    if not any(body["tasks"].values()):
        raise errors.invalid_field("body", "tasks", msg="There are no tasks in this submit")
    runner = await user_endpoints.runner(service, call, endpoint)
    group = await _task_group(service, call, with_queue=body.get("create_queue", False))
    tasks = {
        given: [NewTask(str(uuid.uuid4()), functions[given].id, text) for text in payloads]
        for given, payloads in body["tasks"].items()
    }
    batch = Batch(
        request_id=str(uuid.uuid4()),
        task_group=group.id,
        endpoint=runner.id,
        owner=call.user.id,
        resource_specification=body.get("resource_specification"),
        result_serializers=body.get("result_serializers") or [],
        user_runtime=body.get("user_runtime"),
    )
    new_tasks = [task for of_function in tasks.values() for task in of_function]
    await user_endpoints.start(service, runner, call.now)
    _check_again(service, endpoint, runner)
    with service.store.transaction():
        service.store.tasks.keep_group(group)
        waiting = _add(service, call, batch, new_tasks)
    _hand_over(service, waiting, list(functions.values()))
    answer: dict[str, Any] = {
        "request_id": batch.request_id,
        "task_group_id": group.id,
        "endpoint_id": endpoint.id,
        "tasks": {given: [task.id for task in of_function] for given, of_function in tasks.items()},
    }
    if endpoint.high_assurance:
        answer["ha_warning"] = _HA_WARNING.format(endpoint.id)
    return answer


async def submit_v2(service: Service, call: Call) -> dict[str, Any]:
    """Accept tasks for any endpoints; an unknown task group is made with the id given."""
    body = call.body
    chosen = [
        _checked_entry(service, call, index, function_id, endpoint_id, payload)
        for index, (function_id, endpoint_id, payload) in enumerate(body["tasks"])
    ]
    group = await _task_group(
        service, call, with_queue=body.get("create_websocket_queue", True), may_be_new=True
    )
    endpoints = {endpoint.id: endpoint for endpoint, _, _ in chosen}
    runners = {
        endpoint.id: await user_endpoints.runner(service, call, endpoint)
        for endpoint in endpoints.values()
    }
    for runner in runners.values():
        await user_endpoints.start(service, runner, call.now)
    for endpoint in endpoints.values():
        _check_again(service, endpoint, runners[endpoint.id])
    request_id = str(uuid.uuid4())
    waiting: list[WaitingTask] = []
    with service.store.transaction():
        service.store.tasks.keep_group(group)
        for endpoint, _, task in chosen:
            runs_at = runners[endpoint.id].id
            batch = Batch(request_id, group.id, runs_at, call.user.id, None, [])
            waiting += _add(service, call, batch, [task])
    _hand_over(service, waiting, [function for _, function, _ in chosen])
    return {
        "response": "success",
        "task_group_id": group.id,
        "results": [
            {"status": "Success", "task_uuid": task.id, "http_status_code": 200, "reason": None}
            for _, _, task in chosen
        ],
    }


def _checked_entry(
    service: Service, call: Call, index: int, function_id: str, endpoint_id: str, payload: str
) -> tuple[Endpoint, Function, NewTask]:
    try:
        endpoint_id = canonical(endpoint_id)
    except ValueError as error:
        raise _no_uuid("body", "tasks", index, 1) from error
    endpoint = _open_endpoint(service, call, endpoint_id)
    function = _function(service, call, function_id, endpoint, "body", "tasks", index, 0)
    return endpoint, function, NewTask(str(uuid.uuid4()), function.id, payload)


def _no_uuid(*loc: str | int) -> errors.RequestInvalid:
    return errors.invalid_field(*loc, msg="This is no UUID", rule="uuid_parsing")


def _open_endpoint(service: Service, call: Call, endpoint_id: str) -> Endpoint:
    """Give an endpoint that takes tasks of the caller."""
    endpoint = usable_endpoint(service, call, endpoint_id)
    policy = endpoint.authentication_policy
    if policy is not None and call.policies is not None and policy not in call.policies:
        raise errors.AuthorizationRequired(policy, endpoint.id)
    return endpoint


def _check_again(service: Service, endpoint: Endpoint, runner: Endpoint) -> None:
    """Refuse tasks for an endpoint that was deleted while the broker was waited for."""
    for needed in (endpoint.id, runner.id):
        if service.store.endpoints.find(needed) is None:
            raise errors.endpoint_not_found(endpoint.id)


def _function(
    service: Service, call: Call, given: str, endpoint: Endpoint, *loc: str | int
) -> Function:
    """Give a function that the caller may run on an endpoint."""
    try:
        function_id = canonical(given)
    except ValueError as error:
        raise _no_uuid(*loc) from error
    function = usable_function(service, call, function_id)
    check_permitted(function, endpoint)
    return function


async def _task_group(
    service: Service, call: Call, *, with_queue: bool, may_be_new: bool = False
) -> TaskGroup:
    """Give the task group of a submit, and make its queue where one is asked for."""
    given = call.body.get("task_group_id")
    group_id = str(uuid.uuid4()) if given is None else canonical(given)
    known = _known_group(service, call, group_id, may_be_new=given is None or may_be_new)
    has_queue = with_queue or (known is not None and known.has_queue)
    if has_queue:
        # Before the answer, as the client consumes it at once; again where it has expired.
        await service.provisioning.declare_group(call.user.id, group_id)
        # Somebody else may have made a group with this id meanwhile.
        known = _known_group(service, call, group_id, may_be_new=True)
    return TaskGroup(group_id, call.user.id, has_queue, call.now if not known else known.created_at)


def _known_group(
    service: Service, call: Call, group_id: str, *, may_be_new: bool
) -> TaskGroup | None:
    if may_be_new and service.store.tasks.find_group(group_id) is None:
        return None
    return own_task_group(service, call, group_id)


def _add(service: Service, call: Call, batch: Batch, tasks: Sequence[NewTask]) -> list[WaitingTask]:
    seqs = service.store.tasks.add_batch(batch, tasks, call.now)
    return [
        WaitingTask(
            seq,
            task.id,
            task.function,
            task.payload,
            batch.endpoint,
            batch.resource_specification,
            batch.result_serializers,
        )
        for seq, task in zip(seqs, tasks, strict=True)
    ]


def _hand_over(
    service: Service, waiting: Sequence[WaitingTask], functions: Sequence[Function]
) -> None:
    buffers = {function.id: function.buffer for function in functions}
    # After this turn of the loop, in which the answer is written.
    asyncio.get_running_loop().call_soon(service.dispatcher.send, waiting, buffers)


HANDLERS: dict[str, Handler] = {"submit": submit, "submit_v2": submit_v2}
