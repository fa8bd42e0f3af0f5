"""What the methods of a client give, key by key, as the reference documents it."""

from __future__ import annotations

import uuid

import pytest

from gcompute import Client, TaskExecutionFailed, TaskPending
from gcompute.errors import NotFound
from gcompute.local import LocalService


def _greet(name: str = "World") -> str:
    """Greet somebody."""
    return f"Hello, {name}!"


_SOURCE = """\
def greet(name):
    return f"Hello, {name}!"
"""


def test_every_method_gives_what_is_documented(client: Client, service: LocalService) -> None:
    """Texts, lists and plain dictionaries; ids may be given as text and as UUID."""
    function_id = client.register_source_code(_SOURCE, "greet", description="for people")
    assert str(uuid.UUID(function_id)) == function_id
    described = client.get_function(uuid.UUID(function_id))
    assert described["function_name"] == "greet"
    assert described["description"] == "for people"
    assert "Hello" in described["function_code"]

    endpoint_id = uuid.UUID(service.endpoint_id)
    task_id = client.run("Bob", endpoint_id=endpoint_id, function_id=uuid.UUID(function_id))
    assert str(uuid.UUID(task_id)) == task_id
    client.wait([uuid.UUID(task_id)], timeout=30)
    task = client.get_task(uuid.UUID(task_id))
    assert task["status"] == "success"
    assert client.get_result(uuid.UUID(task_id)) == task["result"] == "Hello, Bob!"

    batch = client.create_batch()
    batch.add(uuid.UUID(function_id), args=("Ada",))
    answer = client.batch_run(endpoint_id, batch)
    assert set(answer) == {"tasks", "request_id", "task_group_id", "endpoint_id"}
    assert answer["endpoint_id"] == service.endpoint_id
    assert [len(ids) for ids in answer["tasks"].values()] == [1]

    assert set(client.get_result_amqp_url()) == {"connection_url", "queue_prefix"}
    deleted = client.delete_function(function_id)
    assert isinstance(deleted, dict)
    with pytest.raises(NotFound):
        client.get_function(function_id)


def test_an_endpoints_life(client: Client) -> None:
    """Registered, found, described, updated, stopped, deleted."""
    allowed = client.register_function(_greet)
    registered = client.register_endpoint(
        "an-endpoint",
        None,
        metadata={"endpoint_version": "4.19.0", "hostname": "login03"},
        display_name="An endpoint",
        allowed_functions=[uuid.UUID(allowed)],
    )
    endpoint_id = registered["endpoint_id"]
    assert {"task_queue_info", "result_queue_info"} <= set(registered)
    assert client.get_endpoint_status(endpoint_id)["status"] == "offline"
    assert client.get_endpoint_metadata(endpoint_id)["display_name"] == "An endpoint"
    assert endpoint_id in [entry["uuid"] for entry in client.get_endpoints()]
    assert endpoint_id in [entry["uuid"] for entry in client.get_endpoints(role="any")]
    assert client.get_allowed_functions(endpoint_id)["functions"] == [allowed]

    again = client.register_endpoint("an-endpoint", uuid.UUID(endpoint_id), display_name="Renamed")
    assert again["endpoint_id"] == endpoint_id
    assert client.get_endpoint_metadata(endpoint_id)["display_name"] == "Renamed"

    assert client.stop_endpoint(endpoint_id)["endpoint_id"] == endpoint_id
    assert isinstance(client.delete_endpoint(endpoint_id), dict)
    with pytest.raises(NotFound):
        client.get_endpoint_status(endpoint_id)


def test_documented_errors(client: Client, service: LocalService) -> None:
    """A result that is not there yet, and a task that failed."""
    offline = client.register_endpoint("elsewhere", None)["endpoint_id"]
    function_id = client.register_function(_greet)
    with pytest.raises(TaskPending):
        client.get_result(client.run(endpoint_id=offline, function_id=function_id))
    wrong = client.run(1, 2, 3, endpoint_id=service.endpoint_id, function_id=function_id)
    client.wait([wrong], timeout=30)
    with pytest.raises(TaskExecutionFailed, match="positional argument"):
        client.get_result(wrong)
