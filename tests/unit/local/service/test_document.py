"""Requests are checked against the document, and against nothing else."""

from __future__ import annotations

import uuid

import pytest

from gcompute.local.document import compile_schema, operations, wrong_fields
from gcompute.local.operations import HANDLERS

METADATA = {"python_version": "3.11.7", "sdk_version": "4.19.0"}


def test_every_operation_has_a_handler_and_every_handler_an_operation() -> None:
    """The document and the service know the same thirty operations."""
    assert operations().keys() == HANDLERS.keys()
    assert len(HANDLERS) == 30


def test_only_the_version_is_for_everybody() -> None:
    """All other operations need a token."""
    free = {name for name, operation in operations().items() if not operation.needs_token}
    assert free == {"get_version", "check_version"}


@pytest.mark.parametrize(
    "given", ["", "x", "0" * 32, "10000000-0000-4000-8000-000000000001x", "{}"]
)
def test_a_malformed_id_is_named(given: str) -> None:
    """The finding says that it is in the path, and which parameter it is."""
    (error,) = operations()["get_endpoint"].wrong_parameters({"endpoint_uuid": given}, {})
    assert error["loc"] == ["path", "endpoint_uuid"]
    assert error["type"] == "format"


def test_a_good_request_has_no_findings() -> None:
    """Optional parameters may be missing."""
    operation = operations()["get_endpoint_console"]
    assert operation.wrong_parameters({"endpoint_uuid": str(uuid.uuid4())}, {}) == []
    assert operations()["get_endpoints"].wrong_parameters({}, {"role": "any"}) == []


def test_a_query_is_checked() -> None:
    """An unknown role is refused."""
    (error,) = operations()["get_endpoints"].wrong_parameters({}, {"role": "king"})
    assert error["loc"] == ["query", "role"]


@pytest.mark.parametrize(
    ("name", "body", "loc"),
    [
        ("submit", [], ["body"]),
        ("submit", {}, ["body"]),
        ("submit", {"tasks": {"f": "x"}}, ["body", "tasks", "f"]),
        ("submit", {"tasks": {"f": ["x", 1]}}, ["body", "tasks", "f", 1]),
        ("submit", {"tasks": {}, "task_group_id": "x"}, ["body", "task_group_id"]),
        ("submit", {"tasks": {}, "create_queue": 1}, ["body", "create_queue"]),
        ("submit_v2", {"tasks": [["a", "b"]]}, ["body", "tasks", 0]),
        ("get_task_batch", {"task_ids": ["x"]}, ["body", "task_ids", 0]),
        (
            "register_function",
            {"function_name": "f", "function_code": "", "meta": METADATA, "group": "x"},
            ["body", "group"],
        ),
    ],
)
def test_a_wrong_body_is_named_by_its_field(name: str, body: object, loc: list[object]) -> None:
    """The location leads to the value that is wrong."""
    errors = operations()[name].wrong_body(body)
    assert [error["loc"] for error in errors] == [loc]
    assert errors[0]["msg"]


def test_a_finding_does_not_quote_megabytes() -> None:
    """A wrong value of any size makes a short message, and many make a short list."""
    (error,) = operations()["submit"].wrong_body({"tasks": "x" * 10**6})
    assert len(error["msg"]) < 1000
    many = operations()["submit"].wrong_body({"tasks": {"f": [1] * 1000}})
    assert len(many) == 20


def test_each_operation_tells_wrong_requests_in_its_own_way() -> None:
    """The older operations give a bare list of fields, the newer ones an error body."""
    plain = {name for name, operation in operations().items() if operation.tells_errors_plainly}
    assert {"get_task_batch", "submit_v2", "get_endpoint_allowlist"} <= plain
    assert not plain & {"submit", "register_endpoint", "register_function", "lock_endpoint"}


def test_references_in_answers_resolve() -> None:
    """A schema of the document compiles wherever it stands, references and all."""
    validator = compile_schema({"$ref": "#/components/schemas/EndpointConsole"})
    assert wrong_fields(validator, {"user_endpoints": []}) == []
    (error,) = wrong_fields(validator, {"user_endpoints": [{}]}, "answer")
    assert error["loc"] == ["answer", "user_endpoints", 0]
