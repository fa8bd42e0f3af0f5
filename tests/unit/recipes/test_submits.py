"""Submitting tasks: one, a batch, and answers without task ids."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from gcompute.errors import (
    ComputeAPIError,
)
from gcompute.serialize import JSONData, unpack_buffers
from tests.support.both_clients import Connect
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    GROUP_ID,
    TASK_ID,
    ScriptedService,
)

SUBMIT = ("POST", f"/v3/endpoints/{ENDPOINT_ID}/submit")


def _submit_answer(*task_ids: str, **more: Any) -> dict[str, Any]:
    return {
        "tasks": {FUNCTION_ID: list(task_ids)},
        "task_group_id": GROUP_ID,
        "endpoint_id": ENDPOINT_ID,
        "request_id": "r-1",
        **more,
    }


@pytest.mark.parametrize("as_object", [False, True])
def test_run_submits_one_task(as_object: bool, connect: Connect) -> None:
    """With ids as texts or UUIDs; args and kwargs go packed."""
    service = ScriptedService({SUBMIT: _submit_answer(TASK_ID)})
    client = connect(service, data_serialization_strategy=JSONData())
    kind: Callable[[str], Any] = uuid.UUID if as_object else str
    task_id = client.run(1, endpoint_id=kind(ENDPOINT_ID), function_id=kind(FUNCTION_ID), y=2)
    assert task_id == TASK_ID
    body = service.body()
    assert list(body["tasks"]) == [FUNCTION_ID]
    assert unpack_buffers(body["tasks"][FUNCTION_ID][0]) == ["11\n[1]", '11\n{"y": 2}']
    assert body["create_queue"] is False
    assert body["user_runtime"]["globus_compute_sdk_version"] == "4.19.0"


def test_a_malformed_id_sends_nothing(connect: Connect) -> None:
    """Endpoint, function and task ids are checked before the request, by name."""
    service = ScriptedService()
    client = connect(service)
    with pytest.raises(ValueError, match="function_id is no UUID"):
        client.run(endpoint_id=ENDPOINT_ID, function_id="f")
    with pytest.raises(ValueError, match="endpoint_id is no UUID"):
        client.run(endpoint_id="e", function_id=FUNCTION_ID)
    for ask in (client.get_task, client.get_result):
        with pytest.raises(ValueError, match="task_id is no UUID"):
            ask("t")
    with pytest.raises(ValueError, match="task_id is no UUID"):
        client.get_batch_result([TASK_ID, "t"])
    assert service.requests == []


def test_an_empty_batch_is_not_sent(connect: Connect) -> None:
    """The error says what to do."""
    service = ScriptedService()
    client = connect(service)
    with pytest.raises(ValueError, match=r"Batch\.add"):
        client.batch_run(ENDPOINT_ID, client.create_batch())
    assert service.requests == []


def test_a_batch_is_sent_whole_and_its_answer_given(connect: Connect) -> None:
    """Body and answer as documented."""
    answer = _submit_answer(TASK_ID, str(uuid.uuid4()))
    service = ScriptedService({SUBMIT: answer})
    client = connect(service)
    batch = client.create_batch(
        GROUP_ID,
        {"num_nodes": 2},
        {"account": "x"},
        True,
        ["globus_compute_sdk.serialize.JSONData"],
    )
    batch.add(FUNCTION_ID, (1,))
    batch.add(FUNCTION_ID, (2,))
    assert client.batch_run(uuid.UUID(ENDPOINT_ID), batch) == answer
    body = service.body()
    assert body.pop("user_runtime")
    assert body == {
        "create_queue": True,
        "task_group_id": GROUP_ID,
        "resource_specification": {"num_nodes": 2},
        "user_endpoint_config": {"account": "x"},
        "result_serializers": ["globus_compute_sdk.serialize.JSONData"],
        "tasks": batch.prepare()["tasks"],
    }
    assert body["tasks"][FUNCTION_ID][0] != body["tasks"][FUNCTION_ID][1]


@pytest.mark.parametrize("answer", [{}, [], {"tasks": {}}, {"tasks": {FUNCTION_ID: []}}])
def test_a_submit_without_a_task_id_is_an_error_of_the_service(
    answer: Any, connect: Connect
) -> None:
    """Not a KeyError or IndexError: an error that says what is missing."""
    service = ScriptedService({SUBMIT: answer})
    with pytest.raises(ComputeAPIError, match=r"no task id|submit is no object"):
        connect(service).run(endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
