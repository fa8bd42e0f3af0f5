"""An answer reads like its JSON, knows its model, and keeps passwords to itself."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest

from gcompute.errors import ComputeAPIError
from gcompute.service_clients import ComputeResponse

TASK = {"task_id": "40000000-0000-4000-8000-000000000004", "status": "success"}
SECRET = "canary-secret"
QUEUE = {"queue_prefix": "q.", "connection_url": f"amqps://user:{SECRET}@broker.test:443/"}


def _answer(operation: str = "tasks.get_task", status: int = 200, **content: Any) -> Any:
    request = httpx.Request("GET", "http://service.test/v2/asked?service=all")
    return ComputeResponse(operation, httpx.Response(status, request=request, **content))


def test_an_object_reads_like_a_mapping() -> None:
    """Access, membership, views, iteration, length, and both ways to copy it."""
    response = _answer(json=TASK)
    assert response["status"] == response.get("status") == "success"
    assert (response.get("reason"), response.get("reason", 1)) == (None, 1)
    assert "status" in response
    assert "reason" not in response
    assert list(response) == list(response.keys()) == list(TASK)
    assert list(response.values()) == list(TASK.values())
    assert dict(response) == dict(response.items()) == {**response} == TASK
    assert len(response) == 2
    with pytest.raises(KeyError):
        response["reason"]


def test_a_list_reads_like_a_sequence() -> None:
    """Indices, slices, iteration, membership, length; it has no fields."""
    response = _answer("endpoints.get_endpoints", json=[{"uuid": "a"}, {"uuid": "b"}])
    assert response[0] == {"uuid": "a"}
    assert response[-1:] == [{"uuid": "b"}]
    assert [entry["uuid"] for entry in response] == ["a", "b"]
    assert {"uuid": "b"} in response
    assert len(response) == 2
    assert response.get("uuid", "none") == "none"
    with pytest.raises(TypeError):
        response["uuid"]
    with pytest.raises(TypeError, match="is no object"):
        response.keys()


@pytest.mark.parametrize("content", [{"json": "1.2.3"}, {}, {"json": None}])
def test_what_is_neither_object_nor_list_has_no_parts(content: dict[str, Any]) -> None:
    """Asking for one says what the answer is."""
    response = _answer("service.get_version", **content)
    for ask in (lambda: response["x"], lambda: list(response), lambda: len(response)):
        with pytest.raises(TypeError, match="GET /v2/asked"):
            ask()
    assert "1" not in response
    assert response.get("x", 7) == 7


@pytest.mark.parametrize(
    ("content", "truth"),
    [({"json": {}}, False), ({"json": []}, False), ({"json": TASK}, True), ({}, True)],
)
def test_an_answer_without_a_body_is_true(content: dict[str, Any], truth: bool) -> None:
    """It is a success; an empty object or list is false, as ever."""
    assert bool(_answer(**content)) is truth


def test_the_answer_of_http_is_there() -> None:
    """Status, phrase, headers in any case, media type, and the body as it came."""
    response = _answer(text='{"a": 1}', headers={"X-Id": "7", "Content-Type": "application/json"})
    assert (response.http_status, response.http_reason) == (200, "OK")
    assert response.headers["x-id"] == response.headers["X-ID"] == "7"
    assert response.content_type == "application/json"
    assert (response.text, response.binary_content) == ('{"a": 1}', b'{"a": 1}')
    assert _answer().content_type is None


def test_a_body_beyond_ascii_is_text() -> None:
    """With a charset in its media type, and without one."""
    for media_type in ("application/json", "application/json; charset=utf-8"):
        response = _answer(content='"Grüße"'.encode(), headers={"Content-Type": media_type})
        assert (response.text, response.data) == ('"Grüße"', "Grüße")


def test_a_further_name_is_in_the_json_and_not_in_the_model() -> None:
    """The model and the text are the wire's."""
    request = httpx.Request("GET", "http://service.test/v2/asked")
    response: ComputeResponse[Any] = ComputeResponse(
        "tasks.get_task",
        httpx.Response(200, json=TASK, request=request),
        reading=lambda answer: answer | {"task_uuid": answer["task_id"]},
    )
    assert response["task_uuid"] == TASK["task_id"]
    assert response.parsed.additional_properties == {}
    assert "task_uuid" not in response.text


def test_the_model_is_made_once_and_of_any_success() -> None:
    """201 and 202 are answers too."""
    response = _answer(status=201, json=TASK)
    assert response.parsed is response.parsed
    assert response.parsed.status == "success"


def test_an_answer_without_its_model_can_still_be_read() -> None:
    """The error says what the model misses, and comes only when it is asked for."""
    response = _answer(json={"status": "success"})
    assert response["status"] == "success"
    with pytest.raises(ComputeAPIError, match="does not fit its model: KeyError: 'task_id'") as e:
        _ = response.parsed
    assert (e.value.http_status, e.value.raw_json) == (200, {"status": "success"})


def test_an_answer_that_is_no_json_is_an_error() -> None:
    """As from the address of something else."""
    with pytest.raises(ComputeAPIError, match="is no JSON"):
        _answer(text="<html>Welcome</html>")


def test_passwords_of_addresses_are_not_shown() -> None:
    """They are in the values, and in nothing that is printed."""
    response = _answer("tasks.get_result_amqp_url", json=QUEUE)
    assert SECRET in response["connection_url"]
    assert SECRET in response.parsed.connection_url
    for shown in (repr(response), str(response), f"{response}"):
        assert SECRET not in shown
    assert "amqps://user:***@broker.test:443/" in str(response)


def test_an_answer_travels_without_the_token() -> None:
    """It pickles, and its request stays behind."""
    request = httpx.Request(
        "GET", "http://service.test/v2/asked", headers={"Authorization": f"Bearer {SECRET}"}
    )
    response: ComputeResponse[Any] = ComputeResponse(
        "tasks.get_task", httpx.Response(200, json=TASK, request=request)
    )
    pickled = pickle.dumps(response)
    assert SECRET.encode() not in pickled
    loaded = pickle.loads(pickled)
    assert (loaded.data, loaded.parsed, loaded.text) == (TASK, response.parsed, response.text)
    assert loaded.headers == response.headers


@pytest.mark.parametrize(
    ("content", "shown", "brief"),
    [
        ({"json": TASK}, '"status": "success"', "200 of GET /v2/asked: task_id, status>"),
        ({"json": [1, 2]}, "1,", "200 of GET /v2/asked: 2 entries>"),
        ({"json": "1.2.3"}, "1.2.3", "200 of GET /v2/asked>"),
        ({}, "", "200 of GET /v2/asked>"),
    ],
)
def test_it_can_be_shown(content: dict[str, Any], shown: str, brief: str) -> None:
    """``str`` has the JSON, ``repr`` what was asked and the names of the fields."""
    response = _answer(**content)
    assert shown in str(response)
    assert repr(response).endswith(brief)
