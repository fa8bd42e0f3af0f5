"""Batches of document 000, and the ids in answers to submits."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from gcompute.errors import ComputeAPIError, NotFound, SerializationError
from gcompute.serialize import ComputeSerializer, unpack_buffers
from gcompute.service_clients import tasks

SERIALIZER = ComputeSerializer()
FUNCTION = uuid.uuid4()
ENDPOINTS = [uuid.uuid4(), uuid.uuid4()]
IDS = [str(uuid.uuid4()) for _ in range(3)]


def _task(index: int = 0, **more: Any) -> dict[str, Any]:
    return {"endpoint": ENDPOINTS[index], "function": str(FUNCTION), **more}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"tasks": [{}]}, True),
        ({"tasks": [["f", "e", "p"]]}, False),
        ({"tasks": []}, False),
        ({"tasks": {str(FUNCTION): []}}, False),
        ({}, False),
        (None, False),
        ([{}], False),
    ],
)
def test_a_batch_is_told_by_its_tasks(document: Any, expected: bool) -> None:
    """What has objects for tasks is one; everything else goes to the service as it is."""
    assert tasks.is_batch(document) is expected


def test_a_batch_becomes_a_submit_in_its_order() -> None:
    """Each task with its function, endpoint and packed arguments; other fields stay."""
    document = {
        "tasks": [_task(1, args=[1], kwargs={"a": 2}), _task(0), _task(1, args=(3,))],
        "task_group_id": "g",
    }
    body = tasks.batch_v2(document, SERIALIZER)
    assert body["task_group_id"] == "g"
    assert [task[:2] for task in body["tasks"]] == [
        [str(FUNCTION), str(ENDPOINTS[index])] for index in (1, 0, 1)
    ]
    sent = [[SERIALIZER.deserialize(b) for b in unpack_buffers(task[2])] for task in body["tasks"]]
    assert [(list(args), kwargs) for args, kwargs in sent] == [([1], {"a": 2}), ([], {}), ([3], {})]


@pytest.mark.parametrize(
    ("task", "kind", "message"),
    [
        ({"endpoint": "e"}, ValueError, r"task 1 of the batch lacks \['function'\]"),
        (_task(arg=[1]), ValueError, r"task 1 of the batch has the unknown \['arg'\]"),
        (["f", "e", "p"], TypeError, "task 1 of the batch is no dictionary"),
        (_task() | {"endpoint": "endpoint-1"}, ValueError, "endpoint is no UUID"),
        (_task(args="ab"), TypeError, "positional arguments"),
        (_task(kwargs=[1]), TypeError, "keyword arguments"),
        (_task(args=[iter("x") for _ in "x"] + [(n for n in "x")]), SerializationError, "argument"),
    ],
)
def test_a_wrong_task_is_named(task: Any, kind: type[Exception], message: str) -> None:
    """Before anything is sent."""
    with pytest.raises(kind, match=message):
        tasks.batch_v2({"tasks": [_task(), task]}, SERIALIZER)


def _answer(*entries: Any) -> dict[str, Any]:
    return {"response": "x", "task_group_id": "g", "results": list(entries)}


def test_the_ids_of_a_submit_are_in_the_order_of_its_tasks() -> None:
    """With a status or without, in any case."""
    answer = _answer(
        {"status": "Success", "task_uuid": IDS[0], "http_status_code": 200, "reason": None},
        {"status": "success", "task_uuid": IDS[1]},
        {"task_uuid": IDS[2], "status": None, "http_status_code": None},
    )
    assert tasks.with_task_uuids(answer) == answer | {"task_uuids": IDS}
    one = _answer({"task_uuid": IDS[0]})
    assert tasks.with_one_task_uuid(one)["task_uuid"] == IDS[0]


@pytest.mark.parametrize(
    "entry",
    [
        {"status": "failed", "task_uuid": IDS[1], "http_status_code": 404, "reason": "no such f"},
        {"status": "failed", "task_uuid": IDS[1], "reason": "no such f"},
        {"task_uuid": IDS[1], "http_status_code": 404, "reason": "no such f"},
        {"status": "success", "task_uuid": None, "reason": "no such f"},
        "no such f",
    ],
)
def test_a_refused_task_is_an_error_that_has_the_others(entry: Any) -> None:
    """Nobody takes the id of a task that will never run for one that will."""
    answer = _answer({"status": "success", "task_uuid": IDS[0]}, entry)
    with pytest.raises(ComputeAPIError, match=r"1 of 2 .* task 1: no such f; the others") as caught:
        tasks.with_task_uuids(answer)
    status = entry.get("http_status_code") if isinstance(entry, dict) else None
    assert type(caught.value) is (NotFound if status else ComputeAPIError)
    assert caught.value.raw_json == answer


@pytest.mark.parametrize("answer", [_answer(), {}, {"results": "x"}, {"results": None}])
def test_a_submit_without_results_is_an_error(answer: dict[str, Any]) -> None:
    """Success without ids is none."""
    with pytest.raises(ComputeAPIError, match="has no tasks"):
        tasks.with_task_uuids(answer)


@pytest.mark.parametrize("answer", [{}, {"tasks": {}}, {"tasks": {"f": []}}, {"tasks": None}])
def test_one_task_without_an_id_is_an_error(answer: dict[str, Any]) -> None:
    """The answer of version 3 likewise."""
    with pytest.raises(ComputeAPIError, match="no task id"):
        tasks.with_only_task(answer)
    assert tasks.with_only_task({"tasks": {"f": IDS[:1]}})["task_uuid"] == IDS[0]


def test_a_task_has_its_id_under_both_names() -> None:
    """Alone and among many; odd answers stay as they are."""
    assert tasks.with_task_uuid({"task_id": "t"}) == {"task_id": "t", "task_uuid": "t"}
    assert tasks.with_task_uuid({"reason": "x"}) == {"reason": "x"}
    answer = {"response": "batch", "results": {"t": {"task_id": "t"}, "u": None}}
    named = tasks.with_task_uuid_each(answer)
    assert named["results"] == {"t": {"task_id": "t", "task_uuid": "t"}, "u": None}
    assert answer["results"] == {"t": {"task_id": "t"}, "u": None}
    assert tasks.with_task_uuid_each({"results": []}) == {"results": []}


def test_one_id_or_several_can_be_asked_for() -> None:
    """As text or UUID, from any iterable."""
    assert tasks.id_list(FUNCTION) == tasks.id_list(str(FUNCTION)) == [str(FUNCTION)]
    assert tasks.id_list(each for each in ENDPOINTS) == [str(each) for each in ENDPOINTS]
    with pytest.raises(ValueError, match="task_id is no UUID"):
        tasks.id_list(["x"])
