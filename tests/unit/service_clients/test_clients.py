"""The clients themselves: how they are made, what they send, and what they refuse to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import globus_sdk
import httpx
import pytest

from gcompute.errors import DeserializationError, NotFound, ServiceUnreachable
from gcompute.serialize import DillDataBase64, JSONData, unpack_buffers
from gcompute.service_clients import ComputeClientV2, ComputeClientV3
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    GROUP_ID,
    TASK_ID,
    ScriptedService,
    StaticAuthorizer,
)

SUBMITTED_V2 = {
    "response": "success",
    "task_group_id": GROUP_ID,
    "results": [{"status": "success", "task_uuid": TASK_ID}],
}
SUBMITTED = {
    "request_id": "r",
    "task_group_id": GROUP_ID,
    "endpoint_id": ENDPOINT_ID,
    "tasks": {FUNCTION_ID: [TASK_ID]},
}
SUBMIT_V3 = ("POST", f"/v3/endpoints/{ENDPOINT_ID}/submit")


def _settings(service: ScriptedService, **more: Any) -> dict[str, Any]:
    return {
        "authorizer": StaticAuthorizer(),
        "base_url": "http://service.test",
        "transport": service,
        **more,
    }


@pytest.fixture
def service() -> ScriptedService:
    """A service that takes submits, and has one endpoint."""
    endpoint = f"/v2/endpoints/{ENDPOINT_ID}"
    registered = {"endpoint_id": ENDPOINT_ID, "task_queue_info": {}}
    return ScriptedService(
        {
            ("POST", "/v2/submit"): SUBMITTED_V2,
            SUBMIT_V3: SUBMITTED,
            ("GET", endpoint): {"uuid": ENDPOINT_ID, "name": "cluster", "hostname": "h"},
            ("GET", f"/v3/endpoints/{ENDPOINT_ID}/allowed_functions"): {
                "endpoint_id": ENDPOINT_ID,
                "restricted": True,
                "functions": [FUNCTION_ID],
            },
            ("PUT", f"/v3/endpoints/{ENDPOINT_ID}"): registered,
            ("POST", "/v2/endpoints"): registered,
            ("POST", "/v3/functions"): {"function_uuid": FUNCTION_ID},
            ("POST", "/v2/functions"): {"function_uuid": FUNCTION_ID},
            ("GET", f"/v3/endpoints/{ENDPOINT_ID}/console"): {"user_endpoints": []},
            ("POST", "/v2/batch_status"): {"response": "batch", "results": {}},
        }
    )


@pytest.fixture
def two(service: ScriptedService) -> Iterator[ComputeClientV2]:
    """A client of version 2."""
    with ComputeClientV2(**_settings(service)) as client:
        yield client


@pytest.fixture
def three(service: ScriptedService) -> Iterator[ComputeClientV3]:
    """A client of version 3."""
    with ComputeClientV3(**_settings(service)) as client:
        yield client


@pytest.mark.parametrize("cls", [ComputeClientV2, ComputeClientV3])
def test_making_a_client_sends_nothing(cls: type[ComputeClientV2 | ComputeClientV3]) -> None:
    """Nor does it ask for a token; without an address it is for the environment's service."""
    service, authorizer = ScriptedService(), StaticAuthorizer()
    with cls(authorizer=authorizer, environment="sandbox", transport=service) as client:
        assert client.base_url == "https://compute.api.sandbox.globuscs.info"
    assert (service.requests, authorizer.asked) == ([], 0)


def test_contradicting_arguments_are_refused() -> None:
    """An app or an authorizer, not both; an environment that exists."""
    with pytest.raises(ValueError, match="exclude each other"):
        ComputeClientV2(app=object(), authorizer=StaticAuthorizer())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown environment"):
        ComputeClientV3(environment="nowhere")


def test_an_unknown_argument_is_warned_of_at_the_users_line() -> None:
    """The client is made all the same."""
    with pytest.warns(UserWarning, match="ComputeClientV3 does not know .*'retry_config'") as seen:
        ComputeClientV3(authorizer=StaticAuthorizer(), retry_config=None).close()
    assert seen[0].filename == __file__


def test_a_client_can_be_asked_what_globus_sdk_asks(three: ComputeClientV3) -> None:
    """Its service, the resource server of its tokens, and the class of its errors."""
    theirs = globus_sdk.ComputeClientV3
    assert three.service_name == theirs.service_name
    assert three.resource_server == theirs.resource_server
    assert three.error_class.__name__ == theirs.error_class.__name__


def test_a_task_is_submitted_with_its_arguments(
    service: ScriptedService, three: ComputeClientV3
) -> None:
    """With what this client runs, and with what else was asked for."""
    response = three.submit_task(
        uuid.UUID(ENDPOINT_ID),
        FUNCTION_ID,
        [1],
        {"a": 2},
        task_group_id=GROUP_ID,
        create_queue=True,
        user_endpoint_config={"nodes": 2},
        resource_specification={"num_nodes": 1},
        result_serializers=[JSONData],
    )
    assert response["task_uuid"] == TASK_ID
    assert response["task_group_id"] == GROUP_ID
    body = service.body()
    (payload,) = body["tasks"].pop(FUNCTION_ID)
    args, kwargs = map(three.serializer.deserialize, unpack_buffers(payload))
    assert (list(args), kwargs) == ([1], {"a": 2})
    assert body.pop("user_runtime")["python"]["version"]
    assert body == {
        "tasks": {},
        "task_group_id": GROUP_ID,
        "create_queue": True,
        "user_endpoint_config": {"nodes": 2},
        "resource_specification": {"num_nodes": 1},
        "result_serializers": ["globus_compute_sdk.serialize.concretes.JSONData"],
    }


def test_a_task_is_submitted_the_older_way(service: ScriptedService, two: ComputeClientV2) -> None:
    """By its function and endpoint; the strategy is the client's."""
    assert two.submit_task(ENDPOINT_ID, uuid.UUID(FUNCTION_ID), [1])["task_uuid"] == TASK_ID
    ((function, endpoint, _),) = service.body()["tasks"]
    assert (function, endpoint) == (FUNCTION_ID, ENDPOINT_ID)
    assert service.body().keys() == {"tasks", "create_websocket_queue"}
    two.submit_task(ENDPOINT_ID, FUNCTION_ID, task_group_id=GROUP_ID, create_websocket_queue=False)
    assert service.body()["task_group_id"] == GROUP_ID
    assert service.body()["create_websocket_queue"] is False
    with ComputeClientV2(**_settings(service, data_serialization_strategy=JSONData())) as json:
        json.submit_task(ENDPOINT_ID, FUNCTION_ID, [1])
    assert service.body()["tasks"][0][2] == "6\n11\n[1]5\n11\n{}"


def test_what_may_be_loaded_can_be_limited(service: ScriptedService) -> None:
    """Endpoints are asked to write results so, and nothing else is loaded."""
    with ComputeClientV3(**_settings(service, allowed_deserializers=[JSONData])) as client:
        client.submit_task(ENDPOINT_ID, FUNCTION_ID)
        assert service.body()["result_serializers"] == [
            "globus_compute_sdk.serialize.concretes.JSONData"
        ]
        assert client.serializer.deserialize("11\n[1]") == [1]
        with pytest.raises(DeserializationError, match="may be loaded here"):
            client.serializer.deserialize(DillDataBase64().serialize(1))


@pytest.mark.parametrize("arguments", [{"function_args": "ab"}, {"function_kwargs": [1]}])
def test_arguments_of_the_wrong_kind_are_refused(
    service: ScriptedService,
    two: ComputeClientV2,
    three: ComputeClientV3,
    arguments: dict[str, Any],
) -> None:
    """A text would be taken apart into letters."""
    for client in (two, three):
        with pytest.raises(TypeError, match="arguments are a"):
            client.submit_task(ENDPOINT_ID, FUNCTION_ID, **arguments)
    assert service.requests == []


def test_a_submit_of_version_3_has_two_forms(
    service: ScriptedService, three: ComputeClientV3
) -> None:
    """With an endpoint it goes there; alone, the tasks name their endpoints."""
    document = {"tasks": {uuid.UUID(FUNCTION_ID): ["p"]}, "task_group_id": uuid.UUID(GROUP_ID)}
    assert three.submit(ENDPOINT_ID, document)["tasks"] == {FUNCTION_ID: [TASK_ID]}
    assert service.body() == {"tasks": {FUNCTION_ID: ["p"]}, "task_group_id": GROUP_ID}
    three.submit(endpoint_id=uuid.UUID(ENDPOINT_ID), data=document)
    batch = {"tasks": [{"endpoint": ENDPOINT_ID, "function": FUNCTION_ID}]}
    assert three.submit(batch)["task_uuids"] == [TASK_ID]
    assert three.submit(data=batch)["task_uuids"] == [TASK_ID]
    raw = {"tasks": [[FUNCTION_ID, ENDPOINT_ID, "p"]], "create_websocket_queue": False}
    answer = three.submit(raw)
    assert service.body() == raw
    assert answer.data == SUBMITTED_V2
    assert service.paths == [SUBMIT_V3[1]] * 2 + ["/v2/submit"] * 3


def test_a_submit_without_a_document_is_refused(
    service: ScriptedService, three: ComputeClientV3
) -> None:
    """As are two documents, and an endpoint that is none."""
    ask: Any = three.submit
    with pytest.raises(TypeError, match="a document alone"):
        ask()
    with pytest.raises(TypeError, match="a document alone"):
        ask({}, {})
    with pytest.raises(TypeError, match="takes a document"):
        ask(ENDPOINT_ID)
    with pytest.raises(ValueError, match="it lacks 'tasks'"):
        ask(ENDPOINT_ID, {})
    with pytest.raises(ValueError, match="endpoint_id is no UUID"):
        ask("endpoint-1", {"tasks": {}})
    assert service.requests == []


def test_a_part_of_an_endpoint_is_updated_with_the_rest(
    service: ScriptedService, three: ComputeClientV3
) -> None:
    """Two reads and the update; a whole registration goes as it is, with no warning."""
    with pytest.warns(UserWarning, match="admins"):
        answer = three.update_endpoint(ENDPOINT_ID, {"public": True})
    assert answer["endpoint_uuid"] == ENDPOINT_ID
    assert [request.method for request in service.requests] == ["GET", "GET", "PUT"]
    assert service.body() == {
        "endpoint_name": "cluster",
        "public": True,
        "allowed_functions": [FUNCTION_ID],
        "metadata": {"hostname": "h"},
    }
    three.update_endpoint(ENDPOINT_ID, {"endpoint_name": "e"})
    assert service.body() == {"endpoint_name": "e"}
    three.update_endpoint(ENDPOINT_ID, {"authentication_policy": GROUP_ID, "admins": []})
    assert len(service.requests) == 7


def test_an_endpoint_of_version_2_gets_an_id(
    service: ScriptedService, two: ComputeClientV2
) -> None:
    """A new one, where the document brings none."""
    two.register_endpoint({"endpoint_name": "e"})
    first = service.body()["endpoint_uuid"]
    two.register_endpoint({"endpoint_name": "e"})
    assert uuid.UUID(first) != uuid.UUID(service.body()["endpoint_uuid"])
    two.register_endpoint({"endpoint_name": "e", "endpoint_uuid": uuid.UUID(ENDPOINT_ID)})
    assert service.body()["endpoint_uuid"] == ENDPOINT_ID


def test_a_function_is_registered_under_three_names(
    service: ScriptedService, two: ComputeClientV2, three: ComputeClientV3
) -> None:
    """Of the method, and of its argument; all send the same."""
    document = {"function_name": "f", "function_code": "def f(): pass"}
    for client in (two, three):
        for answer in (
            client.register_function(document),
            client.register_function(function_data=document),
            client.register_function(data=document),
            client.submit_function(document),
            client.submit_function(function_document=document),
        ):
            assert answer["function_uuid"] == FUNCTION_ID
    bodies = [request.content for request in service.requests]
    assert len(bodies) == 10
    assert len(set(bodies)) == 2


def test_fields_of_a_console_can_be_a_list(
    service: ScriptedService, three: ComputeClientV3
) -> None:
    """Or a text with commas."""
    three.get_endpoint_console(ENDPOINT_ID, include_fields=["active", "queue"])
    three.get_endpoint_console(ENDPOINT_ID, GROUP_ID, "active")
    assert [dict(request.url.params) for request in service.requests] == [
        {"include_fields": "active,queue"},
        {"user_endpoint_id": GROUP_ID, "include_fields": "active"},
    ]


def test_one_task_or_many_can_be_asked_for(service: ScriptedService, two: ComputeClientV2) -> None:
    """In one request, whatever the ids come in."""
    two.get_task_batch(TASK_ID)
    two.get_task_batch(uuid.UUID(TASK_ID))
    two.get_task_batch({TASK_ID})
    assert [service.body(i) for i in range(3)] == [{"task_ids": [TASK_ID]}] * 3


@pytest.mark.parametrize(
    ("method", "argument"),
    [
        *(
            (name, "endpoint_id")
            for name in (
                *("get_endpoint", "get_endpoint_status", "get_endpoint_allowlist"),
                *("get_endpoint_console", "lock_endpoint", "delete_endpoint"),
            )
        ),
        *((name, "function_id") for name in ("get_function", "delete_function")),
        ("get_task", "task_id"),
        ("get_task_batch", "task_id"),
        ("get_task_group", "task_group_id"),
        ("get_container_build", "container_id"),
    ],
)
def test_a_malformed_id_is_named(
    service: ScriptedService, three: ComputeClientV3, method: str, argument: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match=f"{argument} is no UUID: 'x'"):
        getattr(three, method)(["x"] if method == "get_task_batch" else "x")
    assert service.requests == []


def test_errors_of_the_service_are_those_of_the_package() -> None:
    """By status, and with the service's code and request id."""
    answer = {"code": "NO_TASK", "detail": "no such task", "request_id": "r-1"}
    service = ScriptedService(
        {("GET", f"/v2/tasks/{TASK_ID}"): httpx.Response(404, json=answer, headers={"X-A": "b"})}
    )
    with ComputeClientV3(**_settings(service)) as client, pytest.raises(NotFound) as caught:
        client.get_task(TASK_ID)
    error = caught.value
    assert (error.code, error.message, error.request_id) == ("NO_TASK", "no such task", "r-1")
    assert error.headers["x-a"] == "b"
    assert error.raw_json == answer
    assert "NO_TASK" in error.text


def test_a_submit_that_breaks_off_is_not_repeated() -> None:
    """Its tasks may run: the error says that it was sent."""
    service = ScriptedService({SUBMIT_V3: httpx.ReadError("cut off")})
    with (
        ComputeClientV3(**_settings(service)) as client,
        pytest.raises(ServiceUnreachable) as caught,
    ):
        client.submit_task(ENDPOINT_ID, FUNCTION_ID)
    assert caught.value.sent
    assert len(service.requests) == 1
