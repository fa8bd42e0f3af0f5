"""Differences of behaviour from the official SDK that are about requests and their repetition."""

from __future__ import annotations

import httpx
import pytest

from gcompute.core import WINDOW_FACTOR
from gcompute.errors import ServiceFailed
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    TASK_ID,
    ScriptedService,
)

_SUBMIT = ("POST", f"/v3/endpoints/{ENDPOINT_ID}/submit")
_STATUS = ("GET", f"/v2/endpoints/{ENDPOINT_ID}/status")


def test_a_submit_is_never_repeated_on_a_failure() -> None:
    """A 503 may come after the tasks were taken: the user is told, and nothing is sent again.

    What only reads is repeated.
    """
    service = ScriptedService({_SUBMIT: httpx.Response(503), _STATUS: httpx.Response(503)})
    client = service.client()
    with pytest.raises(ServiceFailed):
        client.run(endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
    assert service.paths.count(_SUBMIT[1]) == 1
    with pytest.raises(ServiceFailed):
        client.get_endpoint_status(ENDPOINT_ID)
    assert service.paths.count(_STATUS[1]) > 1


def test_the_twenty_first_request_waits() -> None:
    """Twenty requests go at once; the next one ten seconds after the first, and a bit."""
    service = ScriptedService({_STATUS: {"status": "online"}})
    client = service.client()
    for _ in range(20):
        client.get_endpoint_status(ENDPOINT_ID)
    assert service.pauses == []
    client.get_endpoint_status(ENDPOINT_ID)
    assert 9 < max(service.pauses) <= 10 * WINDOW_FACTOR


def test_a_refusal_for_too_many_requests_is_waited_out() -> None:
    """A submit that the service refused with 429 surely was not taken, and goes again in time."""
    taken = {"tasks": {FUNCTION_ID: [TASK_ID]}, "endpoint_id": ENDPOINT_ID}
    answers = iter(
        [httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(200, json=taken)]
    )
    service = ScriptedService({_SUBMIT: lambda _request: next(answers)})
    client = service.client()
    assert client.run(endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID) == TASK_ID
    assert sum(service.pauses) >= 7
