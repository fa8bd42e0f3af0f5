"""A client of the bare HTTP API that holds every answer against the document."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from gcompute.local.document import Operation, compile_schema, operations, resolve, wrong_fields
from gcompute.serialize import ComputeSerializer, pack_buffers

METADATA = {"python_version": "3.11.7", "sdk_version": "4.19.0"}
#: The body that all errors of the service have.
ERROR_FIELDS = {"status", "code", "error_args", "http_status_code", "detail", "reason"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"

SERIALIZER = ComputeSerializer()


@cache
def _validator(operation_id: str, status: str) -> jsonschema_rs.Draft202012Validator | None:
    """Compile the schema of an answer; ``None`` for one without a body."""
    response = operations()[operation_id].definition["responses"].get(status)
    if response is None:
        return None
    content = resolve(response).get("content")
    return None if content is None else compile_schema(content["application/json"]["schema"])


class Api:
    """Calls operations by their operation ids.

    Attributes:
        called: the operations that were called, with the statuses that they answered.
    """

    def __init__(self, url: str, token: str | None) -> None:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=30)
        self.called: set[tuple[str, int]] = set()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __call__(
        self,
        operation_id: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        **ids: str,
    ) -> Any:
        """Call an operation that succeeds; give the body of its answer."""
        response = self.send(operation_id, body, query=query, ids=ids)
        assert response.status_code == 200, response.text
        return response.json() if response.content else None

    def refused(
        self,
        status: int,
        operation_id: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        ids: Mapping[str, str] | None = None,
        **more: str,
    ) -> Any:
        """Call an operation that answers with an error; give the error's code."""
        response = self.send(operation_id, body, query=query, ids=ids, **more)
        assert response.status_code == status, response.text
        answer = response.json()
        if status == 422 and operations()[operation_id].tells_errors_plainly:
            return answer["detail"]
        assert answer.keys() == ERROR_FIELDS
        assert answer["status"] == "Failed"
        assert answer["http_status_code"] == status
        assert answer["detail"] == answer["reason"]
        return answer["code"]

    def send(
        self,
        operation_id: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        ids: Mapping[str, str] | None = None,
        **more: str,
    ) -> httpx.Response:
        """Call an operation; its answer fits the document, whatever it is."""
        operation = operations()[operation_id]
        response = self.http.request(
            operation.method, operation.path.format(**(ids or {}), **more), params=query, json=body
        )
        self.called.add((operation_id, response.status_code))
        _check(operation, response)
        return response

    # -- what many tests need ---------------------------------------------------------------

    def endpoint(self, **registration: Any) -> str:
        """Register an endpoint that nobody runs."""
        body = {"endpoint_name": "idle", "metadata": {}} | registration
        answer = self("register_endpoint", body)
        return str(answer["endpoint_id"])

    def function(self, function: Any = abs, **registration: Any) -> str:
        """Register a function."""
        body = {
            "function_name": function.__name__,
            "function_code": pack_buffers([SERIALIZER.serialize(function)]),
            "meta": METADATA,
        } | registration
        return str(self("register_function", body)["function_uuid"])

    def submit(self, endpoint: str, function: str, *arguments: Any, **more: Any) -> dict[str, Any]:
        """Submit one task for each argument."""
        tasks = {function: [payload(argument) for argument in arguments]}
        answer: dict[str, Any] = self("submit", {"tasks": tasks} | more, endpoint_uuid=endpoint)
        return answer


def _check(operation: Operation, response: httpx.Response) -> None:
    validator = _validator(operation.operation_id, str(response.status_code))
    if validator is not None:
        assert wrong_fields(validator, response.json(), operation.operation_id) == []


def payload(*args: Any, **kwargs: Any) -> str:
    """Serialize the arguments of one task."""
    return pack_buffers([SERIALIZER.serialize(args), SERIALIZER.serialize(kwargs)])


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID in its one spelling."""
    return str(uuid.UUID(text)) == text
