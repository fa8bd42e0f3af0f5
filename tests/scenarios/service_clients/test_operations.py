"""Every operation through the clients of both versions, against the local service."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import globus_sdk
import httpx
import pika
import psutil
import pytest
from gcompute_api.models import (
    EndpointRegistration,
    EndpointRegistrationV2,
    MultiUserEndpointRegistration,
    TaskState,
    Version,
)

from gcompute import ComputeAPIError, ComputeClientV2, ComputeClientV3
from gcompute.errors import AuthenticationFailed, NotFound, PermissionDenied, RequestInvalid
from gcompute.local import LocalService
from tests.scenarios.waiting import eventually
from tests.support.api_document import operations

UNKNOWN = "00000000-0000-4000-8000-000000000000"
SOURCE = "def double(x):\n    return 2 * x\n"

AnyClient = ComputeClientV2 | ComputeClientV3


def _settings(service: LocalService, token: str | None = None) -> dict[str, Any]:
    authorizer = globus_sdk.AccessTokenAuthorizer(token or service.token)
    return {"authorizer": authorizer, "base_url": service.url, "request_limit": None}


@pytest.fixture
def two(service: LocalService) -> Iterator[ComputeClientV2]:
    """A client of version 2."""
    with ComputeClientV2(**_settings(service)) as client:
        yield client


@pytest.fixture
def three(service: LocalService) -> Iterator[ComputeClientV3]:
    """A client of version 3."""
    with ComputeClientV3(**_settings(service)) as client:
        yield client


@pytest.fixture(params=["v2", "v3"])
def either(
    request: pytest.FixtureRequest, two: ComputeClientV2, three: ComputeClientV3
) -> AnyClient:
    """Each client in turn, for what both have."""
    return two if request.param == "v2" else three


def _endpoint(client: ComputeClientV3, **more: Any) -> str:
    """Register an endpoint that nobody runs."""
    answer = client.register_endpoint({"endpoint_name": "idle", "metadata": {}, **more})
    endpoint: str = answer["endpoint_id"]
    return endpoint


def _function(client: AnyClient, **more: Any) -> str:
    document = {"function_name": "double", "function_code": SOURCE, **more}
    function: str = client.register_function(document)["function_uuid"]
    return function


def _result(client: AnyClient, task_id: str) -> Any:
    """Wait for a task and load its result."""
    eventually(lambda: client.get_task(task_id)["status"] in ("success", "failed"))
    task = client.get_task(task_id)
    assert task["status"] == "success", task.get("exception")
    return client.serializer.deserialize(task["result"])


# -- the service ----------------------------------------------------------------------------


def test_the_version(either: AnyClient) -> None:
    """Text by itself, an object with ``all``, and nothing for HEAD."""
    version = either.get_version()
    assert version.parsed == version.data
    everything = either.get_version("all")
    assert isinstance(everything.parsed, Version)
    assert everything["api"] == everything.parsed.api == version.data
    checked = either.check_version("all")
    assert (checked.http_status, checked.text, checked.parsed) == (200, "", None)
    assert checked.headers["date"]


def test_the_token(either: AnyClient, service: LocalService) -> None:
    """The answer to a good one is a text; a bad one is refused."""
    assert isinstance(either.check_authentication().parsed, str)
    with (
        type(either)(**_settings(service, "wrong")) as stranger,
        pytest.raises(AuthenticationFailed) as caught,
    ):
        stranger.check_authentication()
    assert caught.value.http_status == 401


def test_the_result_queues(either: AnyClient) -> None:
    """The address opens, and is not shown."""
    answer = either.get_result_amqp_url()
    assert answer.parsed.queue_prefix == answer["queue_prefix"]
    parameters = pika.URLParameters(answer["connection_url"])
    pika.BlockingConnection(parameters).close()
    assert f":{parameters.credentials.password}@" not in str(answer)


# -- endpoints ------------------------------------------------------------------------------


def test_the_endpoint_of_the_service(either: AnyClient, service: LocalService) -> None:
    """Described, online, and in the list."""
    endpoint = either.get_endpoint(service.endpoint_id)
    assert endpoint.parsed.uuid == uuid.UUID(service.endpoint_id)
    assert endpoint["hostname"] == endpoint.parsed.hostname
    status = either.get_endpoint_status(uuid.UUID(service.endpoint_id))
    assert status["status"] == status.parsed.status == "online"
    listed = either.get_endpoints(role="owner")
    assert uuid.UUID(service.endpoint_id) in [entry.uuid for entry in listed.parsed]
    assert service.endpoint_id in [entry["uuid"] for entry in listed]
    assert len(listed) == len(listed.parsed)
    assert listed[0].keys() == {"uuid", "name", "display_name", "owner"}


def test_an_endpoint_of_version_3(three: ComputeClientV3) -> None:
    """Registered, updated, vouched for, looked at, locked and deleted."""
    function = _function(three)
    document = {
        "endpoint_name": "mine",
        "metadata": {"description": "d"},
        "subscription_uuid": uuid.uuid4(),
        "allowed_functions": [uuid.UUID(function)],
    }
    registered = three.register_endpoint(document)
    endpoint = registered["endpoint_id"]
    assert isinstance(registered.parsed, EndpointRegistration)
    assert registered.parsed.endpoint_id == uuid.UUID(endpoint)
    updated = three.update_endpoint(endpoint, document | {"display_name": "Mine"})
    assert updated["task_queue_info"]["queue"] == registered["task_queue_info"]["queue"]
    assert three.get_endpoint(endpoint)["display_name"] == "Mine"
    assert three.set_subscription_admin_verified(endpoint, True).parsed.subscription_admin_verified
    assert three.get_endpoint(endpoint)["subscription_admin_verified"] is True
    allowlist = three.get_endpoint_allowlist(endpoint)
    assert (allowlist.parsed.restricted, allowlist["functions"]) == (True, [function])
    console = three.get_endpoint_console(endpoint, include_fields=["active"])
    assert console["user_endpoints"] == [{"user_endpoint_id": endpoint, "active": False}]
    assert three.get_endpoint_console(endpoint, user_endpoint_id=UNKNOWN)["user_endpoints"] == []
    locked = three.lock_endpoint(endpoint)
    assert locked["endpoint_id"] == endpoint
    with pytest.raises(ComputeAPIError) as caught:
        three.update_endpoint(endpoint, document)
    assert (caught.value.http_status, caught.value.code) == (423, "RESOURCE_LOCKED")
    assert three.delete_endpoint(endpoint).http_status == 200
    with pytest.raises(NotFound, match="ENDPOINT_NOT_FOUND"):
        three.get_endpoint(endpoint)


def test_an_endpoint_of_version_2(two: ComputeClientV2) -> None:
    """Registered under an id of its own, locked and deleted."""
    registered = two.register_endpoint({"endpoint_name": "old", "description": "d"})
    endpoint = registered["endpoint_uuid"]
    assert isinstance(registered.parsed, EndpointRegistrationV2)
    assert two.get_endpoint(endpoint)["description"] == "d"
    locked = two.lock_endpoint(endpoint)
    assert isinstance(locked.parsed.lock_expiration_timestamp, datetime)
    assert two.delete_endpoint(endpoint)["result"]
    with pytest.raises(NotFound, match="ENDPOINT_NOT_FOUND"):
        two.delete_endpoint(endpoint)


def test_a_part_of_a_multi_user_endpoint_is_updated(three: ComputeClientV3) -> None:
    """It stays what it is, its allow-list and what it told of itself included."""
    function = _function(three)
    registered = three.register_endpoint(
        {
            "endpoint_name": "many",
            "multi_user": True,
            "allowed_functions": [function],
            "metadata": {"hostname": "h", "description": "old"},
        }
    )
    assert isinstance(registered.parsed, MultiUserEndpointRegistration)
    endpoint = registered["endpoint_uuid"]
    with pytest.warns(UserWarning, match="names a part"):
        updated = three.update_endpoint(endpoint, {"display_name": "Many"})
    assert updated["command_queue_info"]["queue"] == registered["command_queue_info"]["queue"]
    shown = three.get_endpoint(endpoint)
    assert (shown["display_name"], shown["multi_user"]) == ("Many", True)
    assert (shown["hostname"], shown["description"]) == ("h", "old")
    assert three.get_endpoint_allowlist(endpoint)["functions"] == [function]


# -- functions ------------------------------------------------------------------------------


def test_a_function(either: AnyClient) -> None:
    """Registered, described and deleted."""
    function = _function(either, description="Double a number.")
    shown = either.get_function(function)
    assert shown.parsed.function_uuid == uuid.UUID(function)
    assert shown["description"] == "Double a number."
    assert "def double" in shown["function_code"]
    assert either.delete_function(function)["result"]
    with pytest.raises(NotFound, match="FUNCTION_NOT_FOUND"):
        either.get_function(function)


def test_a_wrong_field_is_named(three: ComputeClientV3) -> None:
    """By its path, from the service's own answer."""
    with pytest.raises(RequestInvalid) as caught:
        _function(three, ha_endpoint_id=UNKNOWN)
    (field,) = caught.value.errors_by_field
    assert field == "body.ha_endpoint_id"
    assert caught.value.raw_json
    assert caught.value.content_type == "application/json"


# -- tasks ----------------------------------------------------------------------------------


def test_a_task_from_source_to_result(either: AnyClient, service: LocalService) -> None:
    """In the form of each version, by each way to ask."""
    function = _function(either)
    submitted = either.submit_task(service.endpoint_id, function, [21])
    task = submitted["task_uuid"]
    assert _result(either, task) == 42
    assert either.get_task(task).parsed.status is TaskState.SUCCESS
    batch = either.get_task_batch(task)
    assert batch.parsed.results[task].status is TaskState.SUCCESS
    group = either.get_task_group(submitted["task_group_id"])
    assert [entry.id for entry in group.parsed.tasks] == [uuid.UUID(task)]
    keywords = either.submit_task(service.endpoint_id, function, function_kwargs={"x": 4})
    assert _result(either, keywords["task_uuid"]) == 8


def test_a_batch_to_several_endpoints(
    either: AnyClient, three: ComputeClientV3, service: LocalService
) -> None:
    """In one request; an unknown function refuses it all."""
    function, idle = _function(either), _endpoint(three)
    tasks: list[dict[str, Any]] = [
        {"endpoint": service.endpoint_id, "function": function, "args": [1]},
        {"endpoint": idle, "function": function, "args": [2]},
        {"endpoint": service.endpoint_id, "function": function, "kwargs": {"x": 3}},
    ]
    first, waiting, last = either.submit({"tasks": tasks})["task_uuids"]
    assert [_result(either, task) for task in (first, last)] == [2, 6]
    assert either.get_task(waiting)["status"] not in ("success", "failed")
    tasks[1]["function"] = UNKNOWN
    with pytest.raises(NotFound, match="FUNCTION_NOT_FOUND"):
        either.submit({"tasks": tasks})


def test_a_submit_as_on_the_wire(
    two: ComputeClientV2, three: ComputeClientV3, service: LocalService
) -> None:
    """Of each version, with payloads that are serialized already."""
    function = _function(three)
    payload = three.serializer.pack_arguments([5], {})
    new = three.submit(service.endpoint_id, {"tasks": {function: [payload]}})
    assert new.parsed.endpoint_id == uuid.UUID(service.endpoint_id)
    assert _result(three, new["tasks"][function][0]) == 10
    old = two.submit({"tasks": [[function, service.endpoint_id, payload]]})
    assert _result(two, old["results"][0]["task_uuid"]) == 10


def test_a_function_that_is_not_allowed(three: ComputeClientV3) -> None:
    """403, with what the service says."""
    restricted = _endpoint(three, allowed_functions=[])
    with pytest.raises(PermissionDenied) as caught:
        three.submit_task(restricted, _function(three))
    assert caught.value.code == "FUNCTION_NOT_PERMITTED"
    assert caught.value.messages == [caught.value.message]


# -- containers -----------------------------------------------------------------------------


def test_containers(either: AnyClient) -> None:
    """Registered and shown; a build is accepted, and told to have failed."""
    image = {"name": "scipy", "type": "docker", "location": "images.example.org/scipy"}
    container = either.register_container(image).parsed.container_id
    shown = either.get_container(container, "docker")
    assert shown.parsed.container.container_uuid == container
    assert shown["container"]["location"] == image["location"]
    built = either.build_container({"name": "n", "apt": [], "pip": ["scipy"], "conda": []})
    build = either.get_container_build(built["container_id"])
    assert build["status"] == str(build.parsed.status) == "failed"


# -- refusals -------------------------------------------------------------------------------

#: Arguments with which each method is refused with 404, for want of what they name.
_UNKNOWN_THINGS: dict[str, list[Any]] = {
    "get_endpoint": [UNKNOWN],
    "get_endpoint_status": [UNKNOWN],
    "get_function": [UNKNOWN],
    "delete_function": [UNKNOWN],
    "get_task": [UNKNOWN],
    "get_task_group": [UNKNOWN],
    "get_container": [UNKNOWN, "docker"],
    "get_container_build": [UNKNOWN],
    "lock_endpoint": [UNKNOWN],
    "delete_endpoint": [UNKNOWN],
    "submit_task": [UNKNOWN, UNKNOWN],
    "submit": [{"tasks": [[UNKNOWN, UNKNOWN, "p"]]}],
}
_UNKNOWN_THINGS_V3: dict[str, list[Any]] = {
    "update_endpoint": [UNKNOWN, {"endpoint_name": "e"}],
    "get_endpoint_allowlist": [UNKNOWN],
    "get_endpoint_console": [UNKNOWN],
    "set_subscription_admin_verified": [UNKNOWN, True],
    "submit": [UNKNOWN, {"tasks": {UNKNOWN: ["p"]}}],
}
#: Arguments with which each other method is refused with 401, for want of a token.
_NEEDS_TOKEN: dict[str, list[Any]] = {
    "check_authentication": [],
    "get_result_amqp_url": [],
    "get_endpoints": [],
    "get_task_batch": [[UNKNOWN]],
    "register_container": [{"name": "c", "type": "docker", "location": "l"}],
    "build_container": [{"name": "c", "apt": [], "pip": [], "conda": []}],
    "register_endpoint": [{"endpoint_name": "e"}],
    "register_function": [{"function_name": "f", "function_code": SOURCE}],
    "submit_function": [{"function_name": "f", "function_code": SOURCE}],
}


def _refused(client: AnyClient, name: str, arguments: list[Any]) -> ComputeAPIError:
    with pytest.raises(ComputeAPIError) as caught:
        getattr(client, name)(*arguments)
    return caught.value


def test_unknown_things_are_not_found(either: AnyClient, three: ComputeClientV3) -> None:
    """404 for each operation that names one, and with the service's own words."""
    cases = [(either, _UNKNOWN_THINGS), (three, _UNKNOWN_THINGS_V3)]
    for client, methods in cases:
        for name, arguments in methods.items():
            error = _refused(client, name, arguments)
            assert isinstance(error, NotFound), name
            assert error.code.endswith("_NOT_FOUND"), name
            assert error.raw_json is not None
            assert error.message == error.raw_json["detail"]


def test_strangers_are_refused(either: AnyClient, service: LocalService) -> None:
    """401 for each operation that names nothing."""
    with type(either)(**_settings(service, "wrong")) as stranger:
        for name, arguments in _NEEDS_TOKEN.items():
            error = _refused(stranger, name, arguments)
            assert isinstance(error, AuthenticationFailed), name


def test_an_unknown_version_is_refused(either: AnyClient, service: LocalService) -> None:
    """422 by the service, which names the field; the client knows the choices itself."""
    with pytest.raises(ValueError, match="service must be one of"):
        either.get_version("everything")
    answer = httpx.get(f"{service.url}/v2/version", params={"service": "everything"}, timeout=30)
    served = httpx.MockTransport(lambda _request: answer)
    settings = _settings(service) | {"transport": served}
    with type(either)(**settings) as client:
        for name in ("get_version", "check_version"):
            error = _refused(client, name, [])
            assert isinstance(error, RequestInvalid)
            assert list(error.errors_by_field) == ["query.service"]


def test_every_operation_was_refused() -> None:
    """The tables above leave none out but the two about the version."""
    tables = (_UNKNOWN_THINGS, _UNKNOWN_THINGS_V3, _NEEDS_TOKEN)
    refused = {name for table in tables for name in table}
    documented = {operation.name.removesuffix("_v2") for operation in operations()}
    assert documented - refused == {"get_version", "check_version"}


@pytest.mark.parametrize("kind", [ComputeClientV2, ComputeClientV3])
def test_a_closed_client_keeps_no_tokens_open(
    kind: type[AnyClient],
    service: LocalService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A long-lived program that makes clients and closes them has a file for none of them."""
    for name, value in service.environment(client_credentials=True).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", str(tmp_path))
    with kind(base_url=service.url) as client:
        client.get_endpoints()
        assert _open_below(tmp_path)
    assert not _open_below(tmp_path)


def _open_below(folder: Path) -> list[str]:
    """Give the files of a folder that this process has open."""
    opened = [each.path for each in psutil.Process().open_files()]
    return [path for path in opened if Path(path).is_relative_to(folder)]
