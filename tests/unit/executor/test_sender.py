"""From submissions to tasks: whose future hears of what."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from gcompute.errors import (
    AuthenticationFailed,
    ComputeAPIError,
    ComputeError,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    ServiceFailed,
    ServiceUnreachable,
    SubmissionUncertain,
)
from gcompute.executor.delivery import Result
from gcompute.executor.functions import FunctionReference
from gcompute.executor.future import ComputeFuture
from gcompute.executor.outbox import Destination, Submission
from gcompute.executor.pending import PendingTasks
from gcompute.executor.sender import Sender, submit_request
from gcompute.messages import ResultMessage

ENDPOINT = uuid.UUID("20000000-0000-4000-8000-000000000002")
GROUP = "30000000-0000-4000-8000-000000000003"
OTHER_GROUP = "30000000-0000-4000-8000-000000000004"
DESTINATION = Destination(ENDPOINT)


class Service:
    """Registers and submits as a test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.registered: list[dict[str, Any]] = []
        self.submitted: list[tuple[Any, dict[str, Any]]] = []
        self.registering: Callable[[dict[str, Any]], str] = lambda body: f"id of {body['name']}"
        self.submitting: Callable[[dict[str, Any]], Any] = self.take_all

    @staticmethod
    def take_all(request: dict[str, Any]) -> dict[str, Any]:
        """Answer as the service does: ids per function, in the order of the calls."""
        return {
            "tasks": {
                f: [f"task {text}" for text in texts] for f, texts in request["tasks"].items()
            },
            "task_group_id": request.get("task_group_id", GROUP),
            "request_id": "r-1",
        }

    def _register(self, registration: dict[str, Any]) -> str:
        self.registered.append(registration)
        return self.registering(registration)

    def _submit(self, endpoint_id: Any, request: dict[str, Any]) -> dict[str, Any]:
        self.submitted.append((endpoint_id, request))
        answer: dict[str, Any] = self.submitting(request)
        return answer


class Setting:
    """A sender with all that is around it."""

    def __init__(self, task_group_id: str | None = None) -> None:
        self.service = Service()
        self.pending: PendingTasks[Result] = PendingTasks()
        self.groups: list[str] = []
        self.early: list[tuple[ComputeFuture, Result]] = []
        self.sender = Sender(
            self.service,
            self.pending,
            on_taken=self.groups.append,
            on_early=lambda future, result: self.early.append((future, result)),
            task_group_id=lambda: task_group_id,
        )


def _function(name: str) -> FunctionReference:
    return FunctionReference(name, registration={"name": name})


def _submission(
    function: FunctionReference, payload: str = "p", destination: Destination = DESTINATION
) -> Submission:
    return Submission(ComputeFuture(), destination, function, payload, len(payload))


def _raise(error: Exception) -> Callable[[Any], Any]:
    def raising(_body: Any) -> Any:
        raise error

    return raising


def test_a_batch_is_registered_and_submitted() -> None:
    """New functions are registered once; each future gets its own task, and is running."""
    setting = Setting()
    f, g = _function("f"), _function("g")
    batch = [_submission(function, payload) for function, payload in ((f, "1"), (g, "2"), (f, "3"))]
    setting.sender.send(batch)
    assert [body["name"] for body in setting.service.registered] == ["f", "g"]
    ((endpoint, request),) = setting.service.submitted
    assert endpoint == ENDPOINT
    assert request["tasks"] == {"id of f": ["1", "3"], "id of g": ["2"]}
    assert request["create_queue"] is True
    assert [s.future.task_id for s in batch] == ["task 1", "task 2", "task 3"]
    assert all(s.future.running() for s in batch)
    assert sorted(setting.pending.task_ids()) == ["task 1", "task 2", "task 3"]
    assert setting.groups == [GROUP]
    setting.sender.send([_submission(f)])
    assert len(setting.service.registered) == 2


def test_the_request_has_what_the_destination_says() -> None:
    """All documented fields; the destination's task group wins over the executor's own."""
    destination = Destination(
        ENDPOINT, uuid.UUID(OTHER_GROUP), {"num_nodes": 2}, {"account": "x"}, ("a.B",)
    )
    setting = Setting(task_group_id=GROUP)
    f = FunctionReference("f", function_id="f")
    setting.sender.send([_submission(f, destination=destination)])
    setting.sender.send([_submission(f)])
    first, second = (request for _, request in setting.service.submitted)
    assert first.pop("user_runtime")["globus_compute_sdk_version"] == "4.19.0"
    assert first == {
        "create_queue": True,
        "tasks": {"f": ["p"]},
        "task_group_id": OTHER_GROUP,
        "resource_specification": {"num_nodes": 2},
        "user_endpoint_config": {"account": "x"},
        "result_serializers": ["a.B"],
    }
    assert second["task_group_id"] == GROUP
    assert setting.groups == [OTHER_GROUP, GROUP]


def test_a_first_request_names_no_group() -> None:
    """The service makes one."""
    assert "task_group_id" not in submit_request([_submission(_function("f"))], None)


def test_cancelled_futures_are_not_sent() -> None:
    """They are left out, and those who wait for them are told."""
    setting = Setting()
    f = _function("f")
    batch = [_submission(f, "1"), _submission(f, "2")]
    batch[0].future.cancel()
    setting.sender.send(batch)
    assert setting.service.submitted[0][1]["tasks"] == {"id of f": ["2"]}
    assert batch[0].future.cancelled()
    assert batch[1].future.task_id == "task 2"


def test_a_batch_of_cancelled_futures_asks_nobody() -> None:
    """Not even for a registration."""
    setting = Setting()
    batch = [_submission(_function("f"))]
    batch[0].future.cancel()
    setting.sender.send(batch)
    assert setting.service.registered == []
    assert setting.service.submitted == []


def test_a_future_that_somebody_else_ended_disturbs_no_other() -> None:
    """A user who sets a result himself does not stop the batch."""
    setting = Setting()
    f = _function("f")
    batch = [_submission(f, "1"), _submission(f, "2")]
    batch[0].future.set_result("mine")
    setting.sender.send(batch)
    assert batch[0].future.result(0) == "mine"
    assert batch[1].future.task_id == "task 2"


@pytest.mark.parametrize(
    "error", [NotFound(http_status=404), ServiceUnreachable("x"), KeyError("x"), OSError("disk")]
)
def test_a_failed_registration_fails_only_its_functions_futures(error: Exception) -> None:
    """The others of the batch go on, whatever the failure is; the function may be tried again."""
    setting = Setting()
    bad, good = _function("bad"), _function("good")

    def register(body: dict[str, Any]) -> str:
        if body["name"] == "bad":
            raise error
        return "good"

    setting.service.registering = register
    batch = [_submission(bad), _submission(good, "2"), _submission(bad)]
    setting.sender.send(batch)
    assert batch[0].future.exception(0) is batch[2].future.exception(0) is error
    assert batch[1].future.task_id == "task 2"
    setting.service.registering = lambda body: "bad"
    again = _submission(bad, "4")
    setting.sender.send([again])
    assert again.future.task_id == "task 4"


def test_a_batch_whose_functions_all_fail_is_not_submitted() -> None:
    """There is nothing left to send."""
    setting = Setting()
    setting.service.registering = _raise(NotFound(http_status=404))
    setting.sender.send([_submission(_function("f"))])
    assert setting.service.submitted == []


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationFailed(http_status=401),
        NotFound(http_status=404),
        PayloadTooLarge(http_status=413),
        RateLimited(http_status=429),
        ComputeAPIError(http_status=307),
        ServiceUnreachable("refused", sent=False),
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_submit_that_surely_failed_says_how(error: ComputeError) -> None:
    """Refused, or never sent: each future has the error, nothing waits, the next batch goes."""
    setting = Setting()
    setting.service.submitting = _raise(error)
    f = _function("f")
    batch = [_submission(f), _submission(f)]
    setting.sender.send(batch)
    assert [s.future.exception(0) for s in batch] == [error, error]
    assert len(setting.pending) == 0
    assert setting.groups == []
    setting.service.submitting = Service.take_all
    after = _submission(f, "3")
    setting.sender.send([after])
    assert after.future.task_id == "task 3"


@pytest.mark.parametrize(
    "error",
    [
        ServiceFailed(http_status=500),
        ServiceFailed(http_status=503),
        ServiceUnreachable("cut", sent=True),
        ComputeAPIError(http_status=200, message="cut in the middle"),
    ],
    ids=lambda e: type(e).__name__,
)
@pytest.mark.parametrize("group", [None, GROUP])
def test_a_submit_that_broke_off_is_uncertain(error: ComputeError, group: str | None) -> None:
    """The futures say so, with endpoint, task group and cause: nobody sends a task twice."""
    setting = Setting(task_group_id=group)
    setting.service.submitting = _raise(error)
    batch = [_submission(_function("f")) for _ in range(2)]
    setting.sender.send(batch)
    for submission in batch:
        failure = submission.future.exception(0)
        assert isinstance(failure, SubmissionUncertain)
        assert failure.endpoint_id == str(ENDPOINT)
        assert failure.task_group_id == group
        assert failure.__cause__ is error
        for part in ("2 tasks", str(ENDPOINT), group or "made by this submit"):
            assert part in str(failure)


@pytest.mark.parametrize("ids", [["t-1"], ["t-1", None], ["t-1", "t-1"]])
def test_fewer_ids_than_tasks_fail_those_without(ids: list[str | None]) -> None:
    """An id that is missing, null or given twice: the others are pending, nobody hangs."""
    setting = Setting()
    setting.service.submitting = lambda request: {
        "tasks": {"id of f": ids},
        "task_group_id": GROUP,
        "request_id": "r-7",
    }
    f = _function("f")
    batch = [_submission(f), _submission(f)]
    setting.sender.send(batch)
    assert setting.pending.task_ids() == ["t-1"]
    assert batch[0].future.running()
    error = batch[1].future.exception(0)
    assert isinstance(error, ComputeError)
    for part in ("no task id", "call of f", "r-7"):
        assert part in str(error)


@pytest.mark.parametrize("tasks", [{}, {"unknown": ["t-1"]}, {"id of f": None}, {"id of f": []}])
def test_an_answer_about_other_functions_fails_the_futures(tasks: dict[str, Any]) -> None:
    """Ids of a function that was not sent belong to nobody."""
    setting = Setting()
    setting.service.submitting = lambda request: {"tasks": tasks, "task_group_id": GROUP}
    submission = _submission(_function("f"))
    setting.sender.send([submission])
    assert isinstance(submission.future.exception(0), ComputeError)
    assert len(setting.pending) == 0


def test_more_ids_than_tasks_are_ignored() -> None:
    """Only as many as were asked for count."""
    setting = Setting()
    setting.service.submitting = lambda request: {
        "tasks": {"id of f": ["t-1", "t-2"], "other": ["t-3"]},
        "task_group_id": GROUP,
    }
    setting.sender.send([_submission(_function("f"))])
    assert setting.pending.task_ids() == ["t-1"]


def test_an_answer_without_a_group_is_uncertain_unless_the_request_named_one() -> None:
    """Without a group there is no queue to wait on; with one the answer need not repeat it."""
    answer = {"tasks": {"id of f": ["t-1"]}, "task_group_id": None}
    setting = Setting()
    setting.service.submitting = lambda request: answer
    lost = _submission(_function("f"))
    setting.sender.send([lost])
    assert isinstance(lost.future.exception(0), SubmissionUncertain)
    assert len(setting.pending) == 0
    setting = Setting(task_group_id=GROUP)
    setting.service.submitting = lambda request: answer
    setting.sender.send([_submission(_function("f"))])
    assert setting.groups == [GROUP]


def test_a_result_before_its_answer_is_passed_on() -> None:
    """The group is watched first; the future has its task id by then."""
    setting = Setting()
    result = Result(ResultMessage("t", "x"), completed_at=None, high_assurance=False)

    def submit(request: dict[str, Any]) -> dict[str, Any]:
        assert setting.pending.match("task 1", result) is None
        return Service.take_all(request)

    setting.service.submitting = submit
    submission = _submission(_function("f"), "1")
    setting.sender.send([submission])
    assert setting.early == [(submission.future, result)]
    assert submission.future.task_id == "task 1"
    assert len(setting.pending) == 0


@pytest.mark.parametrize("error", [KeyError("tasks"), RuntimeError("bug"), UnicodeError("x")])
def test_a_defect_reaches_the_futures(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing raises: what no one foresaw is logged, and ends the futures of this batch only."""
    setting = Setting()
    setting.service.submitting = _raise(error)
    f = _function("f")
    batch = [_submission(f), _submission(f)]
    with caplog.at_level(logging.ERROR):
        setting.sender.send(batch)
    assert [s.future.exception(0) for s in batch] == [error, error]
    assert "could not be sent" in caplog.text
    setting.service.submitting = Service.take_all
    after = _submission(f, "3")
    setting.sender.send([after])
    assert after.future.task_id == "task 3"


def test_callbacks_that_raise_do_not_stop_the_batch() -> None:
    """A callback's sys.exit() on a failed future leaves the others to be told."""
    setting = Setting()
    setting.service.submitting = _raise(NotFound(http_status=404))
    f = _function("f")
    batch = [_submission(f), _submission(f)]

    def leave(_future: object) -> None:
        raise SystemExit(1)

    batch[0].future.add_done_callback(leave)
    setting.sender.send(batch)
    assert all(isinstance(s.future.exception(0), NotFound) for s in batch)
