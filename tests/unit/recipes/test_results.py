"""Results: every task id answered, failures included."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from gcompute import TaskExecutionFailed, TaskPending
from gcompute.errors import (
    DeserializationError,
    NotFound,
    ResultsUnavailable,
)
from gcompute.serialize import ComputeSerializer
from tests.support.both_clients import Connect
from tests.support.scripted_service import (
    TASK_ID,
    ScriptedService,
)

STATUS = ("POST", "/v2/batch_status")
TASK = ("GET", f"/v2/tasks/{TASK_ID}")


def _value(value: Any) -> str:
    return ComputeSerializer().serialize(value)


def _status(**fields: Any) -> dict[str, Any]:
    return {"task_id": TASK_ID, **fields}


SUCCESS = _status(status="success", result=_value(42), completion_t="1700000000.5", details=None)
FAILED = _status(status="failed", exception="Traceback: boom", completion_t="1700000000.5")
PENDING = _status(status="waiting-for-ep", completion_t=None, result=None)
GARBLED = _status(status="success", result="zz\nwho wrote this")


def test_a_finished_task_has_its_result(connect: Connect) -> None:
    """State, result and time."""
    service = ScriptedService({TASK: SUCCESS})
    client = connect(service)
    assert client.get_task(TASK_ID) == {
        "pending": False,
        "status": "success",
        "result": 42,
        "completion_t": "1700000000.5",
    }
    assert client.get_result(uuid.UUID(TASK_ID)) == 42


def test_a_finished_task_is_asked_for_once(connect: Connect) -> None:
    """The service forgets a result once it was fetched, so the client remembers."""
    service = ScriptedService({TASK: SUCCESS})
    client = connect(service)
    assert [client.get_result(TASK_ID) for _ in range(3)] == [42] * 3
    assert client.get_batch_result([TASK_ID])[TASK_ID]["result"] == 42
    assert len(service.requests) == 1


def test_what_a_user_does_to_a_state_stays_with_him(connect: Connect) -> None:
    """A returned dict is the caller's own."""
    client = connect(ScriptedService({TASK: SUCCESS}))
    for _ in range(2):  # the first comes from the service, the second was remembered
        client.get_task(TASK_ID).clear()
    client.get_batch_result([TASK_ID])[TASK_ID].clear()
    assert client.get_result(TASK_ID) == 42


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}])
def test_a_result_may_be_nothing(value: object, connect: Connect) -> None:
    """Falsy results are results."""
    service = ScriptedService({TASK: _status(status="success", result=_value(value))})
    assert connect(service).get_result(TASK_ID) == value


def test_a_failed_task_raises_what_failed(connect: Connect) -> None:
    """The error names the task and carries the remote text, each time it is asked for."""
    client = connect(ScriptedService({TASK: FAILED}))
    for ask in (client.get_task, client.get_result, client.get_result):
        with pytest.raises(TaskExecutionFailed, match=f"(?s){TASK_ID}.*boom") as caught:
            ask(TASK_ID)
        assert caught.value.task_id == TASK_ID
        assert caught.value.completion_t == "1700000000.5"
        assert caught.value.__cause__ is not None


def test_a_pending_task_has_no_result_yet(connect: Connect) -> None:
    """get_task tells its status, get_result raises it; it is asked for anew each time."""
    service = ScriptedService({TASK: PENDING})
    client = connect(service)
    assert client.get_task(TASK_ID) == {"pending": True, "status": "waiting-for-ep"}
    with pytest.raises(TaskPending) as caught:
        client.get_result(TASK_ID)
    assert (caught.value.reason, caught.value.task_id) == ("waiting-for-ep", TASK_ID)
    assert str(caught.value) == (
        f"Task is pending due to waiting-for-ep; the client's wait('{TASK_ID}') returns when it "
        "has finished"
    )
    assert len(service.requests) == 2


def test_an_unknown_task_is_not_found(connect: Connect) -> None:
    """As the service says it."""
    service = ScriptedService({TASK: httpx.Response(404, json={"code": "TASK_NOT_FOUND"})})
    with pytest.raises(NotFound, match="TASK_NOT_FOUND"):
        connect(service).get_task(TASK_ID)


def test_a_result_that_does_not_load_names_its_task(connect: Connect) -> None:
    """A DeserializationError with the task's id."""
    client = connect(ScriptedService({TASK: GARBLED}))
    with pytest.raises(DeserializationError, match=f"result of task {TASK_ID}: no known strategy"):
        client.get_result(TASK_ID)


def test_every_id_is_answered(connect: Connect) -> None:
    """Succeeded, failed, pending, unloadable, unknown: none is left out."""
    ids = [str(uuid.uuid4()) for _ in range(7)]
    entries = [SUCCESS, FAILED, PENDING, GARBLED, None, "oddity"]
    results = {
        i: e and (e | {"task_id": i} if isinstance(e, dict) else e)
        for i, e in zip(ids, entries, strict=False)
    }
    service = ScriptedService({STATUS: {"results": results}})
    states = connect(service).get_batch_result(ids)
    assert list(states) == ids
    assert service.body() == {"task_ids": ids}
    success, failed, pending, garbled, *unknown = states.values()
    assert success["result"] == 42
    assert isinstance(failed["exception"], TaskExecutionFailed)
    assert failed["status"] == "failed"
    assert not failed["pending"]
    assert "result" not in failed
    assert pending == {"pending": True, "status": "waiting-for-ep"}
    assert isinstance(garbled["exception"], DeserializationError)
    assert not garbled["pending"]
    assert unknown == [{"pending": True, "status": "unknown"}] * 3


def test_ids_are_answered_in_one_spelling(connect: Connect) -> None:
    """UUID objects, other spellings and repetitions give one answer by the id's usual text."""
    service = ScriptedService({STATUS: {"results": {TASK_ID: SUCCESS}}})
    given: list[uuid.UUID | str] = [uuid.UUID(TASK_ID), TASK_ID.upper(), TASK_ID.replace("-", "")]
    assert set(connect(service).get_batch_result(given)) == {TASK_ID}
    assert service.body() == {"task_ids": [TASK_ID]}


def test_no_ids_ask_nobody(connect: Connect) -> None:
    """An empty list, or a generator of nothing."""
    service = ScriptedService()
    assert connect(service).get_batch_result([]) == {}
    assert connect(service).get_batch_result(iter(())) == {}
    assert service.requests == []


def test_one_text_is_no_list_of_ids(connect: Connect) -> None:
    """A usual slip is refused with what to use."""
    with pytest.raises(TypeError, match="for one use get_task"):
        connect(ScriptedService()).get_batch_result(TASK_ID)


def test_a_success_without_a_result_says_so(connect: Connect) -> None:
    """The task did not fail: its result is gone."""
    client = connect(ScriptedService({TASK: _status(status="success", result=None)}))
    with pytest.raises(ResultsUnavailable, match=TASK_ID):
        client.get_result(TASK_ID)


def test_access_to_the_result_queues_is_given_as_it_came(connect: Connect) -> None:
    """Both documented fields."""
    answer = {"queue_prefix": "results.", "connection_url": "amqps://u:p@broker.test:443/"}
    service = ScriptedService({("GET", "/v2/get_amqp_result_connection_url"): answer})
    assert connect(service).get_result_amqp_url() == answer


def test_a_failure_that_is_asked_for_again_is_a_new_error(connect: Connect) -> None:
    """One error that is raised a thousand times would keep the traces of all of them."""
    client = connect(ScriptedService({TASK: FAILED}))
    depths = []
    errors: list[BaseException] = []
    for _ in range(1000):
        with pytest.raises(TaskExecutionFailed) as caught:
            client.get_task(TASK_ID)
        depths.append(len(caught.traceback))
        errors.append(caught.value)
    assert len(set(depths[1:])) == 1  # the first comes out of the request
    assert len(set(map(id, errors))) == 1000
    assert {str(error) for error in errors} == {str(errors[0])}
    assert {str(error.__cause__) for error in errors} == {"\nTraceback: boom"}


def test_an_unloadable_result_keeps_its_cause(connect: Connect) -> None:
    """Each time that it is raised."""
    answer = _status(status="success", result="00\nbm8gcGlja2xl")
    client = connect(ScriptedService({TASK: answer}))
    for _ in range(3):
        with pytest.raises(DeserializationError) as caught:
            client.get_result(TASK_ID)
        assert caught.value.__cause__ is not None


def test_what_the_service_does_not_know_is_asked_for_again(connect: Connect) -> None:
    """It may not know a task yet."""
    answers = iter(
        [
            {"task_id": TASK_ID, "status": "failed", "reason": "Unknown task id"},
            SUCCESS,
        ]
    )
    service = ScriptedService({STATUS: lambda _: {"results": {TASK_ID: next(answers)}}})
    client = connect(service)
    assert "Unknown task id" in str(client.get_batch_result([TASK_ID])[TASK_ID]["exception"])
    assert client.get_batch_result([TASK_ID])[TASK_ID]["result"] == 42


@pytest.mark.parametrize(
    "answer", [{}, {"results": None}, {"results": {}}, {"results": {TASK_ID: 7}}]
)
def test_an_answer_without_the_task_leaves_it_pending(answer: Any, connect: Connect) -> None:
    """Nothing is known of it, and nobody is told otherwise."""
    client = connect(ScriptedService({STATUS: answer}))
    assert client.get_batch_result([TASK_ID]) == {TASK_ID: {"pending": True, "status": "unknown"}}


@pytest.mark.parametrize("ids", [TASK_ID, uuid.UUID(TASK_ID)], ids=["text", "UUID"])
def test_a_single_id_is_no_list(ids: Any, connect: Connect) -> None:
    """Both forms of one are refused, with what to use."""
    with pytest.raises(TypeError, match="for one use get_task"):
        connect(ScriptedService()).get_batch_result(ids)
