"""What exists at a service under fuzz: one id of every kind, so that requests reach deep code.

A case names kinds, not ids, so that a campaign is the same whatever ids the service gives. Only
`World` knows the id that a kind has now; one that a request may have spoilt is made anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random
from typing import Any

import pika

from gcompute.messages import ErrorDetails, ResultMessage, encode
from tests.scenarios.service.api import Api, payload
from tests.scenarios.waiting import eventually

#: The kind that belongs to a parameter or field; others get an id of any kind.
_OF_NAME = {
    "endpoint_uuid": "endpoint",
    "function_uuid": "function",
    "task_uuid": "task",
    "task_ids": "task",
    "task_group_uuid": "group",
    "task_group_id": "group",
    "container_uuid": "container",
    "ha_endpoint_id": "high_assurance",
    "allowed_functions": "function",
}
#: Code, and arguments of a task, that can be unpacked.
_PACKED = payload(1)
#: Requests that may change what a kind is.
_SPOILING = frozenset(
    (
        "delete_endpoint",
        "delete_endpoint_v2",
        "delete_function",
        "lock_endpoint",
        "lock_endpoint_v2",
        "register_endpoint",
        "register_endpoint_v2",
        "update_endpoint",
        "submit",
        "submit_v2",
    )
)


class World:
    """The ids of a service, by kind."""

    def __init__(self, api: Api) -> None:
        self._api = api
        #: In the order in which they need each other.
        self._make: dict[str, Callable[[], str]] = {
            "function": api.function,
            "endpoint": api.endpoint,
            "high_assurance": lambda: api.endpoint(high_assurance=True),
            "multi_user": lambda: api.endpoint(multi_user=True),
            "deleted": self._deleted,
            "locked": self._locked,
            "group": lambda: str(self._submit()["task_group_id"]),
            "task": lambda: self._task(None),
            "succeeded": lambda: self._task({}),
            "failed": lambda: self._task({"error_details": ErrorDetails("Broken", "it broke")}),
            "container": self._container,
        }
        self._ids: dict[str, str] = {}
        for kind, make in self._make.items():
            self._ids[kind] = make()

    def renew(self, operation_id: str, used: set[str]) -> None:
        """Make anew what a request of an operation may have spoilt."""
        if operation_id in _SPOILING:
            for kind in used & {"function", "endpoint", "high_assurance", "multi_user"}:
                self._ids[kind] = self._make[kind]()

    def inhabit(self, case: Any, random: Random) -> set[str]:
        """Replace most ids in a case by ids that exist; give the kinds that were taken."""
        used: set[str] = set()

        def known(name: str) -> str:
            kind = _OF_NAME.get(name)
            if kind is None or random.random() < 0.2:
                kind = random.choice(list(self._ids))
            used.add(kind)
            return self._ids[kind]

        def tasks(given: Any) -> Any:
            """Give tasks of functions that exist, in the form of the operation."""
            if isinstance(given, dict):
                return {known("function_uuid"): [_PACKED, *texts] for texts in given.values()} or {
                    known("function_uuid"): [_PACKED]
                }
            entries = [[known("function_uuid"), known("endpoint_uuid"), _PACKED] for _ in given]
            return entries[:5] or [[known("function_uuid"), known("endpoint_uuid"), ""]]

        def settle(name: str, value: Any) -> Any:
            if name == "tasks" and _are_tasks(value) and random.random() < 0.7:
                return tasks(value)
            if isinstance(value, dict):
                return {key: settle(key, item) for key, item in value.items()}
            if isinstance(value, list):
                return [settle(name, item) for item in value]
            if name == "function_code" and random.random() < 0.8:
                return _PACKED
            if name == "container_type" and random.random() < 0.5:
                return "docker"
            return known(name) if _is_id(value) and random.random() < 0.9 else value

        for place in ("path_parameters", "query", "body"):
            given = getattr(case, place)
            if isinstance(given, dict | list):
                setattr(case, place, settle("", given))
        return used

    # -- kinds --------------------------------------------------------------------------------

    def _deleted(self) -> str:
        endpoint = self._api.endpoint()
        self._api("delete_endpoint", endpoint_uuid=endpoint)
        return endpoint

    def _locked(self) -> str:
        endpoint = self._api.endpoint()
        self._api("lock_endpoint", endpoint_uuid=endpoint)
        return endpoint

    def _container(self) -> str:
        body = {"name": "image", "type": "docker", "location": "example/image"}
        return str(self._api("register_container", body)["container_id"])

    def _submit(self) -> dict[str, Any]:
        return self._api.submit(self._ids["endpoint"], self._ids["function"], 1, create_queue=True)

    def _task(self, result: dict[str, Any] | None) -> str:
        """Submit a task, and give it a result as an agent would."""
        registration = self._api("register_endpoint", {"endpoint_name": "busy", "metadata": {}})
        function = self._ids["function"]
        answer = self._api.submit(registration["endpoint_id"], function, 1)
        task_id = str(answer["tasks"][function][0])
        if result is not None:
            message = encode(
                ResultMessage(task_id=task_id, data="00\ngASVAgAAAAAAAABLAS4=", **result)
            )
            _publish(registration["result_queue_info"], message)
            eventually(
                lambda: self._api("get_task", task_uuid=task_id)["status"] in ("success", "failed")
            )
        return task_id


def _publish(queue: dict[str, Any], body: bytes) -> None:
    with pika.BlockingConnection(pika.URLParameters(queue["connection_url"])) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        route = queue["queue_publish_kwargs"]
        channel.basic_publish(route["exchange"], route["routing_key"], body, mandatory=True)


def _are_tasks(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(texts, list) for texts in value.values())
    return isinstance(value, list)


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 36 and bool(uuid.UUID(value))
    except ValueError:
        return False
