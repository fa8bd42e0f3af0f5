"""Endpoints that start endpoints: the test is their agent, and those of the user endpoints."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from gcompute.messages import ResultMessage, StatusReport, TaskMessage, decode
from tests.scenarios.service.api import SERIALIZER, Api, payload
from tests.scenarios.service.queues import channel, publish, receive
from tests.scenarios.waiting import eventually

TEMPLATE = {"metadata": {"user_config_template": "engine: {type: ThreadPoolEngine}"}}
MANAGERS = {"many users": {"metadata": {}, "multi_user": True}, "a template": TEMPLATE}


def _register(api: Api, **registration: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api(
        "register_endpoint", {"endpoint_name": "manager"} | TEMPLATE | registration
    )
    return answer


def _commands(manager: dict[str, Any], count: int = 1) -> list[tuple[Any, dict[str, Any]]]:
    """Take commands as a manager's agent does: properties and what is in them."""
    info = manager["command_queue_info"]
    with channel(info["connection_url"]) as opened:
        return [
            (properties, json.loads(body))
            for properties, body in receive(opened, info["queue"], count)
        ]


def _status(api: Api, task_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = api("get_task", task_uuid=task_id)
    return answer


@pytest.mark.parametrize("registration", MANAGERS.values(), ids=MANAGERS)
def test_a_submit_has_a_user_endpoint_started(api: Api, registration: dict[str, Any]) -> None:
    """With all that its agent needs to run the task that waits for it."""
    manager = _register(api, **registration)
    runtime = {"globus_compute_sdk_version": "4.19.0", "python": {"version": "3.11.7"}}
    submitted = api.submit(
        manager["endpoint_id"],
        api.function(),
        -7,
        user_endpoint_config={"workers": 3},
        user_runtime=runtime,
    )
    assert submitted["endpoint_id"] == manager["endpoint_id"]
    ((properties, command),) = _commands(manager)
    assert properties.content_type == "application/json"
    assert abs(properties.timestamp - time.time()) < 60
    assert command["command"] == "cmd_start_endpoint"
    assert command["globus_identity_set"] == [{"sub": command["globus_effective_identity"]}]
    assert command["globus_username"]
    asked = command["kwargs"]
    assert (asked["user_opts"], asked["user_runtime"]) == ({"workers": 3}, runtime)
    assert manager["endpoint_id"] in asked["name"]

    credentials = asked["amqp_creds"]
    queue = credentials["task_queue_info"]
    ((task_id,),) = submitted["tasks"].values()
    with channel(queue["connection_url"]) as opened:
        ((_, body),) = receive(opened, queue["queue"])
        task = decode(body)
        assert isinstance(task, TaskMessage)
        assert task.task_id == task_id
        result = ResultMessage(task_id=task_id, data=SERIALIZER.serialize(7))
        publish(opened, credentials["result_queue_info"], result)
    eventually(lambda: _status(api, task_id)["status"] == "success")


def test_there_is_one_for_each_configuration(api: Api) -> None:
    """They are no endpoints of a user's own, and the manager's console shows them."""
    manager = _register(api)
    endpoint_id, function = manager["endpoint_id"], api.function()
    for configuration in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2}, {}):
        api.submit(endpoint_id, function, 1, user_endpoint_config=configuration)
    api.submit(endpoint_id, function, 1)
    names = [command["kwargs"]["name"] for _, command in _commands(manager, 5)]
    assert names[0] == names[1]
    assert names[3] == names[4]
    assert len(set(names)) == 3
    console = api("get_endpoint_console", endpoint_uuid=endpoint_id)["user_endpoints"]
    assert {entry["queued_task_count"] for entry in console} == {1, 2}
    started = {entry["user_endpoint_id"] for entry in console}
    assert started == {name.rpartition(".")[2] for name in names}
    listed = {known["uuid"] for known in api("get_endpoints")}
    assert endpoint_id in listed
    assert not started & listed
    one = next(iter(started))
    (shown,) = api(
        "get_endpoint_console", endpoint_uuid=endpoint_id, query={"user_endpoint_id": one}
    )["user_endpoints"]
    assert shown["user_endpoint_id"] == one


def test_what_cannot_start_fails_its_tasks(api: Api) -> None:
    """With the reason that the manager's agent gives."""
    manager = _register(api)
    submitted = api.submit(manager["endpoint_id"], api.function(), 1)
    ((_, command),) = _commands(manager)
    credentials = command["kwargs"]["amqp_creds"]
    info = credentials["heartbeat_queue_info"]
    report = StatusReport(
        endpoint_id=credentials["endpoint_id"],
        global_state={"error": "the template lacks a value", "heartbeat_period": 3},
        task_statuses={},
    )
    with channel(info["connection_url"]) as opened:
        publish(opened, info, report)
    ((task_id,),) = submitted["tasks"].values()
    eventually(lambda: _status(api, task_id)["status"] == "failed")
    assert "the template lacks a value" in _status(api, task_id)["exception"]


def test_a_manager_that_comes_back_gets_commands_for_what_waits(api: Api) -> None:
    """Fresh ones, as it ignores old ones; and none for user endpoints without tasks."""
    manager = _register(api)
    endpoint_id, function = manager["endpoint_id"], api.function()
    for _ in range(3):
        api.submit(endpoint_id, function, 1, user_endpoint_config={"who": "waits"})
    again = api(
        "update_endpoint", {"endpoint_name": "manager"} | TEMPLATE, endpoint_uuid=endpoint_id
    )
    api.submit(endpoint_id, function, 1, user_endpoint_config={"who": "came later"})
    commands = _commands(again, 2)
    assert [command["kwargs"]["user_opts"]["who"] for _, command in commands] == [
        "waits",
        "came later",
    ]


def test_user_endpoints_go_with_their_manager(api: Api) -> None:
    """And with them the tasks that nobody will run."""
    manager = _register(api)
    submitted = api.submit(manager["endpoint_id"], api.function(), 1)
    ((_, command),) = _commands(manager)
    user_endpoint = command["kwargs"]["amqp_creds"]["endpoint_id"]
    assert uuid.UUID(user_endpoint)
    api("delete_endpoint", endpoint_uuid=manager["endpoint_id"])
    ((task_id,),) = submitted["tasks"].values()
    assert _status(api, task_id)["status"] == "failed"
    assert api.refused(404, "get_endpoint_status", endpoint_uuid=user_endpoint)


def test_the_older_submit_starts_them_too(api: Api) -> None:
    """With the template's defaults, as it has no configuration."""
    manager = _register(api)
    function = api.function()
    api.submit(manager["endpoint_id"], function, 1)
    ((_, first),) = _commands(manager)
    api("submit_v2", {"tasks": [[function, manager["endpoint_id"], payload(1)]]})
    ((_, second),) = _commands(manager)
    assert second["kwargs"]["name"] == first["kwargs"]["name"]
    assert second["kwargs"]["user_opts"] == {}
