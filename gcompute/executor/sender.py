"""From submissions to tasks.

A batch comes in, and goes to the service: functions that are new are registered, then one
submit carries all calls. Each future ends up either awaited with a task id, or with the error
that says why its task was not taken. Nothing raises, whatever fails: one bad batch says nothing
about the next.

A failure says one of three things of the tasks. They surely were not taken, and it may pass
(nobody was there, too many requests): the same is sent again, for as long as it makes sense.
They surely were not, and never will be: the futures fail. Or they may have been: then the task
group is looked at, so that no task runs twice and none is forgotten
(:mod:`gcompute.executor.arrivals`).

Runs on the sender's thread of the engine.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Protocol

from gcompute.errors import (
    ComputeAPIError,
    ComputeError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServiceFailed,
    ServiceUnreachable,
    SubmissionUncertain,
)
from gcompute.executor.arrivals import Arrival, judge, uncertain
from gcompute.executor.functions import FunctionReference
from gcompute.executor.future import ComputeFuture, settle
from gcompute.executor.groups import GroupTasks, TaskGroups
from gcompute.executor.outbox import Destination, Submission
from gcompute.executor.patience import Patience
from gcompute.executor.pending import AwaitedTask
from gcompute.executor.traces import without_values
from gcompute.outcomes import again
from gcompute.runtime import create_user_runtime

log = logging.getLogger(__name__)

#: Seconds to wait before each look at a task group: tasks that are on their way may still arrive.
_LOOK_AFTER_S = (0.5, 2.0)

#: Failures that may pass.
_PASSING = (RateLimited, ServiceFailed, ServiceUnreachable)


class SubmitService(Protocol):
    """What is needed of a :class:`gcompute.Client`."""

    def _register(self, registration: dict[str, Any]) -> str:
        """Register a function; give its id."""

    def _submit(self, endpoint_id: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Submit tasks; give the answer."""

    def get_task_group(self, task_group_id: str) -> dict[str, Any]:
        """List the tasks of a task group."""


class Results(Protocol):
    """Where the results of tasks come from; see :class:`gcompute.executor.results.ResultSource`."""

    def submit_starts(self) -> int:
        """Hear that a submit is under way; number it."""

    def submit_ends(self, number: int, group: str, taken: list[tuple[str, AwaitedTask]]) -> None:
        """Hear which tasks it made; none where it failed."""


class Sender:
    """Sends batches.

    Args:
        service: registers and submits.
        results: takes the tasks that the service took.
        groups: the task groups of the client's executors.
        pause: waits some seconds; says whether there is any sense in going on then.
        on_sent: is told how many tasks the service took, and for where.
    """

    def __init__(
        self,
        service: SubmitService,
        results: Results,
        groups: TaskGroups,
        *,
        pause: Callable[[float], bool],
        on_sent: Callable[[Destination, int], None],
    ) -> None:
        self._service = service
        self._results = results
        self._groups = groups
        self._pause = pause
        self._on_sent = on_sent
        #: Whether the service has ever answered.
        self._service_known = False

    def send(self, batch: list[Submission]) -> None:
        """Send a batch: submissions of one destination."""
        live = [s for s in batch if _starts(s.future)]
        try:
            live = self._registered(live)
            if live:
                self._submit(live)
        except Exception as error:  # a defect of ours: those who wait must hear of it
            log.exception("a batch could not be sent")
            _fail(live, ComputeError(f"a batch could not be sent: {error!r}"), error)

    def _registered(self, batch: list[Submission]) -> list[Submission]:
        """Register what is new; give the submissions whose functions are registered."""
        failed: dict[FunctionReference, Exception] = {}
        for function in dict.fromkeys(s.function for s in batch):
            if function.function_id is None:
                try:
                    function.registered(self._register(function))
                except Exception as error:  # whatever it is, the other functions may do
                    failed[function] = error
        for submission in batch:
            if submission.function in failed:
                _fail([submission], failed[submission.function])
        return [s for s in batch if s.function not in failed]

    def _register(self, function: FunctionReference) -> str:
        """Register a function; a second registration would do no harm."""
        assert function.registration is not None
        patience = Patience(service_known=self._service_known)
        while True:
            try:
                registered = self._service._register(function.registration)
            except _PASSING as error:
                self._wait_after(error, patience)
            else:
                self._service_known = True
                return registered

    def _submit(self, batch: list[Submission]) -> None:
        """Submit a batch, and see to it that each of its futures has an end."""
        patience = Patience(service_known=self._service_known)
        while True:
            group = self._groups.resolve(batch[0].destination.group)
            try:
                with self._groups[group].unsettled() if group else contextlib.nullcontext():
                    count = self._submit_once(batch, group)
                break
            except ComputeError as error:
                if self._lost_group(error, batch, group):
                    continue
                try:
                    self._wait_after(error, patience)
                except ComputeError as final:
                    _fail(batch, final)
                    return
        self._service_known = True
        try:
            self._on_sent(batch[0].destination, count)
        except Exception:  # the tasks are taken: whatever this is, it is nothing of theirs
            log.exception("what follows a submit failed")

    def _submit_once(self, batch: list[Submission], group: str | None) -> int:
        """Submit a batch, and expect its results; say how many tasks were taken.

        Raises:
            ComputeError: none was taken, or that cannot be told.
        """
        request = submit_request(batch, group)
        taken: list[tuple[str, AwaitedTask]] = []
        used = group or ""
        # Until it is known what became of the submit, unknown results may be its own.
        number = self._results.submit_starts()
        try:
            with self._groups[group].submitting() if group else contextlib.nullcontext():
                answer = self._service._submit(batch[0].destination.endpoint_id, request)
                used = _task_group(answer, request)
                taken = list(_taken_tasks(batch, answer))
                self._note(batch, used, taken, made_here=group is None)
        except ComputeError as error:
            if not _may_be_taken(error):
                raise
            try:
                taken = self._arrived(batch, group, error)
            except SubmissionUncertain:
                # The error tells the group to the user, and tasks may be in it that nobody knows.
                if group:
                    self._groups.told(group)
                raise
            if not taken:
                raise
        finally:
            self._results.submit_ends(number, used, taken)
        return len(taken)

    def _note(
        self,
        batch: list[Submission],
        group: str,
        taken: list[tuple[str, AwaitedTask]],
        *,
        made_here: bool,
    ) -> None:
        tasks = self._groups[group]
        tasks.made(task_id for task_id, _ in taken)
        if made_here:
            tasks.ours_alone = True
            self._groups.made(batch[0].destination.group, group)

    def _lost_group(self, error: ComputeError, batch: list[Submission], group: str | None) -> bool:
        """Tell whether a group that nobody asked for by name has gone, and forget it then."""
        choice = batch[0].destination.group
        if choice.given or group is None or not isinstance(error, NotFound | PermissionDenied):
            return False
        if "TASK_GROUP" not in error.code.upper():
            return False
        log.info("task group %s cannot be used any more; a new one is made", group)
        self._groups.forget(choice, group)
        return True

    def _arrived(
        self, batch: list[Submission], group: str | None, error: ComputeError
    ) -> list[tuple[str, AwaitedTask]]:
        """Find out what became of a batch whose submit broke off.

        Returns:
            Its tasks; none where none was taken.

        Raises:
            SubmissionUncertain: that cannot be told.
        """
        if group is None:
            raise uncertain(batch, error, task_group_id=None, unknown=None)
        tasks = self._groups[group]
        with tasks.broken_off():
            for wait_s in _LOOK_AFTER_S:
                self._pause(wait_s)
                unknown, alone = self._look(batch, group, tasks, error)
                arrival = judge(batch, unknown, ours_alone=alone)
                if arrival is Arrival.ALL:
                    log.info("the service had taken %d tasks of a broken submit", len(batch))
                    return [_taken(s, task_id) for s, task_id in zip(batch, unknown, strict=True)]
                if arrival is Arrival.UNCERTAIN:
                    raise uncertain(batch, error, task_group_id=group, unknown=unknown)
        return []

    def _look(
        self, batch: list[Submission], group: str, tasks: GroupTasks, cause: ComputeError
    ) -> tuple[list[str], bool]:
        """List the tasks of a group that no submit of ours is known to have made.

        Between two attempts others may submit: a service that is down may be so for long.

        Returns:
            As :meth:`GroupTasks.found` does.
        """
        patience = Patience(service_known=True)
        while True:
            try:
                with tasks.looking():
                    listed = self._service.get_task_group(group).get("tasks") or []
                    return tasks.found(str(task["id"]) for task in listed)
            except _PASSING as error:
                try:
                    self._wait_after(error, patience)
                except ComputeError:
                    raise uncertain(batch, cause, task_group_id=group, unknown=None) from error
            except (ComputeError, KeyError, TypeError) as error:
                raise uncertain(batch, cause, task_group_id=group, unknown=None) from error

    def _wait_after(self, error: ComputeError, patience: Patience) -> None:
        """Wait before the next attempt.

        Raises:
            ComputeError: the error itself, where there is no sense in another one.
        """
        wait_s = patience.after(error, time.monotonic())
        if wait_s is None:
            raise error
        log.warning("the service cannot be used, trying again in %.1f s: %s", wait_s, error)
        if not self._pause(wait_s):
            raise error


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
) -> Iterator[tuple[str, AwaitedTask]]:
    """Pair task ids with calls: the answer lists a function's ids in the order of its calls."""
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
        yield _taken(submission, task_id)


def _taken(submission: Submission, task_id: str) -> tuple[str, AwaitedTask]:
    submission.future.task_id = task_id
    destination = submission.destination
    task = AwaitedTask(
        submission.future,
        destination.serializer,
        asked_at=time.monotonic(),
        endpoint_id=destination.endpoint_text,
    )
    return task_id, task


def _task_group(answer: dict[str, Any], request: dict[str, Any]) -> str:
    """Give the task group that the service put the tasks in."""
    group = answer.get("task_group_id") or request.get("task_group_id")
    if not group:
        raise ComputeAPIError(
            http_status=200, message=f"the answer to a submit has no task group: {answer!r}"
        )
    return str(group)


def _may_be_taken(error: ComputeError) -> bool:
    """Tell whether a submit that failed may have been taken all the same."""
    if isinstance(error, ServiceUnreachable):
        return error.sent
    # An answer of success that cannot be read came after the tasks were taken.
    return isinstance(error, ComputeAPIError) and (
        error.http_status < 300 or error.http_status >= 500
    )


def _starts(future: ComputeFuture) -> bool:
    """Set a future running, unless it was cancelled, or somebody else has ended it."""
    try:
        return future.set_running_or_notify_cancel()
    except RuntimeError:
        return False


def _fail(batch: list[Submission], error: Exception, cause: BaseException | None = None) -> None:
    """Fail futures, each with an error of its own: one that is raised twice mixes its traces."""
    without_values(error if cause is None else cause)  # they have the batch, and its request
    for submission in batch:
        own = again(error) if isinstance(error, ComputeError) else error
        if cause is not None:
            own.__cause__ = cause
        settle(submission.future, error=own)
