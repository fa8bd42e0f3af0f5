"""From submissions to tasks.

A batch comes in, and goes to the service: functions that are new are registered, then one
submit carries all calls. Each future ends up either pending with a task id, or with the error
that says why its task was not taken. Nothing raises, whatever fails: one bad batch says nothing
about the next.

Runs on the sender's thread of the engine.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Protocol

from gcompute.errors import ComputeAPIError, ComputeError, ServiceUnreachable, SubmissionUncertain
from gcompute.executor.delivery import Result
from gcompute.executor.functions import FunctionReference
from gcompute.executor.future import ComputeFuture, settle
from gcompute.executor.outbox import Destination, Submission
from gcompute.executor.pending import PendingTasks
from gcompute.runtime import create_user_runtime

log = logging.getLogger(__name__)


class SubmitService(Protocol):
    """What is needed of a :class:`gcompute.Client`."""

    def _register(self, registration: dict[str, Any]) -> str:
        """Register a function; give its id."""

    def _submit(self, endpoint_id: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Submit tasks; give the answer."""


class Sender:
    """Sends batches.

    Args:
        service: registers and submits.
        pending: takes the futures of the tasks that the service took.
        on_taken: is given the answer of a submit: the task group to watch is in it.
        on_early: is given a future whose result was there before the answer to its submit.
        task_group_id: gives the executor's own task group, as text, where it has one yet.
    """

    def __init__(
        self,
        service: SubmitService,
        pending: PendingTasks[Result],
        *,
        on_taken: Callable[[str], None],
        on_early: Callable[[ComputeFuture, Result], None],
        task_group_id: Callable[[], str | None],
    ) -> None:
        self._service = service
        self._pending = pending
        self._on_taken = on_taken
        self._on_early = on_early
        self._task_group_id = task_group_id

    def send(self, batch: list[Submission]) -> None:
        """Send a batch: submissions of one destination."""
        live = [s for s in batch if _starts(s.future)]
        try:
            live = self._registered(live)
            if live:
                self._submit(live)
        except Exception as error:  # a defect of ours: those who wait must hear of it
            log.exception("a batch could not be sent")
            for submission in live:
                settle(submission.future, error=error)

    def _registered(self, batch: list[Submission]) -> list[Submission]:
        """Register what is new; give the submissions whose functions are registered."""
        failed: dict[FunctionReference, Exception] = {}
        for function in dict.fromkeys(s.function for s in batch):
            if function.function_id is None:
                assert function.registration is not None
                try:
                    function.function_id = self._service._register(function.registration)
                except Exception as error:  # whatever it is, the other functions may do
                    failed[function] = error
        for submission in batch:
            if submission.function in failed:
                settle(submission.future, error=failed[submission.function])
        return [s for s in batch if s.function not in failed]

    def _submit(self, batch: list[Submission]) -> None:
        destination = batch[0].destination
        group = destination.task_group_id and str(destination.task_group_id)
        request = submit_request(batch, group or self._task_group_id())
        taken: list[tuple[str, ComputeFuture]] = []
        early: list[tuple[ComputeFuture, Result]] = []
        self._pending.submit_starts()
        try:
            answer = self._service._submit(destination.endpoint_id, request)
            used_group = _task_group(answer, request)
            taken = list(_taken_tasks(batch, answer))
        except ComputeError as error:
            failure = _submit_failure(error, len(batch), destination, request)
            for submission in batch:
                settle(submission.future, error=failure)
        finally:
            early = self._pending.submit_ends(taken)
        if taken:
            # Only now: should the results be unavailable, these futures must hear of it.
            self._on_taken(used_group)
        for future, result in early:
            self._on_early(future, result)


def submit_request(batch: list[Submission], task_group_id: str | None) -> dict[str, Any]:
    """Build the body of a submit.

    Source: ``openapi/compute.yaml#/components/schemas/SubmitRequest``.
    """
    destination = batch[0].destination
    tasks: dict[str, list[str]] = defaultdict(list)
    for submission in batch:
        tasks[str(submission.function.function_id)].append(submission.payload)
    request: dict[str, Any] = {
        "create_queue": True,
        "tasks": dict(tasks),
        "user_runtime": asdict(create_user_runtime()),
    }
    optional = {
        "task_group_id": task_group_id,
        "resource_specification": destination.resource_specification,
        "user_endpoint_config": destination.user_endpoint_config,
        "result_serializers": list(destination.result_serializers),
    }
    return request | {name: value for name, value in optional.items() if value}


def _taken_tasks(
    batch: list[Submission], answer: dict[str, Any]
) -> Iterator[tuple[str, ComputeFuture]]:
    """Pair task ids with futures: the answer lists a function's ids in the order of its calls."""
    ids = {function: iter(task_ids or ()) for function, task_ids in answer["tasks"].items()}
    given: set[str] = set()
    for submission in batch:
        task_id = next(ids.get(str(submission.function.function_id), iter(())), None)
        if task_id is None or task_id in given:
            settle(
                submission.future,
                error=ComputeError(
                    f"the service took the batch, but gave no task id for a call of "
                    f"{submission.function.name} (request id {answer.get('request_id')})"
                ),
            )
            continue
        given.add(task_id)
        submission.future.task_id = task_id
        yield task_id, submission.future


def _task_group(answer: dict[str, Any], request: dict[str, Any]) -> str:
    """Give the task group that the service put the tasks in."""
    group = answer.get("task_group_id") or request.get("task_group_id")
    if not group:
        raise ComputeAPIError(
            http_status=200, message=f"the answer to a submit has no task group: {answer!r}"
        )
    return str(group)


def _starts(future: ComputeFuture) -> bool:
    """Set a future running, unless it was cancelled, or somebody else has ended it."""
    try:
        return future.set_running_or_notify_cancel()
    except RuntimeError:
        return False


def _submit_failure(
    error: ComputeError, count: int, destination: Destination, request: dict[str, Any]
) -> ComputeError:
    """Tell a submit that surely failed from one that may have been taken."""
    if isinstance(error, ServiceUnreachable):
        uncertain = error.sent
    else:  # an answer of success that cannot be read came after the tasks were taken
        uncertain = isinstance(error, ComputeAPIError) and (
            error.http_status < 300 or error.http_status >= 500
        )
    if not uncertain:
        return error
    group = request.get("task_group_id")
    where = f"task group {group}" if group else "a task group made by this submit"
    failure = SubmissionUncertain(
        f"a submit of {count} tasks to endpoint {destination.endpoint_id} broke off, and the "
        f"service may or may not have taken them: look in {where} before you send them again "
        f"({error})",
        endpoint_id=str(destination.endpoint_id),
        task_group_id=group,
    )
    failure.__cause__ = error
    return failure
