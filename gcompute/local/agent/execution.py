"""Running one task.

A task message goes in, a :class:`~gcompute.messages.ResultMessage` comes out, always: whatever
the message, the function or its result do short of ending the process becomes a failed result.
It sets environment variables and changes the working directory, which are the whole process's:
where an engine runs several tasks in one process at a time, they see those of the last one.

Source: ``docs/wire.md#limits-and-defaults-of-the-hosted-service-and-the-official-sdk`` for the
environment of a task and the size of a result, ``docs/wire.md#messages`` for the answer.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gcompute.errors import MalformedMessage, MaxResultSizeExceeded, SerializationError
from gcompute.messages import ErrorDetails, ResultMessage, TaskMessage, Transition, decode
from gcompute.protocol import MAX_RESULT_BYTES, PROTOCOL_LEVEL
from gcompute.serialize import ComputeSerializer

from .failure import describe_failure
from .time_limit import time_limit

_serializer = ComputeSerializer()


def environment_details(endpoint_id: str) -> dict[str, Any]:
    """Describe this interpreter, as results do."""
    return {
        "os": platform.platform(),
        "python_version": platform.python_version(),
        "dill_version": importlib.metadata.version("dill"),
        "globus_compute_sdk_version": PROTOCOL_LEVEL,
        "endpoint_id": endpoint_id,
    }


@dataclass(frozen=True)
class Workplace:
    """Where tasks run."""

    endpoint_id: str
    #: The working directory of tasks; made when it is missing.
    run_dir: Path
    #: Whether each task gets a directory of its own below ``run_dir``, named after it.
    sandbox: bool = False
    #: Characters that a serialized result may have.
    max_result_size: int = MAX_RESULT_BYTES
    details: dict[str, Any] = field(default_factory=dict)


def execute(
    body: bytes, task_id: str, result_serializers: Sequence[str], workplace: Workplace
) -> ResultMessage:
    """Run a task.

    Args:
        body: the task message.
        task_id: the task, as the message's headers name it.
        result_serializers: import paths of the strategies to try on the result, in order;
            empty for the default.
        workplace: where to run it.
    """
    started = _transition("execution-start")
    error_details = None
    try:
        _enter(task_id, workplace)
        data = _call(body, result_serializers, workplace.max_result_size)
    except BaseException as error:
        # SystemExit and KeyboardInterrupt too: a function that calls sys.exit() ends its task,
        # not the worker.
        data, error_details = _failure(error)
    return ResultMessage(
        task_id=task_id,
        data=data,
        error_details=error_details,
        details=workplace.details,
        task_statuses=(started, _transition("execution-end")),
    )


def _transition(state: str) -> Transition:
    return Transition(time.time_ns(), state, "worker")


def _enter(task_id: str, workplace: Workplace) -> None:
    """Set up the environment and the working directory of a task."""
    os.environ["GC_TASK_UUID"] = task_id
    os.environ.pop("GC_TASK_SANDBOX_DIR", None)
    folder = workplace.run_dir
    if workplace.sandbox:
        folder = folder / task_id
        os.environ["GC_TASK_SANDBOX_DIR"] = str(folder)
    # A former task may have changed or removed the directory.
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)


def _call(body: bytes, result_serializers: Sequence[str], max_result_size: int) -> str:
    message = decode(body)
    if not isinstance(message, TaskMessage):
        raise MalformedMessage(f"expected a task, got a message of type {message.message_type!r}")
    function, args, kwargs = _serializer.unpack_and_deserialize(message.task_buffer)
    with time_limit(_task_timeout_s()):
        result = function(*args, **kwargs)
    data = _serialize(result, result_serializers)
    if len(data) > max_result_size:
        raise MaxResultSizeExceeded(len(data), max_result_size)
    return data


def _serialize(result: Any, strategies: Sequence[str]) -> str:
    try:
        return _serializer.serialize_from_list(result, strategies)
    except SerializationError as error:
        tried = ", ".join(path.rpartition(".")[2] for path in strategies) or (
            "DillCode" if callable(result) else "DillDataBase64"
        )
        raise SerializationError(
            f"the function returned a {type(result).__qualname__}, which cannot be sent by "
            f"{tried}; return plain data instead: {error.reason}"
        ) from error


def _failure(error: BaseException) -> tuple[str, ErrorDetails]:
    """Give the error text of a failed result, and its code with a line for the user."""
    if isinstance(error, MaxResultSizeExceeded | MalformedMessage):
        # The traceback would only show our own code.
        code = type(error).__name__
        return f"{code}: {error}", ErrorDetails(code, f"remote error: {error}")
    return describe_failure(error), ErrorDetails(
        "RemoteExecutionError", "An error occurred during the execution of this task"
    )


def _task_timeout_s() -> float:
    """Give the limit of time for a task in seconds; 0 for none."""
    text = os.environ.get("GC_TASK_TIMEOUT") or "0"
    try:
        return max(0.0, float(text))
    except ValueError:
        raise ValueError(
            f"GC_TASK_TIMEOUT of this endpoint must be a number of seconds, not {text!r}"
        ) from None
