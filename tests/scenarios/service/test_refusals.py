"""Bad requests: each ends in the documented error, and the service goes on working."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gcompute.local import LocalService
from gcompute.local.document import operations
from gcompute.protocol import MAX_REQUEST_BYTES
from tests.scenarios.service.api import METADATA, UNKNOWN, Api, payload

#: A value for each parameter of a path, none of which exists.
IDS = {
    "endpoint_uuid": UNKNOWN,
    "function_uuid": UNKNOWN,
    "task_uuid": UNKNOWN,
    "task_group_uuid": UNKNOWN,
    "container_uuid": UNKNOWN,
    "container_type": "docker",
}
#: Bodies that fit the document, for the operations that need one.
BODIES: dict[str, Any] = {
    "get_task_batch": {"task_ids": []},
    "submit": {"tasks": {}},
    "submit_v2": {"tasks": []},
    "register_container": {"name": "c", "type": "docker", "location": "l"},
    "build_container": {"name": "c", "apt": [], "pip": [], "conda": []},
    "register_endpoint": {"endpoint_name": "e", "metadata": {}},
    "register_endpoint_v2": {"endpoint_name": "e", "endpoint_uuid": UNKNOWN},
    "update_endpoint": {"endpoint_name": "e", "metadata": {}},
    "register_function": {"function_name": "f", "function_code": "3\n01\n", "meta": METADATA},
    "register_function_v2": {"function_name": "f", "function_code": "3\n01\n"},
    "set_subscription_admin_verified": {"subscription_admin_verified": True},
}
GUARDED = sorted(name for name, operation in operations().items() if operation.needs_token)
WITH_BODY = sorted(BODIES)
WITH_ID = sorted(name for name, operation in operations().items() if "_uuid}" in operation.path)


def _path_ids(operation_id: str, value: str | None = None) -> dict[str, str]:
    wanted = [p.name for p in operations()[operation_id].parameters if p.where == "path"]
    return {n: value if value and n.endswith("_uuid") else IDS[n] for n in wanted}


def test_bodies_are_known_for_all_operations_that_need_one() -> None:
    """The table above is complete."""
    assert set(BODIES) == {n for n, o in operations().items() if o.body_validator is not None}


@pytest.mark.parametrize("token", [None, "wrong"])
def test_without_a_valid_token(service: LocalService, token: str | None) -> None:
    """401 for every operation that needs one, whatever else is wrong with the request."""
    api = Api(service.url, token)
    for operation_id in GUARDED:
        ids = _path_ids(operation_id, "malformed")
        code = api.refused(401, operation_id, "malformed", ids=ids)
        assert code == "USER_UNAUTHENTICATED", operation_id
    api.close()


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "token"])
def test_an_authorization_of_another_kind(service: LocalService, header: str) -> None:
    """Only bearer tokens count, and the answer says so."""
    response = httpx.get(
        f"{service.url}/v2/authenticate", headers={"authorization": header}, timeout=30
    )
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("operation_id", WITH_ID)
def test_malformed_ids(api: Api, operation_id: str) -> None:
    """422, with the parameter that is wrong."""
    ids = _path_ids(operation_id, "not-a-uuid")
    response = api.send(operation_id, BODIES.get(operation_id), ids=ids)
    assert response.status_code == 422
    (error,) = response.json()["detail"]
    assert error["loc"][0] == "path"


@pytest.mark.parametrize(
    ("operation_id", "code"),
    [
        ("get_endpoint", "ENDPOINT_NOT_FOUND"),
        ("get_endpoint_status", "ENDPOINT_NOT_FOUND"),
        ("get_endpoint_allowlist", "ENDPOINT_NOT_FOUND"),
        ("get_endpoint_console", "ENDPOINT_NOT_FOUND"),
        ("lock_endpoint", "ENDPOINT_NOT_FOUND"),
        ("lock_endpoint_v2", "ENDPOINT_NOT_FOUND"),
        ("delete_endpoint", "ENDPOINT_NOT_FOUND"),
        ("delete_endpoint_v2", "ENDPOINT_NOT_FOUND"),
        ("update_endpoint", "ENDPOINT_NOT_FOUND"),
        ("set_subscription_admin_verified", "ENDPOINT_NOT_FOUND"),
        ("submit", "ENDPOINT_NOT_FOUND"),
        ("get_function", "FUNCTION_NOT_FOUND"),
        ("delete_function", "FUNCTION_NOT_FOUND"),
        ("get_task", "TASK_NOT_FOUND"),
        ("get_task_group", "TASK_GROUP_NOT_FOUND"),
        ("get_container", "CONTAINER_NOT_FOUND"),
        ("get_container_build", "CONTAINER_NOT_FOUND"),
    ],
)
def test_unknown_ids(api: Api, operation_id: str, code: str) -> None:
    """404, with the service's name for what is not there and the id in its arguments."""
    ids = _path_ids(operation_id)
    assert api.refused(404, operation_id, BODIES.get(operation_id), ids=ids) == code
    response = api.send(operation_id, BODIES.get(operation_id), ids=ids)
    assert response.json()["error_args"] == [UNKNOWN]


@pytest.mark.parametrize("operation_id", WITH_BODY)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"a": NaN}',
        b'{"tasks": "\\ud800"}',
        b"1" * 5000,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_bodies_that_do_not_fit(api: Api, operation_id: str, content: bytes) -> None:
    """422 in the form of the operation, with a location that begins with the body."""
    operation = operations()[operation_id]
    response = api.http.request(operation.method, operation.path.format(**IDS), content=content)
    assert response.status_code == 422, response.text
    detail = response.json()["detail"]
    assert detail[0]["loc"][0] == "body"
    assert operation.tells_errors_plainly == (response.json().keys() == {"detail"})


@pytest.mark.parametrize(
    ("tasks", "status", "code"),
    [
        ({UNKNOWN: ["x"]}, 404, "FUNCTION_NOT_FOUND"),
        ({"not-a-uuid": ["x"]}, 422, "REQUEST_MALFORMED"),
        ({}, 422, "REQUEST_MALFORMED"),
        ({"FUNCTION": []}, 422, "REQUEST_MALFORMED"),
    ],
)
def test_submits_that_are_refused(
    api: Api, service: LocalService, tasks: dict[str, list[str]], status: int, code: str
) -> None:
    """An unknown or malformed function, and a submit without tasks."""
    given = {key if key != "FUNCTION" else api.function(): texts for key, texts in tasks.items()}
    endpoint = service.endpoint_id
    assert api.refused(status, "submit", {"tasks": given}, endpoint_uuid=endpoint) == code


def test_an_unknown_task_group(api: Api, service: LocalService) -> None:
    """404, and no task is taken."""
    body = {"tasks": {api.function(): [payload(1)]}, "task_group_id": UNKNOWN}
    code = api.refused(404, "submit", body, endpoint_uuid=service.endpoint_id)
    assert code == "TASK_GROUP_NOT_FOUND"


def test_the_older_submit_takes_all_or_none(api: Api) -> None:
    """One unknown function refuses the whole request; a malformed id is named."""
    endpoint, function = api.endpoint(), api.function()
    good = [function, endpoint, payload(1)]
    assert api.refused(404, "submit_v2", {"tasks": [good, [UNKNOWN, endpoint, ""]]}) == (
        "FUNCTION_NOT_FOUND"
    )
    (error,) = api.refused(422, "submit_v2", {"tasks": [good, [function, "x", ""]]})
    assert error["loc"] == ["body", "tasks", 1, 1]
    status = api("get_endpoint_console", endpoint_uuid=endpoint)["user_endpoints"][0]
    assert status["queued_task_count"] == 0


@pytest.mark.parametrize("code", ["", "x", "5\nabc", "-1\n", "1\nab"])
def test_code_that_no_worker_could_unpack(api: Api, code: str) -> None:
    """It is refused when it is registered, and not at each task."""
    body = BODIES["register_function"] | {"function_code": code}
    assert api.refused(422, "register_function", body) == "REQUEST_MALFORMED"


def _submit_of(size: int, function: str) -> bytes:
    empty = json.dumps({"tasks": {function: [""]}}).encode()
    return json.dumps({"tasks": {function: ["x" * (size - len(empty))]}}).encode()


def test_the_limit_is_ten_megabytes_exactly(api: Api) -> None:
    """At the limit a submit passes; one byte more is 413 with both sizes."""
    function = api.function()
    url = f"/v3/endpoints/{api.endpoint()}/submit"
    assert api.http.post(url, content=_submit_of(MAX_REQUEST_BYTES, function)).status_code == 200
    response = api.http.post(url, content=_submit_of(MAX_REQUEST_BYTES + 1, function))
    assert response.status_code == 413
    assert response.json()["code"] == "TASK_PAYLOAD_TOO_LARGE"
    assert response.json()["error_args"] == [MAX_REQUEST_BYTES + 1, MAX_REQUEST_BYTES]


def test_a_body_of_unknown_length_is_counted(api: Api) -> None:
    """Without a Content-Length the limit is the same."""

    def chunks() -> Iterator[bytes]:
        for _ in range(11):
            yield b"x" * 1_000_000

    url = f"/v3/endpoints/{api.endpoint()}/submit"
    assert api.http.post(url, content=chunks()).status_code == 413


def test_nobody_says_where_he_comes_from(api: Api) -> None:
    """Headers of proxies are for services behind one."""
    headers = {"X-Forwarded-For": "10.9.9.9", "X-Forwarded-Proto": "https"}
    body = {"endpoint_name": "afar", "metadata": {}}
    endpoint = api.http.post("/v3/endpoints", json=body, headers=headers).json()["endpoint_id"]
    assert api("get_endpoint", endpoint_uuid=endpoint)["ip_address"] == "127.0.0.1"
    found = api.http.get("/.well-known/openid-configuration", headers=headers).json()
    assert found["issuer"] == str(api.http.base_url).rstrip("/")
