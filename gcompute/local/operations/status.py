"""How tasks stand, their results, and where results arrive by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gcompute.local import errors
from gcompute.local.routing import read_stored
from gcompute.local.service import Service
from gcompute.local.store.tasks import RECEIVED, SUCCESS, WAITING, TaskGroup, TaskRecord

from .access import own_task_group
from .call import Call, Handler, Pieces, canonical
from .times import iso_time


async def get_task(service: Service, call: Call) -> dict[str, Any]:
    """Tell how a task stands."""
    task_id = call.id("task_uuid")
    record = service.store.tasks.record(task_id, call.user.id)
    if record is None:
        raise errors.task_not_found(task_id)
    return describe(record)


async def get_task_batch(service: Service, call: Call) -> Pieces:
    """Tell how many tasks stand. An unknown one counts as failed, with the reason."""
    return Pieces(_batch(service, call))


def _batch(service: Service, call: Call) -> Iterator[str]:
    """Write the answer; each result may have 10 MiB, so that one is read when it is its turn."""
    yield '{"response":"batch","results":{'
    for number, given in enumerate(dict.fromkeys(call.body["task_ids"])):
        record = service.store.tasks.record(canonical(given), call.user.id)
        if record is None:
            stands = {"task_id": given, "status": "failed", "reason": "Unknown task id"}
        else:
            stands = describe(record)
        yield "," if number else ""
        yield f"{json.dumps(given)}:{json.dumps(stands, separators=(',', ':'))}"
    yield "}}"


def describe(record: TaskRecord) -> dict[str, Any]:
    """Describe a task: ``result`` or ``exception`` are there only once it has finished.

    Clients look for the presence of the fields, so there are no nulls.
    Source: ``openapi/compute.yaml#/components/schemas/TaskStatus``.
    """
    transitions = {RECEIVED: record.received_at}
    if record.dispatched_at is not None:
        transitions[WAITING] = record.dispatched_at
    transitions |= record.transitions
    answer: dict[str, Any] = {"task_id": record.id, "status": record.state}
    details: dict[str, Any] = {"endpoint_id": record.endpoint}
    if record.completed_at is not None and record.body is not None:
        result = read_stored(record.body)
        transitions[record.state] = record.completed_at
        details |= result.details or {}
        answer["completion_t"] = str(record.completed_at)
        answer["result" if record.state == SUCCESS else "exception"] = result.data
    answer["details"] = details | {"task_transitions": transitions}
    return answer


async def get_task_group(service: Service, call: Call) -> Pieces:
    """Tell which tasks a task group has."""
    return Pieces(_group(service, own_task_group(service, call, call.id("task_group_uuid"))))


def _group(service: Service, group: TaskGroup) -> Iterator[str]:
    """Write the answer; 100,000 tasks at once would keep others waiting."""
    yield f'{{"taskgroup_id":"{group.id}",'
    yield f'"create_websockets_queue":{json.dumps(group.has_queue)},"tasks":['
    for number, (task_id, received_at) in enumerate(service.store.tasks.in_group(group.id)):
        yield "," if number else ""
        yield f'{{"id":"{task_id}","created_at":"{iso_time(received_at)}"}}'
    yield "]}"


async def get_result_amqp_url(service: Service, call: Call) -> dict[str, Any]:
    """Give fresh credentials for the caller's result queues."""
    return await service.provisioning.describe_user(call.user.id)


HANDLERS: dict[str, Handler] = {
    "get_task": get_task,
    "get_task_batch": get_task_batch,
    "get_task_group": get_task_group,
    "get_result_amqp_url": get_result_amqp_url,
}
