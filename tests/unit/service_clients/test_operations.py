"""Each operation of the document, through the client of each version that has it."""

from __future__ import annotations

import types
import typing
from typing import Any, assert_type

import gcompute_api.models
import httpx
import pytest
from gcompute_api.models import EndpointListEntry, SubmitResponse, SubmitResponseV2, TaskStatus

from gcompute.errors import ComputeAPIError, ServiceFailed, error_class_for
from gcompute.service_clients import ComputeClientV2, ComputeClientV3, ComputeResponse
from tests.support.api_document import Answer, Json, Operation, canonical, operations, to_json
from tests.support.scripted_service import ENDPOINT_ID, TASK_ID, StaticAuthorizer
from tests.unit.service_clients.methods import AnyClient, arguments, classes_for, method_name

CASES = [
    pytest.param(operation, cls, id=f"{cls.__name__}-{operation.name}")
    for operation in operations()
    for cls in classes_for(operation)
]
MODELS = {name: getattr(gcompute_api.models, name) for name in gcompute_api.models.__all__}


def _client(
    cls: type[AnyClient],
    operation: Operation,
    answer: httpx.Response,
    asked: list[httpx.Request] | None = None,
) -> AnyClient:
    """Make a client whose service gives one answer, and keeps what it was asked."""

    def serve(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        return answer

    client = cls(
        base_url="http://service.test",
        authorizer=StaticAuthorizer("Bearer a-token" if operation.needs_token else None),
        request_limit=None,
        transport=httpx.MockTransport(serve),
    )
    client._api._sleep = lambda _seconds: None
    return client


def _response(answer: Answer) -> httpx.Response:
    if answer.schema is None:
        return httpx.Response(answer.status)
    return httpx.Response(answer.status, json=answer.example)


def _call(client: AnyClient, operation: Operation, body: Json) -> ComputeResponse[Any]:
    positional, named = arguments(operation, body)
    response: ComputeResponse[Any]
    response = getattr(client, method_name(operation))(*positional, **named)
    return response


def _models(cls: type[AnyClient], operation: Operation) -> tuple[Any, list[type]]:
    """Give what a method says that its answer holds: a container or None, and the models."""
    method = getattr(cls, method_name(operation))
    module = vars(__import__(method.__module__, fromlist=["x"]))
    hints = typing.get_type_hints(_documented(method), globalns={**module, **MODELS})
    (held,) = typing.get_args(hints["return"])
    if typing.get_origin(held) is list:
        return list, list(typing.get_args(held))
    kinds = typing.get_args(held) if isinstance(held, types.UnionType) else (held,)
    return None, list(kinds)


def _documented(method: Any) -> Any:
    """Give the form of an overloaded method that calls the operation of its version."""
    return next(iter(typing.get_overloads(method)), method)


@pytest.mark.parametrize(("operation", "cls"), CASES)
def test_a_request_is_what_the_document_says(operation: Operation, cls: type[AnyClient]) -> None:
    """Method, path, parameters, headers and body, for each documented body."""
    success = next(answer for answer in operation.answers() if answer.status == 200)
    for body in operation.body_examples():
        asked: list[httpx.Request] = []
        with _client(cls, operation, _response(success), asked) as client:
            _call(client, operation, body)
        (request,) = asked
        operation.check_request(request, body)


@pytest.mark.parametrize(("operation", "cls"), CASES)
def test_an_answer_is_its_model_and_its_json(operation: Operation, cls: type[AnyClient]) -> None:
    """The model is the one that the method's annotation names, and has all of the JSON in it."""
    container, models = _models(cls, operation)
    answered = 0
    for answer in operation.answers():
        if answer.status != 200:
            continue
        answered += 1
        with _client(cls, operation, _response(answer)) as client:
            response = _call(client, operation, operation.body_examples()[0])
        assert response.http_status == 200
        parsed = response.parsed
        if answer.schema is None:
            assert models == [type(None)]
            assert (parsed, response.data, response.text) == (None, None, "")
            continue
        assert to_json(parsed) == canonical(answer.example)
        if container is list:
            assert isinstance(parsed, list)
            assert {type(each) for each in parsed} <= set(models)
            assert list(response) == response.data == answer.example
        else:
            assert type(parsed) in models
            _check_mapping(response, answer.example)
    assert answered


def _check_mapping(response: ComputeResponse[Any], example: Json) -> None:
    """Compare the JSON of an answer; names of document 000 may stand beside those of the wire."""
    if not isinstance(example, dict):
        assert response.data == example
        return
    added = {"endpoint_uuid", "task_uuid", "task_uuids"}
    assert response.keys() - example.keys() <= added
    for name, value in example.items():
        if name != "results":
            assert response[name] == value


@pytest.mark.parametrize(("operation", "cls"), CASES)
def test_a_documented_error_is_raised(operation: Operation, cls: type[AnyClient]) -> None:
    """By the class of its status, with the answer in it."""
    refusals = [answer for answer in operation.answers() if answer.status != 200]
    assert refusals or operation.name in ("check_authentication", "get_result_amqp_url")
    for answer in refusals:
        with (
            _client(cls, operation, _response(answer)) as client,
            pytest.raises(error_class_for(answer.status)) as caught,
        ):
            _call(client, operation, operation.body_examples()[0])
        error = caught.value
        assert isinstance(error, ComputeAPIError)
        assert error.http_status == answer.status
        assert error.raw_json == answer.example
        if answer.status == 422 and isinstance(answer.example, dict):
            detail = answer.example["detail"]
            fields = [".".join(map(str, each["loc"])) for each in detail if "loc" in each]
            assert list(error.errors_by_field) == fields


@pytest.mark.parametrize(("operation", "cls"), CASES)
def test_only_reads_are_repeated(operation: Operation, cls: type[AnyClient]) -> None:
    """A service in trouble is asked again where that does no harm, and only there."""
    asked: list[httpx.Request] = []
    with (
        _client(cls, operation, httpx.Response(503), asked) as client,
        pytest.raises(ServiceFailed),
    ):
        _call(client, operation, operation.body_examples()[0])
    reads = operation.method in ("get", "head") or operation.name == "get_task_batch"
    assert (len(asked) > 1) is reads


def test_every_operation_has_a_method() -> None:
    """All of the document, and no method that the document knows nothing of."""
    ours = {
        (cls, name)
        for cls in (ComputeClientV2, ComputeClientV3)
        for name, value in _public_methods(cls).items()
        if callable(value)
    }
    documented = {(cls, method_name(op)) for op in operations() for cls in classes_for(op)}
    conveniences = {"submit_task", "submit_function"}
    about_the_client = {"close", "restricted"}
    assert documented <= ours
    assert {name for _, name in ours - documented} <= conveniences | about_the_client
    assert len({op.name for op in operations()}) == 30


def _public_methods(cls: type) -> dict[str, Any]:
    return {
        name: value
        for base in reversed(cls.__mro__)
        for name, value in vars(base).items()
        if not name.startswith("_") and isinstance(value, types.FunctionType)
    }


def test_a_type_checker_knows_the_models() -> None:
    """What mypy reveals of the answers, the two forms of a submit included."""

    def never_called(two: ComputeClientV2, three: ComputeClientV3) -> None:
        assert_type(two.get_task(TASK_ID).parsed, TaskStatus)
        assert_type(three.get_endpoints().parsed, list[EndpointListEntry])
        assert_type(two.submit({}).parsed, SubmitResponseV2)
        assert_type(three.submit(ENDPOINT_ID, {}).parsed, SubmitResponse)
        assert_type(three.submit(endpoint_id=ENDPOINT_ID, data={}).parsed, SubmitResponse)
        assert_type(three.submit({}).parsed, SubmitResponseV2)
        assert_type(three.submit(data={}).parsed, SubmitResponseV2)
        assert_type(three.check_version().parsed, None)

    assert typing.get_overloads(ComputeClientV3.submit)
    assert callable(never_called)
