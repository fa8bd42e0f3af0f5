"""Every operation of the document, over HTTP, with answers that fit the document."""

from __future__ import annotations

import time
import uuid
from datetime import datetime

import httpx
import pytest
from pika.exceptions import ProbableAuthenticationError

from gcompute.local import LocalService
from gcompute.local.document import document
from gcompute.local.names import LOGINS
from tests.scenarios.service.api import METADATA, UNKNOWN, Api, is_uuid, payload
from tests.scenarios.service.queues import channel


def test_the_version_is_for_everybody(stranger: Api) -> None:
    """Text by itself, an object with `service=all`, and nothing for HEAD."""
    version = stranger("get_version")
    everything = stranger("get_version", query={"service": "all"})
    assert everything["api"] == version
    assert everything["min_sdk_version"]
    assert everything["min_ep_version"]
    assert stranger.send("check_version").content == b""


def test_the_document_is_served(stranger: Api) -> None:
    """What the service follows can be read from it."""
    assert stranger.http.get("/openapi.json").json() == document()


def test_a_known_user_is_told_so(api: Api) -> None:
    """The answer is text."""
    assert isinstance(api("check_authentication"), str)


def test_the_local_endpoint_is_there_and_online(api: Api, service: LocalService) -> None:
    """It is listed, describes itself, and has the workers that were asked for."""
    listed = api("get_endpoints")
    assert service.endpoint_id in [entry["uuid"] for entry in listed]
    shown = api("get_endpoint", endpoint_uuid=service.endpoint_id)
    assert shown["hostname"]
    assert shown["python_version"]
    assert shown["multi_user"] is False
    status = api("get_endpoint_status", endpoint_uuid=service.endpoint_id)
    assert status["status"] == "online"
    assert status["details"]["total_workers"] == 2


def test_the_console_shows_what_an_endpoint_does(api: Api, service: LocalService) -> None:
    """One that runs tasks itself is its own user endpoint; fields can be chosen."""
    (entry,) = api("get_endpoint_console", endpoint_uuid=service.endpoint_id)["user_endpoints"]
    assert entry["user_endpoint_id"] == service.endpoint_id
    assert entry["active"] is True
    assert entry["total_worker_count"] == 2
    chosen = api(
        "get_endpoint_console",
        endpoint_uuid=service.endpoint_id,
        query={"include_fields": "active, posix_username"},
    )["user_endpoints"]
    assert chosen[0].keys() == {"user_endpoint_id", "active", "posix_username"}
    other = api(
        "get_endpoint_console",
        endpoint_uuid=service.endpoint_id,
        query={"user_endpoint_id": UNKNOWN},
    )
    assert other["user_endpoints"] == []


def test_an_endpoint_is_registered_shown_and_registered_again(api: Api) -> None:
    """Each registration has fresh credentials for the same queues."""
    metadata = {"description": "for a test", "hostname": "h", "endpoint_config": "a: 1"}
    registration = {
        "endpoint_name": "mine",
        "display_name": "Mine",
        "metadata": metadata,
        "version": "4.19.0",
    }
    first = api("register_endpoint", registration)
    endpoint = first["endpoint_id"]
    assert is_uuid(endpoint)
    publishing = first["result_queue_info"]["queue_publish_kwargs"]
    assert publishing["mandatory"] is True
    assert publishing["properties"] == {"delivery_mode": 2}
    second = api("update_endpoint", registration | {"public": True}, endpoint_uuid=endpoint)
    assert second["task_queue_info"]["queue"] == first["task_queue_info"]["queue"]
    shown = api("get_endpoint", endpoint_uuid=endpoint)
    assert (shown["name"], shown["display_name"]) == ("mine", "Mine")
    assert shown["description"] == "for a test"
    assert shown["endpoint_version"] == "4.19.0"
    assert shown["public"] is True
    assert api("get_endpoint_status", endpoint_uuid=endpoint)["status"] == "offline"
    assert endpoint in [entry["uuid"] for entry in api("get_endpoints", query={"role": "any"})]


def test_an_endpoint_registers_the_older_way(api: Api) -> None:
    """It brings its own id, and gets no heartbeat queue."""
    endpoint = str(uuid.uuid4())
    body = {"endpoint_name": "old", "endpoint_uuid": endpoint}
    answer = api("register_endpoint_v2", body)
    assert answer["endpoint_id"] == endpoint
    assert "heartbeat_queue_info" not in answer
    assert api("register_endpoint_v2", body)["endpoint_id"] == endpoint


@pytest.mark.parametrize("operation", ["register_endpoint", "register_endpoint_v2"])
def test_a_multi_user_endpoint_gets_commands(api: Api, operation: str) -> None:
    """In place of tasks; what it is cannot change."""
    body = {"endpoint_name": "many", "multi_user": True}
    if operation == "register_endpoint":
        body["metadata"] = {}
    else:
        body["endpoint_uuid"] = str(uuid.uuid4())
    answer = api(operation, body)
    assert "task_queue_info" not in answer
    assert answer["command_queue_info"]["queue"]
    endpoint = answer["endpoint_id"]
    single = {"endpoint_name": "many", "metadata": {}, "multi_user": False}
    assert api.refused(409, "update_endpoint", single, endpoint_uuid=endpoint) == (
        "RESOURCE_CONFLICT"
    )
    assert api("get_endpoint_console", endpoint_uuid=endpoint) == {"user_endpoints": []}


def test_a_registration_leaves_flags_that_it_does_not_name(api: Api) -> None:
    """They change when it does name them; everything else is as the last one says."""
    flags = {"public": True, "high_assurance": True}
    endpoint = api.endpoint(allowed_functions=[UNKNOWN], **flags)
    body = {"endpoint_name": "renamed", "metadata": {}}
    api("update_endpoint", body, endpoint_uuid=endpoint)
    shown = api("get_endpoint", endpoint_uuid=endpoint)
    assert {name: shown[name] for name in flags} == flags
    assert shown["name"] == "renamed"
    assert api("get_endpoint_allowlist", endpoint_uuid=endpoint)["restricted"] is False
    api("update_endpoint", body | {"public": False}, endpoint_uuid=endpoint)
    assert api("get_endpoint", endpoint_uuid=endpoint)["public"] is False


def test_a_locked_endpoint_may_not_register(api: Api) -> None:
    """It is told so with 423, and when it may, in the form of the version that is asked."""
    endpoint = api.endpoint()
    until = api("lock_endpoint", endpoint_uuid=endpoint)["lock_expiration_timestamp"]
    assert until > time.time()
    text = api("lock_endpoint_v2", endpoint_uuid=endpoint)["lock_expiration_timestamp"]
    assert datetime.fromisoformat(text).timestamp() >= until
    registration = {"endpoint_name": "idle", "metadata": {}}
    code = api.refused(423, "update_endpoint", registration, endpoint_uuid=endpoint)
    assert code == "RESOURCE_LOCKED"
    assert api("get_endpoint_status", endpoint_uuid=endpoint)["status"] == "offline"


@pytest.mark.parametrize("operation", ["delete_endpoint", "delete_endpoint_v2"])
def test_a_deleted_endpoint_is_gone_and_its_tasks_fail(api: Api, operation: str) -> None:
    """Nobody waits for tasks that will never run."""
    endpoint = api.endpoint()
    function = api.function()
    (task,) = api.submit(endpoint, function, 1)["tasks"][function]
    api(operation, endpoint_uuid=endpoint)
    status = api("get_task", task_uuid=task)
    assert status["status"] == "failed"
    assert "deleted" in status["exception"]
    assert api.refused(404, "get_endpoint", endpoint_uuid=endpoint) == "ENDPOINT_NOT_FOUND"
    assert endpoint not in [entry["uuid"] for entry in api("get_endpoints")]


def test_an_allow_list_is_shown_and_enforced(api: Api) -> None:
    """Only what is on it runs; an endpoint without one says that it is not restricted."""
    allowed, other = api.function(), api.function()
    endpoint = api.endpoint(allowed_functions=[allowed.upper()])
    shown = api("get_endpoint_allowlist", endpoint_uuid=endpoint)
    assert (shown["restricted"], shown["functions"]) == (True, [allowed])
    api.submit(endpoint, allowed, 1)
    tasks = {"tasks": {other: [payload(1)]}}
    code = api.refused(403, "submit", tasks, endpoint_uuid=endpoint)
    assert code == "FUNCTION_NOT_PERMITTED"
    free = api("get_endpoint_allowlist", endpoint_uuid=api.endpoint())
    assert free["restricted"] is False


def test_a_subscription_is_vouched_for(api: Api) -> None:
    """Only an endpoint of a subscription can be."""
    endpoint = api.endpoint(subscription_uuid=str(uuid.uuid4()))
    yes = {"subscription_admin_verified": True}
    assert api("set_subscription_admin_verified", yes, endpoint_uuid=endpoint) == yes
    assert api("get_endpoint", endpoint_uuid=endpoint)["subscription_admin_verified"] is True
    without = api.endpoint()
    code = api.refused(409, "set_subscription_admin_verified", yes, endpoint_uuid=without)
    assert code == "RESOURCE_CONFLICT"


def test_functions_are_registered_shown_and_deleted(api: Api) -> None:
    """Both versions; a deleted one is not found."""
    old = api(
        "register_function_v2",
        {"function_name": "old", "function_code": "3\n01\n", "description": "d"},
    )["function_uuid"]
    new = api.function(description="d", public=True)
    for function in (old, new):
        shown = api("get_function", function_uuid=function)
        assert shown["description"] == "d"
        assert shown["function_code"]
        api("delete_function", function_uuid=function)
        assert api.refused(404, "get_function", function_uuid=function) == "FUNCTION_NOT_FOUND"


def test_a_function_of_a_high_assurance_endpoint_runs_there_only(api: Api) -> None:
    """Submits there carry a warning; such a function cannot be shared."""
    endpoint = api.endpoint(high_assurance=True)
    function = api.function(ha_endpoint_id=endpoint)
    assert "high-assurance" in api.submit(endpoint, function, 1)["ha_warning"]
    tasks = {"tasks": {function: [payload(1)]}}
    assert api.refused(403, "submit", tasks, endpoint_uuid=api.endpoint()) == (
        "FUNCTION_NOT_PERMITTED"
    )
    shared = {"function_name": "f", "function_code": "3\n01\n", "meta": METADATA, "public": True}
    body = shared | {"ha_endpoint_id": endpoint}
    assert api.refused(422, "register_function", body) == "REQUEST_MALFORMED"


def test_a_submit_answers_in_the_order_of_its_tasks(api: Api) -> None:
    """For each function one id a task; the group holds them in that order."""
    endpoint = api.endpoint()
    first, second = api.function(), api.function()
    tasks = {second: [payload(i) for i in range(3)], first: [payload(9)]}
    answer = api("submit", {"tasks": tasks}, endpoint_uuid=endpoint)
    assert answer["endpoint_id"] == endpoint
    assert list(answer["tasks"]) == [second, first]
    ids = answer["tasks"][second] + answer["tasks"][first]
    assert len(set(ids)) == 4
    group = api("get_task_group", task_group_uuid=answer["task_group_id"])
    assert [task["id"] for task in group["tasks"]] == ids
    assert group["create_websockets_queue"] is False
    again = api.submit(endpoint, first, 1, task_group_id=answer["task_group_id"])
    assert again["task_group_id"] == answer["task_group_id"]
    grown = api("get_task_group", task_group_uuid=answer["task_group_id"])
    assert [task["id"] for task in grown["tasks"]] == ids + again["tasks"][first]


def test_tasks_of_an_offline_endpoint_wait(api: Api) -> None:
    """They are pending, with neither result nor exception; unknown ones have a reason."""
    function = api.function()
    ids = api.submit(api.endpoint(), function, 1, 2)["tasks"][function]
    results = api("get_task_batch", {"task_ids": [*ids, UNKNOWN]})["results"]
    for task in ids:
        assert results[task]["status"] in ("received", "waiting-for-ep")
        assert not results[task].keys() & {"result", "exception", "completion_t"}
        assert "received" in results[task]["details"]["task_transitions"]
    assert results[UNKNOWN]["status"] == "failed"
    assert results[UNKNOWN]["reason"]
    assert api.refused(404, "get_task", task_uuid=UNKNOWN) == "TASK_NOT_FOUND"


def test_the_older_submit_names_endpoint_and_function_in_each_task(api: Api) -> None:
    """It makes the task group that it is given, and a queue unless told not to."""
    group = str(uuid.uuid4())
    one, two, function = api.endpoint(), api.endpoint(), api.function()
    body = {
        "task_group_id": group,
        "tasks": [[function, one, payload(1)], [function, two, payload(2)]],
    }
    answer = api("submit_v2", body)
    assert answer["task_group_id"] == group
    ids = [task["task_uuid"] for task in answer["results"]]
    shown = api("get_task_group", task_group_uuid=group)
    assert [task["id"] for task in shown["tasks"]] == ids
    assert shown["create_websockets_queue"] is True


def test_each_result_url_is_a_login_of_its_own(api: Api) -> None:
    """The prefix stays; credentials that are void by now leave their open connections alone."""
    first = api("get_result_amqp_url")
    with channel(first["connection_url"]) as opened:
        logins = [api("get_result_amqp_url") for _ in range(LOGINS)]
        assert {login["queue_prefix"] for login in logins} == {first["queue_prefix"]}
        urls = {login["connection_url"] for login in logins}
        assert len(urls) == LOGINS
        opened.connection.process_data_events(0)
        assert opened.is_open
    with pytest.raises(ProbableAuthenticationError), channel(first["connection_url"]):
        pass
    for url in urls:
        with channel(url):
            pass


def test_containers_are_records(api: Api) -> None:
    """A registered one is shown; a build has failed at once, and says why."""
    image = {"name": "c", "type": "docker", "location": "image:tag"}
    known = api("register_container", image)["container_id"]
    shown = api("get_container", container_uuid=known, container_type="docker")["container"]
    assert (shown["location"], shown["build_status"]) == ("image:tag", "provided")
    code = api.refused(404, "get_container", container_uuid=known, container_type="singularity")
    assert code == "CONTAINER_NOT_FOUND"
    wish = {"name": "b", "apt": [], "pip": ["numpy"], "conda": []}
    built = api("build_container", wish)["container_id"]
    assert api("get_container_build", container_uuid=built)["status"] == "failed"
    failed = api("get_container", container_uuid=built, container_type="docker")["container"]
    assert failed["err_message"]


def test_paths_that_lead_nowhere_have_the_error_body_too(service: LocalService) -> None:
    """Unknown paths, a slash too many, and methods that an operation does not have."""
    for method, path, status in (
        ("GET", "/", 404),
        ("GET", "/v2/version/", 404),
        ("GET", "/v4/endpoints", 404),
        ("DELETE", "/v2/version", 405),
    ):
        response = httpx.request(method, service.url + path, timeout=30)
        assert response.status_code == status
        assert response.json()["http_status_code"] == status
