"""Waiting for tasks: until all have finished, or the time is over."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gcompute import TaskExecutionFailed
from gcompute.serialize import ComputeSerializer
from tests.support.both_clients import Connect
from tests.support.scripted_service import TASK_ID, Answer, ScriptedService

STATUS = ("POST", "/v2/batch_status")
OTHER_ID = "40000000-0000-4000-8000-000000000005"
RESULT = ComputeSerializer().serialize(42)


def _asked(request: httpx.Request) -> list[str]:
    ids: list[str] = json.loads(request.content)["task_ids"]
    return ids


def _finishing(after: dict[str, int], **entry: Any) -> ScriptedService:
    """A service where each task finishes with the n-th time that it is asked for."""
    left = dict(after)

    def answer(request: httpx.Request) -> Answer:
        results = {}
        for task_id in _asked(request):
            left[task_id] -= 1
            done = {"status": "success", "result": RESULT} | entry
            results[task_id] = {"task_id": task_id} | (
                {"status": "running"} if left[task_id] > 0 else done
            )
        return {"results": results}

    return ScriptedService({STATUS: answer})


def test_waiting_ends_with_the_last_task(connect: Connect) -> None:
    """Only what has not finished is asked for again, in growing intervals."""
    service = _finishing({TASK_ID: 2, OTHER_ID: 12})
    states = connect(service).wait([TASK_ID, OTHER_ID])
    assert list(states) == [TASK_ID, OTHER_ID]
    assert [state["result"] for state in states.values()] == [42, 42]
    assert [len(_asked(request)) for request in service.requests] == [2] * 2 + [1] * 10
    assert service.pauses == sorted(service.pauses)
    assert service.pauses[0] < 0.1
    assert service.pauses[-1] <= 5.0


def test_intervals_grow_to_a_few_seconds(connect: Connect) -> None:
    """A task of hours is asked for every five seconds."""
    service = _finishing({TASK_ID: 60})
    connect(service, request_limit=None).wait([TASK_ID])
    assert service.pauses[-30:] == [5.0] * 30


def test_waiting_keeps_to_the_request_limit(connect: Connect) -> None:
    """Places in the budget are taken by its questions as by all others."""
    service = _finishing({TASK_ID: 5})
    connect(service, request_limit=(2, 1000.0)).wait([TASK_ID])
    assert len([pause for pause in service.pauses if pause > 900]) == 3


@pytest.mark.parametrize("timeout", [0, 0.0, -1])
def test_no_time_asks_once(timeout: float, connect: Connect) -> None:
    """Nothing is waited for; what has not finished is pending in the answer."""
    service = _finishing({TASK_ID: 2})
    assert connect(service).wait([TASK_ID], timeout) == {
        TASK_ID: {"pending": True, "status": "running"}
    }
    assert len(service.requests) == 1
    assert service.pauses == []


def test_the_last_pause_ends_with_the_time(connect: Connect) -> None:
    """A timeout is not overrun by an interval."""
    service = _finishing({TASK_ID: 3})
    connect(service).wait([TASK_ID], timeout=1000.0)
    assert sum(service.pauses) <= 1000.0
    service = _finishing({TASK_ID: 2})
    connect(service).wait([TASK_ID], timeout=0.01)
    # None at all where the time was over before the first one.
    assert max(service.pauses, default=0.0) <= 0.01


def test_nothing_is_waited_for(connect: Connect) -> None:
    """An empty list, or a generator of nothing, is answered at once."""
    service = ScriptedService()
    client = connect(service)
    assert client.wait([]) == {}
    assert client.wait(iter(())) == {}
    assert service.requests == []


@pytest.mark.parametrize(
    "ids",
    [
        lambda: (task_id for task_id in [TASK_ID]),
        lambda: {TASK_ID},
        lambda: {TASK_ID: None}.keys(),
        lambda: TASK_ID,
        lambda: uuid.UUID(TASK_ID),
        lambda: [uuid.UUID(TASK_ID), TASK_ID.upper()],
    ],
    ids=["generator", "set", "keys", "text", "UUID", "two spellings"],
)
def test_ids_come_in_any_form(ids: Callable[[], Any], connect: Connect) -> None:
    """Anything with ids in it, also what can be read only once, and a single one."""
    service = _finishing({TASK_ID: 3})
    states = connect(service).wait(ids())
    assert list(states) == [TASK_ID]
    assert states[TASK_ID]["result"] == 42


def test_a_task_that_fails_is_waited_for_like_any_other(connect: Connect) -> None:
    """Its error is in the answer."""
    service = _finishing({TASK_ID: 2}, status="failed", result=None, exception="boom")
    state = connect(service).wait([TASK_ID])[TASK_ID]
    assert isinstance(state["exception"], TaskExecutionFailed)


def test_an_unknown_task_ends_the_wait(connect: Connect) -> None:
    """The service says that it does not know it; asked again, it is asked for again."""
    entry = {"status": "failed", "result": None, "reason": "Unknown task id"}
    service = _finishing({TASK_ID: 1}, **entry)
    client = connect(service)
    for _ in range(2):
        state = client.wait([TASK_ID])[TASK_ID]
        assert "Unknown task id" in str(state["exception"])
    assert len(service.requests) == 2


def test_a_malformed_id_is_refused_before_anything_is_asked(connect: Connect) -> None:
    """By name."""
    service = ScriptedService()
    with pytest.raises(ValueError, match="task_id is no UUID"):
        connect(service).wait([TASK_ID, "t"])
    assert service.requests == []


def test_many_tasks_are_asked_for_in_parts(connect: Connect) -> None:
    """1,500 ids are three requests; every id is answered, in the order given."""
    ids = [str(uuid.UUID(int=n, version=4)) for n in range(1500)]
    service = _finishing(dict.fromkeys(ids, 1))
    states = connect(service).get_batch_result(iter(ids))
    assert list(states) == ids
    assert [len(_asked(request)) for request in service.requests] == [500, 500, 500]
    assert {state["result"] for state in states.values()} == {42}
