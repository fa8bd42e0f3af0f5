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
from gcompute.executor.functions import FunctionReference
from gcompute.executor.future import ComputeFuture
from gcompute.executor.groups import GroupChoice, TaskGroups
from gcompute.executor.outbox import Destination, Submission
from gcompute.executor.pending import AwaitedTask
from gcompute.executor.sender import Sender, submit_request
from tests.support.names import stable
from tests.unit.executor.stand_ins import GROUP, SERIALIZER

ENDPOINT = uuid.UUID("20000000-0000-4000-8000-000000000002")
OTHER_GROUP = "30000000-0000-4000-8000-000000000004"


class Service:
    """Registers and submits as a test says, and keeps what it was asked."""

    def __init__(self) -> None:
        #: What it lists in any group.
        self.listed: list[str] = []
        #: Called at each look at a group.
        self.looking: Callable[[], None] = lambda: None
        self.looks = 0
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

    def get_task_group(self, task_group_id: str) -> dict[str, Any]:
        self.looks += 1
        self.looking()
        return {"taskgroup_id": task_group_id, "tasks": [{"id": i} for i in self.listed]}


class Results:
    """Keeps what it hears of submits; results may come while one is under way."""

    def __init__(self) -> None:
        self.under_way = 0
        #: Group and task ids of every submit that has ended.
        self.ended: list[tuple[str, list[str]]] = []
        self.tasks: dict[str, AwaitedTask] = {}

    def submit_starts(self) -> int:
        self.under_way += 1
        return self.under_way

    def submit_ends(self, number: int, group: str, taken: list[tuple[str, AwaitedTask]]) -> None:
        assert number == self.under_way
        self.under_way -= 1
        self.ended.append((group, [task_id for task_id, _ in taken]))
        self.tasks |= dict(taken)


class Setting:
    """A sender with all that is around it."""

    def __init__(self) -> None:
        self.service = Service()
        self.results = Results()
        self.groups = TaskGroups()
        #: Seconds of each pause; it goes on for so many of them.
        self.pauses: list[float] = []
        self.patient_for = 20
        self.sent: list[tuple[Destination, int]] = []
        self.sender = Sender(
            self.service,
            self.results,
            self.groups,
            pause=self._pause,
            on_sent=lambda destination, count: self.sent.append((destination, count)),
        )

    def _pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return len(self.pauses) < self.patient_for

    def known(self) -> None:
        """Let the service have answered before."""
        self.sender.send([_submission(_function("first"), "first")])
        self.service.submitted.clear()
        self.service.registered.clear()
        self.results.ended.clear()


def _function(name: str) -> FunctionReference:
    return FunctionReference(name, registration={"name": name})


def _submission(
    function: FunctionReference, payload: str = "p", destination: Destination | None = None
) -> Submission:
    """Make a submission; by default for the task group that executors share."""
    destination = destination or Destination(ENDPOINT, SERIALIZER)
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
    assert setting.results.ended == [(GROUP, ["task 1", "task 2", "task 3"])]
    assert [setting.results.tasks[f"task {n}"].future for n in (1, 2, 3)] == [
        s.future for s in batch
    ]
    task = setting.results.tasks["task 1"]
    assert (task.serializer, task.endpoint_id) == (SERIALIZER, str(ENDPOINT))
    assert setting.sent == [(batch[0].destination, 3)]
    setting.sender.send([_submission(f)])
    assert len(setting.service.registered) == 2


def test_the_request_has_what_the_destination_says() -> None:
    """All documented fields; and no more where nothing is set."""
    setting = Setting()
    destination = Destination(
        ENDPOINT, SERIALIZER, GroupChoice(OTHER_GROUP), {"num_nodes": 2}, {"account": "x"}, ("a.B",)
    )
    plain = Destination(ENDPOINT, SERIALIZER, GroupChoice(shares=False))
    f = FunctionReference("f", function_id="f")
    setting.sender.send([_submission(f, destination=destination)])
    setting.sender.send([_submission(f, destination=plain)])
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
    assert set(second) == {"create_queue", "tasks", "user_runtime"}
    assert [group for group, _ in setting.results.ended] == [OTHER_GROUP, GROUP]


def test_later_requests_name_the_group_that_the_first_made() -> None:
    """Of this destination, and of others that share; not of one that has its own."""
    setting = Setting()
    f = FunctionReference("f", function_id="f")
    shares = Destination(ENDPOINT, SERIALIZER)
    own = Destination(ENDPOINT, SERIALIZER, GroupChoice(shares=False))
    for destination in (shares, shares, Destination(ENDPOINT, SERIALIZER), own):
        setting.sender.send([_submission(f, destination=destination)])
    named = [request.get("task_group_id") for _, request in setting.service.submitted]
    assert named == [None, GROUP, GROUP, None]


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
    "error",
    [NotFound(http_status=404), ServiceUnreachable("x", sent=False), KeyError("x"), OSError("d")],
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
    for index in (0, 2):
        failure = batch[index].future.exception(0)
        assert (type(failure), str(failure)) == (type(error), str(error))
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


# Failures


REFUSED = ServiceUnreachable("refused", sent=False)
CUT = ServiceUnreachable("cut", sent=True)
UNREADABLE = ComputeAPIError(http_status=200, message="cut in the middle")
FAILED = ServiceFailed(http_status=503)
SLOW_DOWN = RateLimited(http_status=429)
SLOW_DOWN.retry_after_s = 7.0


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationFailed(http_status=401),
        NotFound(http_status=404),
        PayloadTooLarge(http_status=413),
        ComputeAPIError(http_status=307),
        REFUSED,
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_submit_that_surely_failed_says_how(error: ComputeError) -> None:
    """Refused, or never sent: each future has an error of its own, and the next batch goes."""
    setting = Setting()
    f = FunctionReference("f", function_id="id of f")
    setting.service.submitting = _raise(error)
    batch = [_submission(f), _submission(f)]
    setting.sender.send(batch)
    failures = [s.future.exception(0) for s in batch]
    assert [(type(e), str(e)) for e in failures] == [(type(error), str(error))] * 2
    assert failures[0] is not failures[1]
    assert setting.results.ended == [("", [])]
    assert setting.results.under_way == 0
    assert setting.sent == []
    assert setting.pauses == []
    setting.service.submitting = Service.take_all
    after = _submission(f, "3")
    setting.sender.send([after])
    assert after.future.task_id == "task 3"


@pytest.mark.parametrize("error", [REFUSED, SLOW_DOWN])
@pytest.mark.parametrize("what", ["registering", "submitting"])
def test_what_passes_is_waited_for(
    error: ComputeError, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The same is sent again, nothing twice that was taken; and somebody is told."""
    setting = Setting()
    setting.known()
    works = getattr(setting.service, what)
    attempts = 0

    def fail_thrice(request: dict[str, Any]) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts <= 3:
            raise error
        return works(request)

    setattr(setting.service, what, fail_thrice)
    submission = _submission(_function("f"), "1")
    with caplog.at_level(logging.WARNING):
        setting.sender.send([submission])
    assert submission.future.task_id == "task 1"
    assert len(setting.pauses) == 3
    assert min(setting.pauses) >= (getattr(error, "retry_after_s", None) or 0)
    assert "trying again" in caplog.text
    assert setting.service.looks == 0


def test_waiting_ends_when_nobody_wants_it_any_more() -> None:
    """A shutdown that cancels: the futures have the error of the last attempt."""
    setting = Setting()
    setting.known()
    setting.patient_for = 3
    setting.service.submitting = _raise(REFUSED)
    submission = _submission(FunctionReference("f", function_id="f"))
    setting.sender.send([submission])
    assert isinstance(submission.future.exception(0), ServiceUnreachable)
    assert len(setting.pauses) == 3


@pytest.mark.parametrize("error", [FAILED, CUT, UNREADABLE], ids=lambda e: type(e).__name__)
def test_a_first_submit_that_broke_off_is_uncertain(error: ComputeError) -> None:
    """It was to make a group: nothing can be looked at, and nobody sends a task twice."""
    setting = Setting()
    setting.service.submitting = _raise(error)
    batch = [_submission(_function("f")) for _ in range(2)]
    setting.sender.send(batch)
    for submission in batch:
        failure = submission.future.exception(0)
        assert isinstance(failure, SubmissionUncertain)
        assert failure.endpoint_id == str(ENDPOINT)
        assert failure.task_group_id is None
        assert str(error) in str(failure.__cause__)
        for part in ("2 tasks", str(ENDPOINT), "group of its own"):
            assert part in str(failure)
    assert len(setting.service.submitted) == 1
    assert setting.service.looks == 0
    assert setting.results.under_way == 0


@pytest.mark.parametrize("error", [FAILED, CUT], ids=lambda e: type(e).__name__)
def test_a_submit_that_broke_off_before_it_was_taken_is_sent_again(error: ComputeError) -> None:
    """Once the group was looked at, twice, and nothing of it was there."""
    setting = Setting()
    setting.known()
    setting.service.listed = ["task first"]
    calls = 0

    def submit(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise error
        return Service.take_all(request)

    setting.service.submitting = submit
    submission = _submission(_function("f"), "1")
    setting.sender.send([submission])
    assert submission.future.task_id == "task 1"
    assert setting.service.looks == 2
    assert calls == 2
    assert setting.results.ended == [(GROUP, []), (GROUP, ["task 1"])]


@pytest.mark.parametrize("look", [1, 2])
@pytest.mark.parametrize("error", [FAILED, CUT, UNREADABLE], ids=lambda e: type(e).__name__)
def test_a_submit_that_was_taken_before_it_broke_off_is_adopted(
    error: ComputeError, look: int
) -> None:
    """Its tasks may show at the first look or at the second; the futures are theirs."""
    setting = Setting()
    setting.known()

    def arrive() -> None:
        if setting.service.looks == look:
            setting.service.listed += ["t-1", "t-2"]

    setting.service.looking = arrive
    setting.service.submitting = _raise(error)
    f = _function("f")
    batch = [_submission(f), _submission(f)]
    setting.sender.send(batch)
    assert [s.future.task_id for s in batch] == ["t-1", "t-2"]
    assert setting.results.ended == [(GROUP, ["t-1", "t-2"])]
    assert len(setting.service.submitted) == 1
    assert setting.service.looks == look
    assert setting.sent[-1] == (batch[0].destination, 2)


@pytest.mark.parametrize("listed", [["t-1"], ["t-1", "t-2", "t-3"]])
def test_a_submit_of_which_nobody_can_say_what_was_taken_is_uncertain(listed: list[str]) -> None:
    """The error names the tasks that may be its own."""
    setting = Setting()
    setting.known()
    setting.service.listed = listed
    setting.service.submitting = _raise(CUT)
    f = _function("f")
    batch = [_submission(f), _submission(f)]
    setting.sender.send(batch)
    for submission in batch:
        failure = submission.future.exception(0)
        assert isinstance(failure, SubmissionUncertain)
        assert failure.task_group_id == GROUP
        assert failure.task_ids == listed
        assert "reload_tasks" in str(failure)
    setting.sender.send([later := _submission(f)])  # nothing new: it was not taken, and never is
    assert not isinstance(later.future.exception(0), SubmissionUncertain)


def test_tasks_of_a_group_that_others_use_are_never_adopted() -> None:
    """They may be anybody's, however alike and complete they look."""
    setting = Setting()
    setting.known()
    setting.groups[GROUP].ours_alone = False
    setting.service.listed = ["t-1"]
    setting.service.submitting = _raise(CUT)
    submission = _submission(_function("f"))
    setting.sender.send([submission])
    assert isinstance(submission.future.exception(0), SubmissionUncertain)


def test_a_submit_and_a_look_keep_other_looks_and_submits_away() -> None:
    """Each for its time: see what ``submitting`` and ``looking`` do in the tests of groups."""
    setting = Setting()
    setting.known()
    tasks = setting.groups[GROUP]
    seen: list[tuple[int, bool]] = []

    def submit(request: dict[str, Any]) -> dict[str, Any]:
        seen.append((tasks._submitting, tasks._looking))
        raise CUT

    setting.service.submitting = submit
    setting.service.looking = lambda: seen.append((tasks._submitting, tasks._looking))
    setting.service.listed = ["t-1"]
    setting.sender.send([_submission(_function("f"))])
    assert seen == [(1, False), (0, True)]
    assert (tasks._submitting, tasks._looking) == (0, False)


def test_tasks_of_an_uncertain_submit_are_never_a_later_ones() -> None:
    """It was taken, and the group could not be looked at: another call's tasks are still in it."""
    setting = Setting()
    setting.known()
    setting.service.submitting = _raise(CUT)
    setting.service.looking = lambda: _raise(NotFound(http_status=404))(None)
    setting.service.listed = ["t-1"]
    first, second = _submission(_function("f"), "1"), _submission(_function("f"), "2")
    setting.sender.send([first])
    setting.service.looking = lambda: None
    setting.sender.send([second])
    for submission in (first, second):
        assert isinstance(submission.future.exception(0), SubmissionUncertain)


def test_a_group_that_an_error_names_is_told() -> None:
    """Whoever reads it there may submit to it."""
    setting = Setting()
    setting.known()
    assert setting.groups[GROUP].ours_alone
    setting.service.listed = ["t-1", "t-2"]
    setting.service.submitting = _raise(CUT)
    setting.sender.send([_submission(_function("f"))])
    assert not setting.groups[GROUP].ours_alone


@pytest.mark.parametrize("looking", [NotFound(http_status=404), KeyError("id"), CUT])
def test_a_group_that_cannot_be_looked_at_leaves_it_uncertain(looking: Exception) -> None:
    """What passes is tried again first; the error says how the submit and how the look failed."""
    setting = Setting()
    setting.known()
    setting.service.looking = lambda: _raise(looking)(None)
    setting.service.submitting = _raise(FAILED)
    submission = _submission(_function("f"))
    setting.sender.send([submission])
    failure = submission.future.exception(0)
    assert isinstance(failure, SubmissionUncertain)
    assert "could not be looked at" in str(failure)
    assert "HTTP 503" in str(failure)
    assert type(failure.__cause__) is type(looking)
    assert (setting.service.looks > 1) == (looking is CUT)


def test_a_group_that_has_gone_is_replaced_unless_the_user_named_it() -> None:
    """The service forgets groups; who did not choose this one does not care which it is."""
    setting = Setting()
    setting.known()
    gone = NotFound(http_status=404, code="TASK_GROUP_NOT_FOUND")

    def submit(request: dict[str, Any]) -> dict[str, Any]:
        if "task_group_id" in request:
            raise gone
        return Service.take_all(request) | {"task_group_id": OTHER_GROUP}

    setting.service.submitting = submit
    ours = _submission(_function("f"), "1")
    setting.sender.send([ours])
    assert ours.future.task_id == "task 1"
    assert [group for group, ids in setting.results.ended if ids] == [OTHER_GROUP]
    named = Destination(ENDPOINT, SERIALIZER, GroupChoice(GROUP))
    theirs = _submission(_function("f"), "2", named)
    setting.sender.send([theirs])
    assert isinstance(theirs.future.exception(0), NotFound)


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
    assert setting.results.ended == [(GROUP, ["t-1"])]
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
    assert setting.results.ended == [(GROUP, [])]


def test_more_ids_than_tasks_are_ignored() -> None:
    """Only as many as were asked for count."""
    setting = Setting()
    setting.service.submitting = lambda request: {
        "tasks": {"id of f": ["t-1", "t-2"], "other": ["t-3"]},
        "task_group_id": GROUP,
    }
    setting.sender.send([_submission(_function("f"))])
    assert setting.results.ended == [(GROUP, ["t-1"])]


def test_an_answer_without_a_group_is_uncertain_unless_the_request_named_one() -> None:
    """Without a group there is no queue to wait on; with one the answer need not repeat it."""
    answer = {"tasks": {"id of f": ["t-1"]}, "task_group_id": None}
    setting = Setting()
    setting.service.submitting = lambda request: answer
    lost = _submission(_function("f"))
    setting.sender.send([lost])
    assert isinstance(lost.future.exception(0), SubmissionUncertain)
    assert setting.results.ended == [("", [])]
    named = Destination(ENDPOINT, SERIALIZER, GroupChoice(OTHER_GROUP))
    setting.sender.send([_submission(_function("f"), destination=named)])
    assert setting.results.ended[1:] == [(OTHER_GROUP, ["t-1"])]


def test_a_group_that_is_listed_meanwhile_hides_no_tasks() -> None:
    """The user reloads it between the lost answer and the look: nothing is sent again."""
    setting = Setting()
    setting.known()

    def submit(request: dict[str, Any]) -> dict[str, Any]:
        setting.service.listed = ["t-1"]
        raise CUT

    setting.service.submitting = submit
    setting.service.looking = lambda: setting.groups[GROUP].listed(["t-1"])
    submission = _submission(_function("f"))
    setting.sender.send([submission])
    assert len(setting.service.submitted) == 1
    assert isinstance(submission.future.exception(0), SubmissionUncertain)


def test_a_submit_is_under_way_until_it_is_known_what_became_of_it() -> None:
    """From before the request until after the looks: its results may come all that time."""
    setting = Setting()
    setting.known()
    seen: list[int] = []

    def submit(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(setting.results.under_way)
        raise CUT

    setting.service.submitting = submit
    setting.service.looking = lambda: seen.append(setting.results.under_way)
    setting.service.listed = ["t-1"]
    setting.sender.send([_submission(_function("f"))])
    assert seen == [1, 1]
    assert setting.results.under_way == 0


@pytest.mark.parametrize("error", [KeyError("tasks"), RuntimeError("bug"), UnicodeError("x")])
def test_a_defect_reaches_the_futures(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing raises: what no one foresaw is logged, and ends the futures of this batch only."""
    setting = Setting()
    setting.service.submitting = _raise(error)
    f = _function("f")
    batch = [_submission(f), _submission(f)]
    with caplog.at_level(logging.ERROR):
        setting.sender.send(batch)
    for submission in batch:
        failure = submission.future.exception(0)
        assert isinstance(failure, ComputeError)
        assert failure.__cause__ is error
    assert setting.results.under_way == 0
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


@pytest.mark.parametrize("error", [FAILED, RuntimeError("bug"), UserWarning("offline")], ids=stable)
def test_what_fails_after_a_submit_repeats_nothing(error: Exception) -> None:
    """The tasks are taken: they are not sent again, and their futures do not fail."""
    setting = Setting()
    setting.sender._on_sent = lambda _destination, _count: _raise(error)(None)
    submission = _submission(_function("f"), "1")
    setting.sender.send([submission])
    assert len(setting.service.submitted) == 1
    assert list(setting.results.tasks) == ["task 1"]
    assert not submission.future.done()


def test_others_may_submit_while_a_look_waits_for_the_service() -> None:
    """A service that is down may be so for long; a shutdown of theirs must not wait for it."""
    setting = Setting()
    setting.known()
    free: list[bool] = []

    def pause(_seconds: float) -> bool:
        free.append(not setting.groups[GROUP]._looking)
        return len(free) < 4

    setting.sender._pause = pause
    setting.service.submitting = _raise(CUT)
    setting.service.looking = lambda: _raise(CUT)(None)
    setting.sender.send([_submission(_function("f"))])
    assert free == [True] * 4
