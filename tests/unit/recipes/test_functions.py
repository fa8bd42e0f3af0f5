"""Registering functions: what is posted, and what the answer may lack."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from gcompute.errors import (
    ComputeAPIError,
    SerializationError,
)
from gcompute.serialize import ComputeSerializer, unpack_buffers
from tests.support.both_clients import Connect
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    GROUP_ID,
    TASK_ID,
    ScriptedService,
)

SUBMIT = ("POST", f"/v3/endpoints/{ENDPOINT_ID}/submit")
REGISTER = ("POST", "/v3/functions")


def _submit_answer(*task_ids: str, **more: Any) -> dict[str, Any]:
    return {
        "tasks": {FUNCTION_ID: list(task_ids)},
        "task_group_id": GROUP_ID,
        "endpoint_id": ENDPOINT_ID,
        "request_id": "r-1",
        **more,
    }


def double(x: int) -> int:
    """Double a number."""
    return 2 * x


def test_registering_posts_code_and_description(connect: Connect) -> None:
    """The docstring describes; the function's text is packed."""
    service = ScriptedService({REGISTER: {"function_uuid": FUNCTION_ID}})
    assert connect(service).register_function(double) == FUNCTION_ID
    body = service.body()
    assert body["function_name"] == "double"
    assert body["description"] == "Double a number."
    (code,) = unpack_buffers(body["function_code"])
    assert ComputeSerializer().deserialize(code)(4) == 8


def test_a_function_that_cannot_be_sent_asks_nobody(connect: Connect) -> None:
    """The error comes before the request."""
    unpicklable = (x for x in "text")
    service = ScriptedService()
    with pytest.raises(SerializationError):
        connect(service).register_function(lambda: unpicklable)
    assert service.requests == []


def test_a_high_assurance_warning_is_shown(connect: Connect) -> None:
    """What the service warns of reaches the user, of a registration and of a submit."""
    service = ScriptedService(
        {
            REGISTER: {"function_uuid": FUNCTION_ID, "ha_warning": "not for HA"},
            SUBMIT: _submit_answer(TASK_ID, ha_warning="no HA data here"),
        }
    )
    client = connect(service)
    with pytest.warns(UserWarning, match="not for HA"):
        client.register_function(double)
    batch = client.create_batch()
    batch.add(FUNCTION_ID)
    with pytest.warns(UserWarning, match="no HA data here"):
        client.batch_run(ENDPOINT_ID, batch)


@pytest.mark.parametrize("warning", [None, ""])
def test_no_warning_means_none(warning: str | None, connect: Connect) -> None:
    """A field that is null or empty warns of nothing."""
    service = ScriptedService({REGISTER: {"function_uuid": FUNCTION_ID, "ha_warning": warning}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connect(service).register_function(double)


@pytest.mark.parametrize("answer", [{}, [], "text", {"function_uuid": None}])
def test_a_registration_without_an_id_is_an_error_of_the_service(
    answer: Any, connect: Connect
) -> None:
    """Not a KeyError: an error that names the request."""
    service = ScriptedService({REGISTER: answer})
    with pytest.raises(ComputeAPIError, match=r"no function_uuid|register_function is no object"):
        connect(service).register_function(double)
