"""What the service says of a task, as the values that users get.

Pure. What comes in is an entry of ``POST /v2/batch_status`` or the answer of
``GET /v2/tasks/{task_uuid}``; what goes out is the task's state with its result or its error.
Source: ``openapi/compute.yaml#/components/schemas/TaskStatus``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from gcompute.errors import (
    ComputeError,
    DeserializationError,
    ResultsUnavailable,
    TaskExecutionFailed,
)
from gcompute.protocol import FINISHED_STATES
from gcompute.serialize import ComputeSerializer


def task_state(
    task_id: str, answer: Mapping[str, Any] | None, serializer: ComputeSerializer
) -> dict[str, Any]:
    """Describe a task.

    Args:
        task_id: the task.
        answer: what the service says of it; ``None`` where it does not know the task.
        serializer: loads the result.

    Returns:
        ``pending`` (bool) and ``status`` (text), with ``details`` where the service has any. A
        finished task has ``completion_t`` (Unix time in s, as text) and either ``result`` or
        ``exception`` (a :class:`~gcompute.errors.ComputeError`).
    """
    if not isinstance(answer, Mapping):
        return {"pending": True, "status": "unknown"}
    status = str(answer.get("status") or "unknown").lower()
    state: dict[str, Any] = {"pending": status not in FINISHED_STATES, "status": status}
    details = answer.get("details")
    if details is not None:
        state["details"] = details
    if state["pending"]:
        return state
    completed = answer.get("completion_t")
    state["completion_t"] = str(completed or "unknown")
    if status == "success" and isinstance(answer.get("result"), str):
        try:
            state["result"] = serializer.deserialize(answer["result"])
        except DeserializationError as error:
            state["exception"] = of_task(task_id, error)
    elif status == "success":
        state["exception"] = ResultsUnavailable(
            f"task {task_id} succeeded, but the service has no result for it any more"
        )
    else:
        state["exception"] = TaskExecutionFailed(
            str(answer.get("exception") or answer.get("reason") or "the service gives no reason"),
            None if completed is None else str(completed),
            details,
            task_id=task_id,
        )
    return state


def given(state: Mapping[str, Any]) -> dict[str, Any]:
    """Give a state that is remembered: the caller may change it, and raise what is in it."""
    copied = dict(state)
    if "exception" in copied:
        copied["exception"] = again(copied["exception"])
    return copied


def again(error: ComputeError) -> ComputeError:
    """Copy an error, to be raised: one that is raised twice collects the traces of both."""
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied


def of_task(task_id: str, error: DeserializationError) -> ComputeError:
    """Say which task a result that does not load belongs to."""
    named = DeserializationError(f"the result of task {task_id}: {error.reason}")
    named.__cause__ = error.__cause__
    return named
