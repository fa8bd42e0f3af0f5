"""From deliveries to tasks, and when they may be acknowledged."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.local.agent.intake import Acks, TaskRejected, read_task
from gcompute.messages import TaskMessage, encode

TASK_ID = "10000000-0000-4000-8000-000000000001"
ENGINE = "SomeEngine"
HEADERS: dict[str, Any] = {"task_uuid": TASK_ID, "function_uuid": str(uuid.uuid4())}
JSON_PATH = "globus_compute_sdk.serialize.concretes.JSONData"


@pytest.mark.parametrize("resources", [None, "null", "{}", ""])
def test_a_task_needs_two_headers(resources: str | None) -> None:
    """Resources may be missing in every way there is, and so may result serializers."""
    task = read_task(
        {**HEADERS, "resource_specification": resources}, b"body", 7, engine_type=ENGINE
    )
    assert (task.task_id, task.delivery_tag, task.body) == (TASK_ID, 7, b"body")
    assert task.result_serializers == []


def test_result_serializers_are_read() -> None:
    """The list comes out as it went in."""
    headers = {**HEADERS, "result_serializers": [JSON_PATH]}
    assert read_task(headers, b"", 1, engine_type=ENGINE).result_serializers == [JSON_PATH]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"function_uuid": None}, "function_uuid"),
        ({"function_uuid": "no uuid"}, "function_uuid"),
        ({"function_uuid": 3}, "function_uuid"),
        ({"resource_specification": '{"num_nodes": 1}'}, "not supported on SomeEngine"),
        ({"resource_specification": "{"}, "is no JSON"),
        ({"resource_specification": {"num_nodes": 1}}, "not supported"),
        ({"result_serializers": "JSONData"}, "list of import paths"),
        ({"result_serializers": [1]}, "list of import paths"),
    ],
)
def test_a_task_that_can_never_run_is_rejected_by_name(headers: Any, reason: str) -> None:
    """The rejection has the task's id and says what is wrong."""
    with pytest.raises(TaskRejected, match=reason) as caught:
        read_task({**HEADERS, **headers}, b"", 1, engine_type=ENGINE)
    assert caught.value.task_id == TASK_ID


@pytest.mark.parametrize(
    ("body", "task_id"), [(encode(TaskMessage(TASK_ID, "")), TASK_ID), (b"nothing", None)]
)
def test_without_a_task_header_the_body_may_tell(body: bytes, task_id: str | None) -> None:
    """The task is looked for in the message, and is unknown if it is no task."""
    with pytest.raises(TaskRejected) as caught:
        read_task({**HEADERS, "task_uuid": None}, body, 1, engine_type=ENGINE)
    assert caught.value.task_id == task_id


@given(
    st.integers(0, 12).flatmap(
        lambda n: st.lists(st.tuples(st.sampled_from("sdt"), st.integers(1, n + 2)))
    ),
    st.integers(0, 12),
)
def test_nothing_is_acknowledged_before_it_is_settled(
    steps: list[tuple[str, int]], delivered: int
) -> None:
    """Every tag given covers only settled deliveries, rises, and in the end covers them all."""
    acks = Acks()
    for tag in range(1, delivered + 1):
        acks.add(tag)
    unsettled = set(range(1, delivered + 1))
    last = 0
    for step, tag in [*steps, *(("s", tag) for tag in range(1, delivered + 1)), ("t", 0)]:
        if step == "s":
            acks.settle(tag)
            unsettled.discard(tag)
        elif step == "d":
            acks.discard(tag)
            unsettled.discard(tag)
        else:
            taken = acks.take()
            if taken is not None:
                assert taken > last
                assert not any(open_tag <= taken for open_tag in unsettled)
                last = taken
    assert acks.take() is None


def test_a_lost_connection_is_forgotten() -> None:
    """After clear, settling a former delivery acknowledges nothing."""
    acks = Acks()
    acks.add(1)
    acks.clear()
    acks.settle(1)
    assert acks.take() is None
