"""The five usage patterns of document 000 of the reference, on the local service.

Each test is the pattern as it is printed, with a real endpoint for its placeholders, and waiting
in place of sleeping. What else differs is marked ``corrected``: document 000 is simplified where
the wire is meant, and there the wire counts (the reference's README).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import globus_sdk
import pika
import pytest

from gcompute import ComputeClientV3, messages
from gcompute.local import LocalService
from gcompute.serialize import ComputeSerializer
from tests.scenarios.waiting import eventually

#: corrected: document 000 has "SUCCESS" and "FAILED"; on the wire states are lower case.
SUCCESS, FAILED = "success", "failed"


@pytest.fixture
def compute_client(service: LocalService) -> Iterator[ComputeClientV3]:
    """A client as the patterns make it: with an authorizer."""
    authorizer = globus_sdk.AccessTokenAuthorizer(service.token)
    with ComputeClientV3(
        authorizer=authorizer, base_url=service.url, request_limit=None
    ) as compute_client:
        yield compute_client


def _serialize_function(function: Any) -> str:
    """Serialize as the pattern says, "use appropriate serialization"."""
    return ComputeSerializer().serialize(function)


def _hello_world_function(compute_client: ComputeClientV3) -> str:
    def hello_world(name: str) -> str:
        return f"Hello, {name}!"

    function_data = {
        "function_name": "hello_world",
        "function_code": _serialize_function(hello_world),
        "description": "Simple greeting function",
        "public": True,
    }
    func_response = compute_client.register_function(function_data)
    function_uuid: str = func_response["function_uuid"]
    return function_uuid


def _finished(compute_client: ComputeClientV3, task_uuid: str) -> dict[str, Any]:
    """Monitor a task as the first pattern does, until it is finished."""
    seen: list[dict[str, Any]] = []

    def monitor() -> bool:
        task_info = compute_client.get_task(task_uuid)
        status = task_info["status"]
        if status in (SUCCESS, FAILED):
            seen.append(task_info.data)
            return True
        return False

    eventually(monitor)
    return seen[0]


def test_basic_function_execution(compute_client: ComputeClientV3, service: LocalService) -> None:
    """Register a function, submit a task, and ask until its result is there."""
    function_uuid = _hello_world_function(compute_client)

    task_response = compute_client.submit_task(
        endpoint_uuid=service.endpoint_id, function_uuid=function_uuid, function_args=["World"]
    )
    task_uuid = task_response["task_uuid"]

    task_info = _finished(compute_client, task_uuid)
    assert task_info["status"] == SUCCESS, task_info.get("error")
    result = task_info["result"]
    # corrected: a result is serialized on the wire.
    assert compute_client.serializer.deserialize(result) == "Hello, World!"


def test_a_failed_task_says_why(compute_client: ComputeClientV3, service: LocalService) -> None:
    """The other branch of the first pattern: the task's error."""
    function_uuid = _hello_world_function(compute_client)
    task_response = compute_client.submit_task(service.endpoint_id, function_uuid, [1, 2, 3])
    task_info = _finished(compute_client, task_response["task_uuid"])
    assert task_info["status"] == FAILED
    # corrected: "exception" on the wire, where document 000 reads "error".
    assert "TypeError" in task_info["exception"]


def test_batch_task_processing(compute_client: ComputeClientV3, service: LocalService) -> None:
    """Submit ten tasks in one request, and ask for all of them in one."""
    function_uuid = _hello_world_function(compute_client)

    batch_data = {
        "tasks": [
            {
                "endpoint": service.endpoint_id,
                "function": function_uuid,
                "args": [f"User {i}"],
                "kwargs": {},
            }
            for i in range(10)
        ]
    }
    batch_response = compute_client.submit(batch_data)
    task_ids = batch_response["task_uuids"]
    assert len(set(task_ids)) == 10

    def all_completed() -> bool:
        batch_status = compute_client.get_task_batch(task_ids)
        # corrected: "results" has the tasks by their ids on the wire.
        completed = sum(
            1 for task in batch_status["results"].values() if task["status"] in [SUCCESS, FAILED]
        )
        return completed == len(task_ids)

    eventually(all_completed)

    greetings = {}
    batch_status = compute_client.get_task_batch(task_ids)
    for task_info in batch_status["results"].values():
        if task_info["status"] == SUCCESS:
            result = compute_client.serializer.deserialize(task_info["result"])
            greetings[task_info["task_uuid"]] = result
    assert [greetings[task_id] for task_id in task_ids] == [f"Hello, User {i}!" for i in range(10)]


def test_endpoint_management(compute_client: ComputeClientV3) -> None:
    """Register an endpoint, look at its status, and change two things about it."""
    function_uuid = _hello_world_function(compute_client)

    endpoint_config = {
        "endpoint_name": "my-compute-endpoint",
        "description": "Personal compute endpoint",
        "public": False,
        "allowed_functions": [function_uuid],
    }
    endpoint_response = compute_client.register_endpoint(endpoint_config)
    endpoint_uuid = endpoint_response["endpoint_uuid"]

    status = compute_client.get_endpoint_status(endpoint_uuid)
    assert status["status"] == "offline"
    assert status.get("outstanding_tasks", 0) == 0

    update_data = {"description": "Updated description", "public": True}
    # An update replaces the registration: the rest is read and sent again, which is said.
    with pytest.warns(UserWarning, match="authentication_policy and admins") as caught:
        compute_client.update_endpoint(endpoint_uuid, update_data)
    assert [warning.filename for warning in caught] == [__file__]

    endpoint = compute_client.get_endpoint(endpoint_uuid)
    assert (endpoint["description"], endpoint["public"]) == ("Updated description", True)
    assert endpoint["name"] == "my-compute-endpoint"
    allowlist = compute_client.get_endpoint_allowlist(endpoint_uuid)
    assert (allowlist["restricted"], allowlist["functions"]) == (True, [function_uuid])


def test_function_with_dependencies(compute_client: ComputeClientV3, service: LocalService) -> None:
    """Register source that imports numpy and pandas where it runs."""
    function_code = """
def process_data(data_list):
    import numpy as np
    import pandas as pd
    # Process data using scientific libraries
    arr = np.array(data_list)
    df = pd.DataFrame({'values': arr})
    return df.describe().to_dict()
"""
    function_data = {
        "function_name": "process_data",
        "function_code": function_code,
        "description": "Data processing with scientific libraries",
        "container_uuid": "container-with-scipy",  # Pre-configured container
        "resource_requirements": {"num_cores": 2, "memory_per_core": "2GB"},
    }
    # The service has no place for the last two, which is said.
    with pytest.warns(UserWarning, match="is ignored") as caught:
        func_response = compute_client.register_function(function_data)
    assert [warning.filename for warning in caught] == [__file__, __file__]
    function_uuid = func_response["function_uuid"]

    task_response = compute_client.submit_task(
        endpoint_uuid=service.endpoint_id,
        function_uuid=function_uuid,
        function_args=[[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    )

    task_info = _finished(compute_client, task_response["task_uuid"])
    assert task_info["status"] == SUCCESS, task_info["exception"]
    described = compute_client.serializer.deserialize(task_info["result"])
    assert (described["values"]["count"], described["values"]["mean"]) == (10, 5.5)


def test_real_time_results_with_amqp(
    compute_client: ComputeClientV3, service: LocalService
) -> None:
    """Consume results from the queue as they arrive."""
    function_uuid = _hello_world_function(compute_client)
    # The pattern submits nothing. A queue is there once a submit has asked for it.
    task_response = compute_client.submit_task(
        service.endpoint_id, function_uuid, ["World"], create_queue=True
    )

    amqp_response = compute_client.get_result_amqp_url()
    # corrected: "connection_url", where document 000 has "amqp_url".
    amqp_url = amqp_response["connection_url"]

    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    completed = {}

    def on_result(ch: Any, method: Any, properties: Any, body: bytes) -> None:
        # corrected: a message has a version byte before its JSON, and no status but
        # error_details where the task failed.
        result_data = messages.decode(body)
        assert isinstance(result_data, messages.ResultMessage)
        assert result_data.error_details is None
        completed[result_data.task_id] = result_data.data
        ch.stop_consuming()

    # corrected: the queue is that of the task group, where document 000 has "task_results".
    queue = amqp_response["queue_prefix"] + task_response["task_group_id"]
    channel.basic_consume(queue=queue, on_message_callback=on_result, auto_ack=True)
    connection.call_later(30, channel.stop_consuming)  # of the test: not to wait for ever
    channel.start_consuming()
    connection.close()

    serialized = completed[task_response["task_uuid"]]
    assert compute_client.serializer.deserialize(serialized) == "Hello, World!"
