"""Every recorded answer is read whole: as a model with all of its JSON, or as an error that has it.

Scenarios look at what their user does; here each answer of each recording is given to the client of
its operation, by itself.
"""

from __future__ import annotations

import copy
import json
from typing import Any
from unittest import mock

import httpx
import pytest

from gcompute.errors import ComputeAPIError
from gcompute.service_clients import ComputeClientV2, ComputeClientV3
from tests.recordings.playing import every_name, recording
from tests.support.api_document import Operation, canonical, operations, to_json
from tests.support.scripted_service import StaticAuthorizer
from tests.unit.service_clients.methods import arguments, classes_for, method_name
from tools.recording.cassette_format import body_text
from tools.recording.operations import operation_of

Json = Any

_OPERATIONS = {operation.name: operation for operation in operations()}


def _read(operation: Operation, recorded: Json) -> Any:
    """Have the client of an operation read an answer; give what it gives, or the error."""

    def serve(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            recorded["status"], headers=recorded["headers"], text=body_text(recorded) or ""
        )

    positional, _ = arguments(operation, operation.body_examples()[0])
    with classes_for(operation)[-1](
        base_url="http://service.test",
        authorizer=StaticAuthorizer(),
        transport=httpx.MockTransport(serve),
    ) as client:
        assert isinstance(client, ComputeClientV2 | ComputeClientV3)
        with mock.patch.object(client._api, "_sleep"):
            try:
                return getattr(client, method_name(operation))(*positional)
            except ComputeAPIError as error:
                return error


def _is_whole(answer: Any, recorded: Json) -> bool:
    """Tell whether nothing of a recorded answer was lost or changed."""
    body = recorded.get("json")
    if isinstance(answer, ComputeAPIError):
        told = body or {}  # an answer to HEAD has none
        message = told.get("reason", told.get("detail", ""))
        return bool(
            answer.http_status == recorded["status"]
            and answer.raw_json == body
            and answer.code == told.get("code", "Error")
            and answer.headers["content-type"] == recorded["headers"]["content-type"]
            # An invalid request has its wrong fields as the reason.
            and bool(answer.errors == message if answer.errors else message in answer.message)
        )
    if recorded["status"] != httpx.codes.OK or answer.http_status != httpx.codes.OK:
        return False
    if answer.parsed is None:
        return body in (None, {})
    whole: bool = canonical(to_json(answer.parsed)) == canonical(body)
    return whole and bool(json.loads(answer.text) == body)


@pytest.mark.parametrize("name", every_name())
def test_each_answer_is_read_whole(name: str) -> None:
    """Successes as typed models, refusals as errors with status, code, reason and fields."""
    for interaction in recording(name).interactions:
        operation = _OPERATIONS[operation_of(interaction["request"])]
        recorded = interaction["response"]
        answer = _read(operation, recorded)
        assert _is_whole(answer, recorded), (operation.name, recorded, answer)


def test_what_is_lost_would_be_seen() -> None:
    """Of a success and of a refusal, whichever field is another one than was read."""
    for interaction in recording("client/unknown").interactions:
        operation = _OPERATIONS[operation_of(interaction["request"])]
        recorded = interaction["response"]
        answer = _read(operation, recorded)
        for field in recorded["json"]:
            another = copy.deepcopy(recorded)
            another["json"][field] = "of another"
            assert not _is_whole(answer, another), field
            del another["json"][field]
            assert not _is_whole(answer, another), field
        assert not _is_whole(answer, recorded | {"status": 299})
