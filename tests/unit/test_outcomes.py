"""What the service says of a task, as the values that users get."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.errors import (
    ComputeError,
    DeserializationError,
    ResultsUnavailable,
    TaskExecutionFailed,
)
from gcompute.outcomes import of_task, task_state
from gcompute.serialize import ComputeSerializer

SERIALIZER = ComputeSerializer()
TASK = "40000000-0000-4000-8000-000000000004"

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_fields = ["status", "result", "exception", "reason", "completion_t", "details", "task_id"]
_statuses = st.sampled_from(["success", "failed", "SUCCESS", "Failed", "running"])
_entries = st.dictionaries(st.sampled_from(_fields), _json | _statuses)


def _state(**answer: Any) -> dict[str, Any]:
    return task_state(TASK, answer, SERIALIZER)


@given(_json | _entries)
def test_any_answer_gives_a_state(answer: Any) -> None:
    """Whatever the service says: pending without outcome, or finished with exactly one."""
    state = task_state(TASK, answer, SERIALIZER)
    assert isinstance(state["status"], str)
    if state["pending"]:
        assert not {"result", "exception", "completion_t"} & set(state)
    else:
        assert isinstance(state["completion_t"], str)
        assert len({"result", "exception"} & set(state)) == 1
        assert isinstance(state.get("exception", ComputeError()), ComputeError)


@pytest.mark.parametrize(
    "status",
    [
        "received",
        "waiting-for-ep",
        "waiting-for-nodes",
        "waiting-for-launch",
        "execution-start",
        "execution-end",
        "running",
        "something-new",
    ],
)
def test_only_success_and_failure_are_the_end(status: str) -> None:
    """Every other status is pending, also one that we do not know."""
    assert _state(status=status) == {"pending": True, "status": status}


@pytest.mark.parametrize("answer", [None, {}, {"status": None}])
def test_no_status_is_unknown(answer: Any) -> None:
    """Pending, since nothing says that it ended."""
    assert task_state(TASK, answer, SERIALIZER) == {"pending": True, "status": "unknown"}


@pytest.mark.parametrize("status", ["success", "SUCCESS"])
def test_a_success_has_its_result(status: str) -> None:
    """The status in lower case, the result loaded, the time as text, details where there are."""
    assert _state(
        status=status,
        result=SERIALIZER.serialize([1]),
        completion_t=1700000000.5,
        details={"os": "Linux"},
    ) == {
        "pending": False,
        "status": "success",
        "result": [1],
        "completion_t": "1700000000.5",
        "details": {"os": "Linux"},
    }


def test_a_failure_has_its_error() -> None:
    """Task, text, time and details are on the error."""
    error = _state(
        status="failed",
        exception="Traceback: boom",
        completion_t="1700000000",
        details={"endpoint_id": "e-1"},
    )["exception"]
    assert isinstance(error, TaskExecutionFailed)
    assert (error.task_id, error.remote_data) == (TASK, "Traceback: boom")
    assert (error.completion_t, error.endpoint_id) == ("1700000000", "e-1")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"exception": None, "reason": "too old"}, "too old"),
        ({"reason": "too old"}, "too old"),
        ({}, "no reason"),
    ],
)
def test_a_failure_always_has_a_text(fields: dict[str, Any], text: str) -> None:
    """The reason where there is no traceback, and a word where there is neither."""
    assert text in str(_state(status="failed", **fields)["exception"])


def test_a_success_without_result_is_no_failure_of_the_task() -> None:
    """The error says that the result is gone, and of which task."""
    error = _state(status="success")["exception"]
    assert isinstance(error, ResultsUnavailable)
    assert TASK in str(error)


def test_a_result_that_does_not_load_names_its_task() -> None:
    """The state is finished; the error keeps the cause."""
    error = _state(status="success", result="11\n{")["exception"]
    assert isinstance(error, DeserializationError)
    assert f"result of task {TASK}" in str(error)
    assert isinstance(error.__cause__, ValueError)


def test_of_task_keeps_the_cause() -> None:
    """The new error has the old one's cause and reason."""
    cause = ValueError("why")
    error = DeserializationError("no")
    error.__cause__ = cause
    named = of_task(TASK, error)
    assert named.__cause__ is cause
    assert "no" in str(named)
