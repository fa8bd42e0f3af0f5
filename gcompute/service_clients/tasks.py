"""Batches of document 000 as version 2 of the interface takes them, and answers about tasks.

Pure. A batch there is a list of objects, each with an endpoint, a function, and the arguments as
Python values; on the wire a task is a list of function id, endpoint id and payload. Source:
``openapi/compute.yaml#/components/schemas/SubmitRequestV2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcompute.errors import ComputeAPIError, error_class_for
from gcompute.ids import UUIDLike, as_uuid
from gcompute.serialize import ComputeSerializer

_NEEDED = {"endpoint", "function"}
_KNOWN = _NEEDED | {"args", "kwargs"}


def is_batch(document: Any) -> bool:
    """Tell whether the tasks of a document are objects."""
    tasks = document.get("tasks") if isinstance(document, Mapping) else None
    return isinstance(tasks, list | tuple) and any(isinstance(task, Mapping) for task in tasks)


def batch_v2(document: Mapping[str, Any], serializer: ComputeSerializer) -> dict[str, Any]:
    """Give the body of ``POST /v2/submit`` for a batch.

    Raises:
        ValueError: a task lacks its endpoint or function, or has a field that there is not.
        SerializationError: an argument cannot be sent.
    """
    tasks = [_task(index, task, serializer) for index, task in enumerate(document["tasks"])]
    return {**document, "tasks": tasks}


def _task(index: int, task: Any, serializer: ComputeSerializer) -> list[str]:
    if not isinstance(task, Mapping):
        raise TypeError(f"task {index} of the batch is no dictionary: {task!r:.100}")
    missing, unknown = _NEEDED - task.keys(), task.keys() - _KNOWN
    if missing or unknown:
        what = f"lacks {sorted(missing)}" if missing else f"has the unknown {sorted(unknown)}"
        raise ValueError(f"task {index} of the batch {what}: it takes {sorted(_KNOWN)}")
    return task_v2(
        task["endpoint"],
        task["function"],
        serializer.pack_arguments(*arguments(task.get("args"), task.get("kwargs"))),
    )


def task_v2(endpoint_id: UUIDLike, function_id: UUIDLike, payload: str) -> list[str]:
    """Give one task of a version 2 submit."""
    function = as_uuid(function_id, "function")
    return [str(function), str(as_uuid(endpoint_id, "endpoint")), payload]


def arguments(args: Any, kwargs: Any) -> tuple[list[Any] | tuple[Any, ...], dict[str, Any]]:
    """Check the arguments of a task.

    Raises:
        TypeError: ``args`` is no list or tuple, or ``kwargs`` no dictionary.
    """
    if args is not None and not isinstance(args, list | tuple):
        raise TypeError(f"positional arguments are a list or tuple, not {args!r:.100}")
    if kwargs is not None and not isinstance(kwargs, dict):
        raise TypeError(f"keyword arguments are a dictionary, not {kwargs!r:.100}")
    return args or [], kwargs or {}


def with_task_uuids(answer: dict[str, Any]) -> dict[str, Any]:
    """Add ``task_uuids`` to the answer of a version 2 submit: an id a task, in their order.

    Raises:
        ComputeAPIError: a task was not accepted. Others may have been: they are in the error's
            ``raw_json``, as ``results``.
    """
    results = answer.get("results")
    entries = results if isinstance(results, list) else []
    refused = {index: entry for index, entry in enumerate(entries) if not _accepted(entry)}
    if refused or not entries:
        raise _refusal(answer, refused, len(entries))
    return {**answer, "task_uuids": [entry["task_uuid"] for entry in entries]}


def with_one_task_uuid(answer: dict[str, Any]) -> dict[str, Any]:
    """Add ``task_uuid`` to the answer of a version 2 submit of one task; raises likewise."""
    answer = with_task_uuids(answer)
    return {**answer, "task_uuid": answer["task_uuids"][0]}


def _accepted(entry: Any) -> bool:
    if not isinstance(entry, Mapping) or not entry.get("task_uuid"):
        return False
    code = entry.get("http_status_code")
    return str(entry.get("status") or "success").lower() == "success" and (code or 200) < 400


def _refusal(answer: dict[str, Any], refused: Mapping[int, Any], tasks: int) -> ComputeAPIError:
    """Make the error for tasks that a submit did not accept."""
    if not refused:
        return ComputeAPIError(
            http_status=200, message="the answer to a submit has no tasks", raw_json=answer
        )
    index, first = next(iter(refused.items()))
    told = first if isinstance(first, Mapping) else {"reason": first}
    status = told.get("http_status_code") or 200
    others = "" if len(refused) == tasks else "; the others run: raw_json['results'] has their ids"
    return error_class_for(status)(
        http_status=status,
        message=f"{len(refused)} of {tasks} tasks were not accepted; task {index}: "
        f"{told.get('reason') or 'no reason is given'}{others}",
        raw_json=answer,
        request="POST /v2/submit",
    )


def with_only_task(answer: dict[str, Any]) -> dict[str, Any]:
    """Add ``task_uuid`` to the answer of a version 3 submit of one task.

    Raises:
        ComputeAPIError: there is none in it.
    """
    submitted = answer.get("tasks")
    ids = list(submitted.values()) if isinstance(submitted, dict) else []
    if len(ids) != 1 or not ids[0]:
        raise ComputeAPIError(
            http_status=200, message="the answer to a submit has no task id", raw_json=answer
        )
    return {**answer, "task_uuid": ids[0][0]}


def with_task_uuid(answer: dict[str, Any]) -> dict[str, Any]:
    """Add ``task_uuid``, another name of ``task_id``, to what is known about a task."""
    return {**answer, "task_uuid": answer["task_id"]} if "task_id" in answer else answer


def with_task_uuid_each(answer: dict[str, Any]) -> dict[str, Any]:
    """Add ``task_uuid`` to each entry of the answer about many tasks."""
    results = answer.get("results")
    if not isinstance(results, dict):
        return answer
    named = {
        task_id: with_task_uuid(entry) if isinstance(entry, dict) else entry
        for task_id, entry in results.items()
    }
    return {**answer, "results": named}


def id_list(task_ids: Any) -> list[str]:
    """Give one id, or each of several, as text.

    Raises:
        ValueError: one is no UUID.
    """
    ids = [task_ids] if isinstance(task_ids, UUIDLike) else task_ids
    return [str(as_uuid(task_id, "task_id")) for task_id in ids]
