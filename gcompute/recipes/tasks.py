"""Running functions, and asking for what became of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Any, TypedDict, cast, overload

from gcompute.batch import Batch
from gcompute.calls import Call, Notice, Pause, Recipe, read, write
from gcompute.core import ClientCore, ask_for_object, unreadable
from gcompute.errors import ComputeError, ServiceFailed, ServiceUnreachable, TaskPending
from gcompute.ids import UUIDLike, as_uuid
from gcompute.outcomes import given, task_state
from gcompute.recipes.comparison import compare_runtimes
from gcompute.runtime import create_user_runtime
from gcompute.serialize import Strategylike

#: Tasks asked for in one request.
_STATUS_CHUNK = 500

#: Seconds between two questions of ``wait``, which grow from the first to the last.
_FIRST_INTERVAL_S = 0.05
_LAST_INTERVAL_S = 5.0


def submit(core: ClientCore, endpoint_id: Any, request: dict[str, Any]) -> Recipe[dict[str, Any]]:
    """Submit what a request describes, once the endpoint's Python was compared with ours."""
    yield from compare_runtimes(core, endpoint_id)
    call = write("tasks.submit", request, endpoint_uuid=endpoint_id)
    try:
        answer = yield from ask_for_object(core, call)
    except (ServiceFailed, ServiceUnreachable) as error:
        if getattr(error, "sent", True):
            group = request.get("task_group_id")
            where = f"task group {group}" if group else "the tasks of the endpoint"
            error.add_note(
                f"The service may or may not have taken the tasks of this submit: look in {where} "
                "before you send them again."
            )
        raise
    if not isinstance(answer.get("tasks"), dict):
        raise unreadable(f"the answer to a submit has no task ids: {answer!r}")
    return answer


def batch_status(core: ClientCore, task_ids: list[str]) -> Recipe[dict[str, dict[str, Any]]]:
    """Ask what the service says of tasks, by task id."""
    answers: dict[str, dict[str, Any]] = {}
    for start in range(0, len(task_ids), _STATUS_CHUNK):
        body = {"task_ids": task_ids[start : start + _STATUS_CHUNK]}
        call = Call("tasks.get_task_batch", {}, body, repeatable=True)  # it only reads
        answer = yield from ask_for_object(core, call)
        answers.update(answer.get("results") or {})
    return answers


def run(
    core: ClientCore, /, *args: Any, endpoint_id: UUIDLike, function_id: UUIDLike, **kwargs: Any
) -> Recipe[str]:
    """Run a registered function.

    Args:
        *args: positional arguments of the function.
        endpoint_id: where to run it.
        function_id: the registered function.
        **kwargs: keyword arguments of the function.

    Returns:
        The task's id.
    """
    endpoint = as_uuid(endpoint_id, "endpoint_id")
    batch = create_batch(core)
    batch.add(function_id, args, kwargs)
    answer = yield from submit(core, endpoint, batch.prepare())
    task_ids = answer["tasks"].get(str(as_uuid(function_id, "function_id")))
    if not task_ids:
        raise unreadable(f"the answer to a submit has no task id: {answer!r}")
    return str(task_ids[0])


def create_batch(
    core: ClientCore,
    task_group_id: UUIDLike | None = None,
    resource_specification: dict[str, Any] | None = None,
    user_endpoint_config: dict[str, Any] | None = None,
    create_websocket_queue: bool = False,
    result_serializers: Iterable[Strategylike] | None = None,
) -> Batch:
    """Make an empty batch. Nothing is sent.

    Args:
        task_group_id: the task group to add the tasks to; default a new one.
        resource_specification: what each task needs, for endpoints that run MPI functions.
        user_endpoint_config: values for the template of a multi-user endpoint.
        create_websocket_queue: whether the service is to make a result queue.
        result_serializers: strategies that the endpoint tries for results, in order.
    """
    return Batch(
        task_group_id,
        resource_specification,
        user_endpoint_config,
        create_websocket_queue,
        serializer=core.serializer,
        user_runtime=create_user_runtime(),
        result_serializers=(
            core.result_serializers if result_serializers is None else result_serializers
        ),
    )


class SubmittedBatch(TypedDict):
    """What the service answers to a batch, with ids as text."""

    #: Function id to a list of task ids, in the order in which they were added.
    tasks: dict[str, list[str]]
    task_group_id: str
    endpoint_id: str
    #: For support requests.
    request_id: str


@overload
def batch_run(core: ClientCore, endpoint_id: UUIDLike, batch: Batch) -> Recipe[SubmittedBatch]: ...
@overload
def batch_run(core: ClientCore, endpoint_id: Batch) -> Recipe[list[str]]: ...
def batch_run(
    core: ClientCore, endpoint_id: UUIDLike | Batch, batch: Batch | None = None
) -> Recipe[SubmittedBatch | list[str]]:
    """Submit a batch to an endpoint.

    Returns:
        ``tasks`` (function id to a list of task ids, in the order of their addition),
        ``task_group_id``, ``endpoint_id``, and ``request_id`` for support requests. The older
        form ``batch_run(batch)`` gives a list of task ids.

    Raises:
        ValueError: the batch is empty, or ``endpoint_id`` no UUID.
        ComputeAPIError: the service refuses it: an unknown endpoint or function
            (:class:`~gcompute.errors.NotFound`), more than 10 MB
            (:class:`~gcompute.errors.PayloadTooLarge`), ...
    """
    if isinstance(endpoint_id, Batch):
        return (yield from _run_older_batch(core, endpoint_id))
    if batch is None:
        raise TypeError("batch_run needs an endpoint and a batch: batch_run(endpoint_id, batch)")
    if not batch:
        raise ValueError("the batch is empty: add tasks to it with Batch.add")
    endpoint = as_uuid(endpoint_id, "endpoint_id")
    answer = yield from submit(core, endpoint, batch.prepare())
    return cast(SubmittedBatch, answer)


def _run_older_batch(core: ClientCore, batch: Batch) -> Recipe[list[str]]:
    """Submit a batch whose invocations name their endpoints: one request an endpoint."""
    yield Notice(
        "batch_run(batch) is the older form: use batch.add(function_id, args=(...,)) and "
        "batch_run(endpoint_id, batch)",
        DeprecationWarning,
    )
    if not batch:
        raise ValueError("the batch is empty: add tasks to it with Batch.add")
    task_ids: list[str] = [""] * len(batch)
    for endpoint, part, positions in batch.by_endpoint():
        try:
            answer = yield from submit(core, endpoint, part)
        except ComputeError as error:
            taken = [task_id for task_id in task_ids if task_id]
            if taken:
                error.add_note(f"other endpoints of this batch took theirs: {', '.join(taken)}")
            raise
        ids = {function: iter(taken or ()) for function, taken in answer["tasks"].items()}
        for position, function in positions:
            task_id = next(ids.get(str(function), iter(())), None)
            if task_id is None:
                raise unreadable(f"the answer to a submit lacks task ids: {answer!r}")
            task_ids[position] = str(task_id)
    return task_ids


def get_task(core: ClientCore, task_id: UUIDLike) -> Recipe[dict[str, Any]]:
    """Ask for the state of a task.

    Returns:
        ``pending`` (bool) and ``status`` (text); for a finished task also ``result`` and
        ``completion_t`` (Unix time in s, as text).

    Raises:
        TaskExecutionFailed: the task failed.
        DeserializationError: its result does not load here.
        ResultsUnavailable: it succeeded, but the service has its result no more.
        NotFound: the service does not know the task.
    """
    key = str(as_uuid(task_id, "task_id"))
    state = core._finished.get(key)
    if state is None:
        answer = yield from ask_for_object(core, read("tasks.get_task", task_uuid=key))
        state = _remember(core, key, answer)
    state = given(state)
    if "exception" in state:
        raise state["exception"]
    return state


def get_result(core: ClientCore, task_id: UUIDLike) -> Recipe[Any]:
    """Give the result of a finished task.

    Raises:
        TaskPending: it has not finished.
        TaskExecutionFailed: it failed; the cause is the endpoint's traceback.
        DeserializationError: its result does not load here.
        ResultsUnavailable: it succeeded, but the service has its result no more.
        NotFound: the service does not know the task.
    """
    state = yield from get_task(core, task_id)
    if state["pending"]:
        raise TaskPending(state["status"], task_id=str(as_uuid(task_id, "task_id")))
    return state["result"]


def get_batch_result(
    core: ClientCore, task_id_list: Iterable[UUIDLike]
) -> Recipe[dict[str, dict[str, Any]]]:
    """Ask for the states of many tasks at once.

    Returns:
        For every task id that was given, as text: ``pending`` (bool) and ``status`` (text;
        ``unknown`` where the service does not know the task). A finished task has
        ``completion_t`` and either ``result`` or, where it failed, ``exception``.
    """
    if isinstance(task_id_list, str | uuid.UUID):
        raise TypeError("get_batch_result takes a list of task ids; for one use get_task")
    ids = list(dict.fromkeys(str(as_uuid(task_id, "task_id")) for task_id in task_id_list))
    states = {task_id: core._finished.get(task_id) for task_id in ids}
    unfinished = [task_id for task_id, state in states.items() if state is None]
    answers = yield from batch_status(core, unfinished)
    return {
        task_id: given(state or _remember(core, task_id, answers.get(task_id)))
        for task_id, state in states.items()
    }


def wait(
    core: ClientCore, task_ids: Iterable[UUIDLike], timeout: float | None = None
) -> Recipe[dict[str, dict[str, Any]]]:
    """Wait until tasks have finished.

    The service is asked again and again, at first often, then every few seconds. For many tasks
    and results as they arrive use :class:`gcompute.Executor`.

    Args:
        task_ids: the tasks.
        timeout: seconds to wait at most; default as long as it takes.

    Returns:
        As :meth:`get_batch_result`; tasks that had not finished in time are still pending in it.
    """
    pending = [task_ids] if isinstance(task_ids, str | uuid.UUID) else list(task_ids)
    deadline = None if timeout is None else time.monotonic() + timeout
    interval_s = _FIRST_INTERVAL_S
    states: dict[str, dict[str, Any]] = {}
    while True:
        states |= yield from get_batch_result(core, pending)
        pending = [task_id for task_id, state in states.items() if state["pending"]]
        left_s = float("inf") if deadline is None else deadline - time.monotonic()
        if left_s <= 0 or not pending:
            return states
        yield Pause(min(interval_s, left_s))
        interval_s = min(interval_s * 1.5, _LAST_INTERVAL_S)


def get_task_group(core: ClientCore, task_group_id: UUIDLike) -> Recipe[dict[str, Any]]:
    """List the tasks of a task group.

    Returns:
        ``taskgroup_id`` and ``tasks``, a list with ``id`` and ``created_at`` of each.

    Raises:
        NotFound: there is no such task group, or it is not this user's.
    """
    group = as_uuid(task_group_id, "task_group_id")
    return (
        yield from ask_for_object(core, read("task_groups.get_task_group", task_group_uuid=group))
    )


def get_result_amqp_url(core: ClientCore) -> Recipe[dict[str, str]]:
    """Ask for access to the result queues.

    Returns:
        ``connection_url`` with fresh credentials, and ``queue_prefix``: a task group's queue
        is the prefix followed by the group's id.
    """
    return (yield from ask_for_object(core, read("tasks.get_result_amqp_url")))


def _remember(core: ClientCore, task_id: str, answer: dict[str, Any] | None) -> dict[str, Any]:
    state = task_state(task_id, answer, core.serializer)
    # Without either field it is not the task that speaks: the service does not know it, or not
    # yet, or has its result no more.
    if answer and not state["pending"] and (answer.get("result") or answer.get("exception")):
        core._finished.add(task_id, state)
    return state
