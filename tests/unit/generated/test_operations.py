"""Each operation of the document is called, and the wire looks as the document says."""

import asyncio
from typing import Any

import httpx
import pytest
from gcompute_api import AuthenticatedClient, Client

from tests.support.api_document import (
    DOCUMENT,
    METHODS,
    Answer,
    Json,
    Operation,
    canonical,
    operations,
    resolve,
    to_json,
    validator,
)

CALLS = [
    pytest.param(operation, answer, id=f"{operation.name}-{answer.status}-{answer.name}")
    for operation in operations()
    for answer in operation.answers()
]
REQUESTS = [
    pytest.param(operation, body, id=f"{operation.name}-{index}")
    for operation in operations()
    for index, body in enumerate(operation.body_examples())
]


class Service:
    """A transport that checks the one request it gets and gives the answer it was told.

    It answers sync and async clients alike; `requests` is what it saw.
    """

    def __init__(self, operation: Operation, body: Json, answer: Answer, optional: bool) -> None:
        self.requests = 0
        self._operation = operation
        self._body = body
        self._answer = answer
        self._optional = optional

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        self._operation.check_request(request, self._body, optional=self._optional)
        if self._answer.schema is None:
            return httpx.Response(self._answer.status)
        return httpx.Response(self._answer.status, json=self._answer.example)


def call(operation: Operation, body: Json, answer: Answer, *, optional: bool = True) -> list[Any]:
    """Call an operation sync and async, and return the two responses."""
    service = Service(operation, body, answer, optional)
    arguments = operation.arguments(body, optional=optional)
    settings = {"transport": httpx.MockTransport(service)}
    client: AuthenticatedClient | Client
    if operation.needs_token:
        client = AuthenticatedClient("http://service.test", token="a-token", httpx_args=settings)
    else:
        client = Client("http://service.test", httpx_args=settings)

    async def call_async() -> Any:
        async with client:
            return await operation.module.asyncio_detailed(client=client, **arguments)

    with client:
        responses = [operation.module.sync_detailed(client=client, **arguments)]
    responses.append(asyncio.run(call_async()))
    assert service.requests == 2
    return responses


def test_every_operation_of_the_document_is_among_the_cases() -> None:
    """The cases cover the paths that the document has, with a method each."""
    documented = {
        (method, path)
        for path, item in DOCUMENT["paths"].items()
        for method in item
        if method in METHODS
    }
    covered = {(param.values[0].method, param.values[0].path) for param in CALLS}  # type: ignore[union-attr]
    assert covered == documented
    assert len(covered) >= 30


@pytest.mark.parametrize(("operation", "answer"), CALLS)
def test_answer_arrives_as_the_document_shows_it(operation: Operation, answer: Answer) -> None:
    """A documented status gives a model that holds all of the example, sync and async."""
    if answer.schema is not None:
        validator(answer.schema).validate(answer.example)
    for response in call(operation, operation.body_examples()[0], answer):
        assert response.status_code == answer.status
        assert to_json(response.parsed) == canonical(answer.example)


@pytest.mark.parametrize("optional", [True, False], ids=["all", "required"])
@pytest.mark.parametrize(("operation", "body"), REQUESTS)
def test_request_is_what_the_document_asks_for(
    operation: Operation, body: Json, optional: bool
) -> None:
    """Path, query, headers, token and body of each example fit the document."""
    answer = next(operation.answers())
    call(operation, body, answer, optional=optional)


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.name)
@pytest.mark.parametrize("status", [418, 460, 599])
def test_undocumented_status_is_an_answer_without_a_model(
    operation: Operation, status: int
) -> None:
    """A status of a load balancer, unknown to `http.HTTPStatus`, is handed over as it is."""
    answer = Answer(status, None, None, "undocumented")
    for response in call(operation, operation.body_examples()[0], answer):
        assert response.status_code == status
        assert response.parsed is None


def branch_of(answer: Answer) -> str | None:
    """Return the one model, of several that an answer may be, which its example fits."""
    branches = resolve(answer.schema or {}).get("anyOf", [])
    fitting = [
        branch["$ref"].rpartition("/")[2]
        for branch in branches
        if "$ref" in branch and validator(branch).is_valid(answer.example)
    ]
    return fitting[0] if len(branches) > 1 and len(fitting) == 1 else None


SEVERAL = [
    pytest.param(*param.values, branch, id=param.id)
    for param in CALLS
    for operation, answer in [param.values]
    for branch in [branch_of(answer)]  # type: ignore[arg-type]
    if branch
]


@pytest.mark.parametrize(("operation", "answer", "model"), SEVERAL)
def test_answer_of_several_models_arrives_as_the_one_it_is(
    operation: Operation, answer: Answer, model: str
) -> None:
    """The generated code takes the first model that does not fail: the order must be right."""
    client = Client("http://service.test")
    response = httpx.Response(answer.status, json=answer.example)
    parsed = operation.module._parse_response(client=client, response=response)
    assert type(parsed).__name__ == model
