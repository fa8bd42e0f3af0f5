"""Endpoints that start endpoints, and several users: whose are those that they start?"""

from __future__ import annotations

import json
from typing import Any

import pika.exceptions
import pytest

from tests.scenarios.service.api import Api, payload
from tests.scenarios.service.queues import channel, receive

MANAGER = {"endpoint_name": "manager", "metadata": {}, "multi_user": True}
FORBIDDEN = "ENDPOINT_ACCESS_FORBIDDEN"


def _command(manager: dict[str, Any]) -> dict[str, Any]:
    info = manager["command_queue_info"]
    with channel(info["connection_url"]) as opened:
        ((_, body),) = receive(opened, info["queue"])
    command: dict[str, Any] = json.loads(body)
    return command


def _waiting(manager: dict[str, Any]) -> int:
    info = manager["command_queue_info"]
    with channel(info["connection_url"]) as opened:
        count: int = opened.queue_declare(info["queue"], passive=True).method.message_count
        return count


def test_a_public_one_serves_everybody_with_endpoints_of_their_own(api: Api, bob: Api) -> None:
    """What bob has started is bob's; a private one serves its owner."""
    private = api("register_endpoint", MANAGER)["endpoint_id"]
    tasks = {"tasks": {bob.function(): [payload(1)]}}
    assert bob.refused(403, "submit", tasks, endpoint_uuid=private) == FORBIDDEN
    manager = api("register_endpoint", MANAGER | {"public": True})
    bob("submit", tasks, endpoint_uuid=manager["endpoint_id"])
    command = _command(manager)
    assert command["globus_username"] == "bob"
    started = command["kwargs"]["amqp_creds"]["endpoint_id"]
    assert bob("get_endpoint_status", endpoint_uuid=started)["status"] == "offline"
    assert bob.refused(403, "lock_endpoint", endpoint_uuid=manager["endpoint_id"]) == FORBIDDEN


def test_each_user_has_his_own(api: Api, bob: Api) -> None:
    """The same configuration of two users makes two, and neither is the other's."""
    manager = bob("register_endpoint", MANAGER | {"public": True})
    hers, his = (
        _submitted(user, manager)["kwargs"]["amqp_creds"]["endpoint_id"] for user in (api, bob)
    )
    assert hers != his
    assert api("get_endpoint", endpoint_uuid=hers)
    assert api.refused(403, "get_endpoint", endpoint_uuid=his) == FORBIDDEN


def _submitted(user: Api, manager: dict[str, Any]) -> dict[str, Any]:
    user.submit(manager["endpoint_id"], user.function(), 1)
    return _command(manager)


def test_nobody_takes_the_id_of_one_or_says_that_his_is_one(api: Api, bob: Api) -> None:
    """Neither gets him tasks of others, nor a place at a manager that is not for him."""
    manager = api("register_endpoint", MANAGER)
    hers = _submitted(api, manager)["kwargs"]["amqp_creds"]["endpoint_id"]
    body = {"endpoint_name": "taken", "endpoint_uuid": hers}
    assert bob.refused(403, "register_endpoint_v2", body) == FORBIDDEN
    pretended = {"manager": manager["endpoint_id"], "user_endpoint_config": {}, "user_runtime": {}}
    mine = bob.endpoint(**pretended)
    bob.submit(mine, bob.function(), 1)
    assert _waiting(manager) == 0
    console = api("get_endpoint_console", endpoint_uuid=manager["endpoint_id"])["user_endpoints"]
    assert [entry["user_endpoint_id"] for entry in console] == [hers]


def test_a_lock_cuts_off_what_was_started(api: Api) -> None:
    """And what is submitted then waits: it gets nobody in again."""
    manager = api("register_endpoint", MANAGER)
    url = _submitted(api, manager)["kwargs"]["amqp_creds"]["task_queue_info"]["connection_url"]
    with channel(url) as opened:
        api("lock_endpoint", endpoint_uuid=manager["endpoint_id"])
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
            opened.connection.process_data_events(20)
    function = api.function()
    (task,) = api.submit(manager["endpoint_id"], function, 1)["tasks"][function]
    assert api("get_task", task_uuid=task)["status"] in ("received", "waiting-for-ep")
    with pytest.raises(pika.exceptions.ProbableAuthenticationError), channel(url):
        pass
