"""Every method of the client, on the local service."""

from __future__ import annotations

import functools
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from gcompute import Client, TaskExecutionFailed
from gcompute.errors import NotFound, PermissionDenied, RequestInvalid
from gcompute.local import LocalService
from gcompute.serialize import ComputeSerializer, unpack_buffers

#: Seconds in which a task must have ended.
SOON = 40.0


# A function of a module is sent by reference, and the worker has no tests; one that is made
# inside another is sent by value, as those of a script are.
def _adding() -> Callable[[int, int], int]:
    def add(x: int, y: int = 1) -> int:
        """Add two numbers."""
        return x + y

    return add


def _calling() -> Any:
    class Scale:
        def __init__(self, factor: int) -> None:
            self.factor = factor

        def __call__(self, x: int) -> int:
            return self.factor * x

    return Scale(3)


def _result(client: Client, task_id: str) -> Any:
    state = client.wait([task_id], timeout=SOON)[task_id]
    assert not state["pending"], state
    return state["result"]


def _run(client: Client, service: LocalService, function_id: str, *args: Any) -> Any:
    task_id = client.run(*args, endpoint_id=service.endpoint_id, function_id=function_id)
    return _result(client, task_id)


@pytest.fixture
def endpoint(client: Client) -> str:
    """A registered endpoint that nothing runs on."""
    return str(client.register_endpoint("spare", None)["endpoint_id"])


def test_versions(client: Client) -> None:
    """The client and a present endpoint are accepted."""
    client.version_check()
    client.version_check("4.19.0")


@pytest.mark.parametrize(
    ("make", "args", "expected"),
    [
        (_adding, (1, 2), 3),
        (lambda: functools.partial(_adding(), 10), (1,), 11),
        (_calling, (2,), 6),
        (lambda: lambda: 7, (), 7),
    ],
    ids=["function", "partial", "callable object", "lambda"],
)
def test_callables_of_all_kinds_run(
    make: Callable[[], Callable[..., Any]],
    args: tuple[Any, ...],
    expected: int,
    client: Client,
    service: LocalService,
) -> None:
    """Also those that have no name."""
    function_id = client.register_function(make())
    assert _run(client, service, function_id, *args) == expected


def test_a_function_is_described_and_deleted(client: Client, service: LocalService) -> None:
    """Name, description, metadata and code come back; after deletion it is not found."""
    function_id = client.register_function(
        _adding(), description="sum", metadata={"python_version": "3.11.0"}
    )
    found = client.get_function(uuid.UUID(function_id))
    assert found["function_uuid"] == function_id
    assert found["function_name"] == "add"
    assert found["description"] == "sum"
    assert found["metadata"]["python_version"] == "3.11.0"
    (code,) = unpack_buffers(found["function_code"])
    assert ComputeSerializer().deserialize(code)(1, 2) == 3

    client.delete_function(function_id)
    with pytest.raises(NotFound, match=function_id):
        client.get_function(function_id)
    with pytest.raises(NotFound, match=function_id):
        client.run(endpoint_id=service.endpoint_id, function_id=function_id)


def test_source_code_runs(client: Client, service: LocalService) -> None:
    """Several functions in one source; the one that is named is called."""
    source = "def helper(x):\n    return x * 2\n\ndef main(x):\n    return helper(x) + 1\n"
    function_id = client.register_source_code(source, "main", description="from source")
    assert _run(client, service, function_id, 4) == 9
    assert client.get_function(function_id)["function_name"] == "main"


def test_source_code_that_is_wrong_fails_where_it_runs(
    client: Client, service: LocalService
) -> None:
    """The endpoint's error says what is wrong with it."""
    function_id = client.register_source_code("def main(:\n", "main")
    task_id = client.run(endpoint_id=service.endpoint_id, function_id=function_id)
    state = client.wait([task_id], timeout=SOON)[task_id]
    assert isinstance(state["exception"], TaskExecutionFailed)
    assert "SyntaxError" in str(state["exception"])


def test_a_batch_with_everything(client: Client, service: LocalService) -> None:
    """A task group of one's own, a result queue, and strategies for the results."""
    function_id = client.register_function(_adding())
    first = client.create_batch(
        create_websocket_queue=True,
        result_serializers=["globus_compute_sdk.serialize.concretes.JSONData"],
    )
    first.add(function_id, (1,))
    answer = client.batch_run(service.endpoint_id, first)
    assert answer["endpoint_id"] == service.endpoint_id
    assert answer["request_id"]
    again = client.create_batch(task_group_id=answer["task_group_id"])
    again.add(uuid.UUID(function_id), kwargs={"x": 5, "y": 5})
    other = client.batch_run(uuid.UUID(service.endpoint_id), again)
    assert other["task_group_id"] == answer["task_group_id"]

    ids = [*answer["tasks"][function_id], *other["tasks"][function_id]]
    group = client.get_task_group(answer["task_group_id"])
    assert group["taskgroup_id"] == answer["task_group_id"]
    assert [task["id"] for task in group["tasks"]] == ids
    states = client.wait(ids, timeout=SOON)
    assert [states[task_id]["result"] for task_id in ids] == [2, 10]


def test_a_specification_that_does_not_fit_is_named(client: Client, service: LocalService) -> None:
    """Before it is sent: the service would not know it either."""
    batch = client.create_batch(resource_specification={"num_ranks": 2})
    batch.add(client.register_function(_adding()), (1,))
    with pytest.raises(ValueError, match=r"resource_specification.*num_nodes"):
        client.batch_run(service.endpoint_id, batch)


def test_the_older_batch_style(client: Client, service: LocalService) -> None:
    """The example of the older guide: a list of ids, in order, and what to write in its place."""
    function_id = client.register_function(_adding())
    batch = client.create_batch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for x in range(5):
            batch.add(x, endpoint_id=service.endpoint_id, function_id=function_id)
    with pytest.warns(DeprecationWarning, match="batch_run"):
        ids = client.batch_run(batch)
    states = client.wait(ids, timeout=SOON)
    assert [states[task_id]["result"] for task_id in ids] == [1, 2, 3, 4, 5]


def test_waiting_has_an_end(client: Client, service: LocalService) -> None:
    """A timeout leaves what runs pending; a failed and an unknown task count as finished."""

    def hold(path: str) -> None:
        import pathlib
        import time

        while not pathlib.Path(path).exists():
            time.sleep(0.01)

    def fail() -> None:
        raise ValueError("so it goes")

    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        go_on = Path(folder) / "go on"
        held = client.run(
            str(go_on),
            endpoint_id=service.endpoint_id,
            function_id=client.register_function(hold),
        )
        failed = client.run(
            endpoint_id=service.endpoint_id, function_id=client.register_function(fail)
        )
        unknown = str(uuid.uuid4())
        assert client.wait([failed, unknown], timeout=SOON).keys() == {failed, unknown}
        states = client.wait([held, failed, unknown], timeout=0)
        assert [state["pending"] for state in states.values()] == [True, False, False]
        assert "so it goes" in str(states[failed]["exception"])
        assert "Unknown task id" in str(states[unknown]["exception"])
        go_on.touch()
        assert _result(client, held) is None


def test_endpoints_are_registered_updated_and_deleted(client: Client) -> None:
    """One's own, from the beginning to the end."""
    function_id = client.register_function(_adding())
    answer = client.register_endpoint(
        "mine",
        None,
        {"endpoint_version": "4.19.0", "hostname": "here"},
        display_name="My endpoint",
        allowed_functions=[uuid.UUID(function_id)],
    )
    endpoint_id = answer["endpoint_id"]
    assert {"task_queue_info", "result_queue_info", "heartbeat_queue_info"} <= answer.keys()
    assert client.get_allowed_functions(endpoint_id) == {
        "restricted": True,
        "functions": [function_id],
    } | {
        key: value
        for key, value in client.get_allowed_functions(endpoint_id).items()
        if key not in ("restricted", "functions")
    }
    found = client.get_endpoint_metadata(endpoint_id)
    assert found["name"] == "mine"
    assert found["display_name"] == "My endpoint"

    client.register_endpoint("renamed", uuid.UUID(endpoint_id), display_name="Other")
    assert client.get_endpoint_metadata(uuid.UUID(endpoint_id))["display_name"] == "Other"
    assert endpoint_id in [entry["uuid"] for entry in client.get_endpoints()]
    assert endpoint_id in [entry["uuid"] for entry in client.get_endpoints(role="any")]
    assert client.get_endpoint_status(endpoint_id)["status"] == "offline"

    client.delete_endpoint(endpoint_id)
    for ask in (client.get_endpoint_metadata, client.get_endpoint_status):
        with pytest.raises(NotFound, match=endpoint_id):
            ask(endpoint_id)
    assert endpoint_id not in [entry["uuid"] for entry in client.get_endpoints()]


def test_an_endpoint_that_runs_is_online(client: Client, service: LocalService) -> None:
    """And says how busy it is."""
    status = client.get_endpoint_status(service.endpoint_id)
    assert status["status"] == "online"
    assert client.get_allowed_functions(service.endpoint_id)["restricted"] is False


def test_an_endpoint_is_stopped(client: Client, endpoint: str) -> None:
    """It is locked for a while, and cannot register again in that time."""
    answer = client.stop_endpoint(endpoint)
    assert answer["endpoint_id"] == endpoint
    assert float(answer["lock_expiration_timestamp"]) > 0


def test_a_function_that_is_not_allowed_is_refused(client: Client) -> None:
    """By the service, with the reason."""
    allowed, other = (client.register_function(_adding()) for _ in range(2))
    endpoint_id = client.register_endpoint("picky", None, allowed_functions=[allowed])[
        "endpoint_id"
    ]
    with pytest.raises((PermissionDenied, RequestInvalid), match=other):
        client.run(1, endpoint_id=endpoint_id, function_id=other)


def test_a_role_that_there_is_not_is_refused(client: Client) -> None:
    """With the roles that there are."""
    with pytest.raises(ValueError, match=r"role must be one of .*'owner'"):
        client.get_endpoints(role="nobody")


def test_the_hardware_of_a_worker(client: Client, service: LocalService) -> None:
    """A task whose result is text."""
    report = _result(client, client.get_worker_hardware_details(service.endpoint_id))
    assert isinstance(report, str)
    assert "CPU" in report.upper()


def test_access_to_the_result_queues(client: Client) -> None:
    """Fresh credentials each time."""
    first, second = client.get_result_amqp_url(), client.get_result_amqp_url()
    assert first["connection_url"].startswith("amqp")
    assert first["queue_prefix"] == second["queue_prefix"]


def test_nothing_warns_of_an_endpoint_like_this(client: Client, service: LocalService) -> None:
    """The endpoint runs this Python: the comparison before the first task is silent."""
    fresh = service.client()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _run(fresh, service, fresh.register_function(_adding()), 1) == 2
    assert fresh.serializer_for(service.endpoint_id).code_serializer is not None
    fresh.close()
