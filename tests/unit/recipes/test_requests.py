"""Each method makes the requests of the official client.

Method, path, query and body were recorded from ``globus-compute-sdk`` 4.19.0 against a server on
loopback, with the same arguments; the Python's version is that of the machine.
"""

from __future__ import annotations

import json
import platform
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gcompute import Client
from gcompute.serialize import JSONData, PureSourceTextInspect
from tests.support.both_clients import Connect
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    GROUP_ID,
    TASK_ID,
    Answer,
    ScriptedService,
)

Request = tuple[str, str, Any]

CODE = '81\nst\ndouble:def double(x: int) -> int:\n    """Double a number."""\n    return 2 * x\n'
META = {"python_version": platform.python_version(), "sdk_version": "4.19.0"}
VERSION: Request = ("GET", "/v2/version?service=all", None)
ENDPOINT = f"/v2/endpoints/{ENDPOINT_ID}"
ENDPOINT_3 = f"/v3/endpoints/{ENDPOINT_ID}"


def double(x: int) -> int:
    """Double a number."""
    return 2 * x


def _function(**more: Any) -> Request:
    body = {
        "function_name": "double",
        "function_code": CODE,
        "serialized": True,
        "meta": META | {"serde_identifier": "st"},
        "description": "Double a number.",
    }
    return ("POST", "/v3/functions", body | more)


def _source(**more: Any) -> Request:
    # The official client leaves serde_identifier out; docs/wire.md has it.
    body = {
        "function_name": "f",
        "function_code": "def f(): return 1",
        "serialized": False,
        "meta": META | {"serde_identifier": "st"},
    }
    return ("POST", "/v3/functions", body | more)


def _batch_run(client: Client) -> Any:
    batch = client.create_batch(
        GROUP_ID,
        {"num_nodes": 2},
        {"account": "x"},
        True,
        ["globus_compute_sdk.serialize.JSONData"],
    )
    batch.add(FUNCTION_ID, (1,))
    batch.add(FUNCTION_ID, (2,), {"y": 3})
    return client.batch_run(ENDPOINT_ID, batch)


CALLS: dict[str, tuple[Callable[[Client], Any], list[Request]]] = {
    "version_check": (lambda c: c.version_check(), [VERSION]),
    "register_function": (lambda c: c.register_function(double), [_function()]),
    "register_function, shared": (
        lambda c: c.register_function(double, "twice", None, True, GROUP_ID),
        [_function(description="twice", public=True, group=GROUP_ID)],
    ),
    "register_function, group as UUID": (
        lambda c: c.register_function(double, group=uuid.UUID(GROUP_ID)),
        [_function(group=GROUP_ID)],
    ),
    "register_function, high assurance": (
        lambda c: c.register_function(double, ha_endpoint_id=ENDPOINT_ID),
        [_function(ha_endpoint_id=ENDPOINT_ID)],
    ),
    "register_source_code": (
        lambda c: c.register_source_code("def f(): return 1", "f", description="one"),
        [_source(description="one")],
    ),
    "register_source_code, metadata": (
        lambda c: c.register_source_code(
            "def f(): return 1",
            "f",
            metadata={"python_version": "3.9.1", "sdk_version": "1.0"},
            public=True,
        ),
        [
            _source(
                meta={"python_version": "3.9.1", "sdk_version": "1.0", "serde_identifier": "st"},
                public=True,
            )
        ],
    ),
    "get_function": (
        lambda c: c.get_function(FUNCTION_ID),
        [("GET", f"/v2/functions/{FUNCTION_ID}", None)],
    ),
    "delete_function": (
        lambda c: c.delete_function(FUNCTION_ID),
        [("DELETE", f"/v2/functions/{FUNCTION_ID}", None)],
    ),
    "run": (
        lambda c: c.run(1, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID, y=2),
        [
            (
                "POST",
                f"{ENDPOINT_3}/submit",
                {"create_queue": False, "tasks": {FUNCTION_ID: ['6\n11\n[1]11\n11\n{"y": 2}']}},
            )
        ],
    ),
    "batch_run": (
        _batch_run,
        [
            (
                "POST",
                f"{ENDPOINT_3}/submit",
                {
                    "create_queue": True,
                    "tasks": {FUNCTION_ID: ["6\n11\n[1]5\n11\n{}", '6\n11\n[2]11\n11\n{"y": 3}']},
                    "task_group_id": GROUP_ID,
                    "resource_specification": {"num_nodes": 2},
                    "user_endpoint_config": {"account": "x"},
                    "result_serializers": ["globus_compute_sdk.serialize.JSONData"],
                },
            )
        ],
    ),
    "get_task": (lambda c: c.get_task(TASK_ID), [("GET", f"/v2/tasks/{TASK_ID}", None)]),
    "get_batch_result": (
        lambda c: c.get_batch_result([TASK_ID]),
        [("POST", "/v2/batch_status", {"task_ids": [TASK_ID]})],
    ),
    "register_endpoint": (
        lambda c: c.register_endpoint("ep", None),
        [VERSION, ("POST", "/v3/endpoints", {"endpoint_name": "ep"})],
    ),
    "register_endpoint, everything": (
        lambda c: c.register_endpoint(
            "ep",
            None,
            {"endpoint_version": "4.19.0"},
            True,
            "Display",
            [uuid.UUID(FUNCTION_ID)],
            GROUP_ID,
            uuid.UUID(GROUP_ID),
            False,
            False,
            (TASK_ID,),
        ),
        [
            VERSION,
            (
                "POST",
                "/v3/endpoints",
                {
                    "endpoint_name": "ep",
                    "display_name": "Display",
                    "multi_user": True,
                    "metadata": {"endpoint_version": "4.19.0"},
                    "allowed_functions": [FUNCTION_ID],
                    "authentication_policy": GROUP_ID,
                    "subscription_uuid": GROUP_ID,
                    "public": False,
                    "high_assurance": False,
                    "admins": [TASK_ID],
                },
            ),
        ],
    ),
    "register_endpoint, update": (
        lambda c: c.register_endpoint(
            "ep", ENDPOINT_ID, {}, False, allowed_functions=[], public=True, high_assurance=True
        ),
        [
            VERSION,
            (
                "PUT",
                ENDPOINT_3,
                {"endpoint_name": "ep", "public": True, "high_assurance": True},
            ),
        ],
    ),
    "get_endpoint_status": (
        lambda c: c.get_endpoint_status(ENDPOINT_ID),
        [("GET", f"{ENDPOINT}/status", None)],
    ),
    "get_endpoint_metadata": (
        lambda c: c.get_endpoint_metadata(uuid.UUID(ENDPOINT_ID)),
        [("GET", ENDPOINT, None)],
    ),
    "get_endpoints": (lambda c: c.get_endpoints(), [("GET", "/v2/endpoints", None)]),
    "get_endpoints, any": (
        lambda c: c.get_endpoints("any"),
        [("GET", "/v2/endpoints?role=any", None)],
    ),
    "get_allowed_functions": (
        lambda c: c.get_allowed_functions(ENDPOINT_ID),
        [("GET", f"{ENDPOINT_3}/allowed_functions", None)],
    ),
    "stop_endpoint": (
        lambda c: c.stop_endpoint(ENDPOINT_ID),
        [("POST", f"{ENDPOINT_3}/lock", None)],
    ),
    "delete_endpoint": (lambda c: c.delete_endpoint(ENDPOINT_ID), [("DELETE", ENDPOINT, None)]),
    "get_result_amqp_url": (
        lambda c: c.get_result_amqp_url(),
        [("GET", "/v2/get_amqp_result_connection_url", None)],
    ),
}


class _Obliging(ScriptedService):
    """Answers everything with what every method finds its own in."""

    ANSWER: dict[str, Any] = {  # noqa: RUF012 - never changed
        "function_uuid": FUNCTION_ID,
        "tasks": {FUNCTION_ID: [TASK_ID]},
        "task_group_id": GROUP_ID,
        "results": {},
        "status": "waiting-for-ep",
    }

    def _answer(self, request: httpx.Request) -> httpx.Response:
        listed = request.url.path == "/v2/endpoints"
        answer: Answer = [] if listed else self.ANSWER
        self.routes[request.method, request.url.path] = answer
        return super()._answer(request)


def _made(service: ScriptedService) -> list[Request]:
    """What was requested, without the description of this machine."""
    made = []
    for request in service.requests:
        body: Any = json.loads(request.content) if request.content else None
        if body is not None:
            assert request.headers["Content-Type"] == "application/json"
        if request.url.path.endswith("/submit"):
            runtime = body.pop("user_runtime")
            assert runtime["globus_compute_sdk_version"] == "4.19.0"
            assert set(runtime["python"]) | set(runtime["platform"]) == RUNTIME_FIELDS
        made.append((request.method, request.url.raw_path.decode(), body))
    return made


RUNTIME_FIELDS = {
    "version",
    "version_description",
    "version_tuple",
    "version_info",
    "implementation",
    "compiler",
    "architecture",
    "machine",
    "node",
    "platform",
    "processor",
    "release",
}


@pytest.mark.parametrize("name", CALLS)
def test_a_method_makes_the_requests_of_the_official_client(name: str, connect: Connect) -> None:
    """Method, path, query and body, on both clients."""
    call, expected = CALLS[name]
    service = _Obliging()
    client = connect(
        service,
        code_serialization_strategy=PureSourceTextInspect(),
        data_serialization_strategy=JSONData(),
    )
    call(client)
    assert _made(service) == expected


def test_the_hardware_report_is_registered_and_run(connect: Connect) -> None:
    """One registration, one submit of it without arguments."""
    service = _Obliging()
    assert connect(service).get_worker_hardware_details(ENDPOINT_ID) == TASK_ID
    (method, path, body), (submit, where, request) = _made(service)
    assert (method, path) == ("POST", "/v3/functions")
    assert body["function_name"]
    assert (submit, where) == ("POST", f"{ENDPOINT_3}/submit")
    assert list(request["tasks"]) == [FUNCTION_ID]


def test_a_task_group_is_asked_for(connect: Connect) -> None:
    """``get_task_group`` has no twin in the official client."""
    service = _Obliging()
    connect(service).get_task_group(uuid.UUID(GROUP_ID))
    assert _made(service) == [("GET", f"/v2/taskgroup/{GROUP_ID}", None)]
