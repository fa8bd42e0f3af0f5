"""From calls to requests: what fits, and which field is named where something does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gcompute.calls import Call, read, write
from gcompute.http.operations import build_request
from tests.support.scripted_service import ENDPOINT_ID, FUNCTION_ID

MADE = {"python_version": "3.11.7", "sdk_version": "4.19.0"}
FUNCTION = {"function_name": "f", "function_code": "3\n01\n", "meta": MADE}


def test_a_body_is_encoded_as_it_is() -> None:
    """Unknown fields and text beyond ASCII included."""
    body = FUNCTION | {"description": "Größe", "news": [1]}
    request = build_request(write("functions.register_function", body))
    assert (request["method"], request["url"]) == ("post", "/v3/functions")
    assert json.loads(request["content"]) == body


@pytest.mark.parametrize(
    ("operation", "document", "message"),
    [
        ("functions.register_function", {}, "this document: it lacks 'function_name'"),
        (
            "functions.register_function",
            {"function_name": "f", "meta": MADE},
            "this document: it lacks 'function_code'",
        ),
        (
            "functions.register_function",
            FUNCTION | {"meta": {"sdk_version": "1"}},
            "this meta: it lacks 'python_version'",
        ),
        ("functions.register_function", FUNCTION | {"group": "x"}, "this group: badly formed"),
        (
            "functions.register_function",
            FUNCTION | {"public": True, "ha_endpoint_id": "x", "group": FUNCTION_ID},
            "this ha_endpoint_id: badly formed",
        ),
        (
            "endpoints.register_endpoint_v2",
            {"endpoint_uuid": "x", "endpoint_name": "e", "metadata": {}},
            "this endpoint_uuid: badly formed",
        ),
        (
            "endpoints.register_endpoint",
            {"endpoint_name": "e", "admins": [], "allowed_functions": ["x"], "public": True},
            "this allowed_functions: badly formed",
        ),
        ("tasks.get_task_batch", {"task_ids": 7}, "this task_ids: 'int' object is not iterable"),
    ],
)
def test_the_field_at_fault_is_named(
    operation: str, document: dict[str, Any], message: str
) -> None:
    """Whether it is needed or not, first or last, and whatever is needed beside it."""
    with pytest.raises(ValueError, match=f"{operation} cannot be sent {message}"):
        build_request(Call(operation, {}, document))


def test_what_json_cannot_carry_is_refused() -> None:
    """Before the request goes."""
    body = {"tasks": {FUNCTION_ID: [b"bytes"]}}
    with pytest.raises(ValueError, match="JSON cannot carry"):
        build_request(write("tasks.submit", body, endpoint_uuid=ENDPOINT_ID))


def test_a_parameter_that_does_not_fit_is_named() -> None:
    """An unknown one is a mistake of the code, a wrong value one of the caller."""
    with pytest.raises(ValueError, match="role must be one of 'any', 'owner', not 'all'"):
        build_request(read("endpoints.get_endpoints", role="all"))
    with pytest.raises(TypeError, match=r"get_endpoints has no parameter roll"):
        build_request(read("endpoints.get_endpoints", roll="any"))
