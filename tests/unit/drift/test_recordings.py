"""Whatever a recording and the document do not have in common is named.

A recording of everything is made from the document's examples; each test changes one thing of it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tools.drift.exchanges import NO_JSON, Exchange, Recording
from tools.drift.recordings import compare_recordings
from tools.openapi.document import Json, load_compute, operations, resolve
from tools.recording.scrubbing import SERVICE

DOCUMENT = load_compute()


def example(node: Json | None) -> tuple[bool, Json]:
    """Tell whether a request or answer has a body, and give an example of it."""
    content = resolve(DOCUMENT, node or {}).get("content")
    if content is None:
        return False, None
    first = next(iter(content["application/json"]["examples"].values()))
    return True, resolve(DOCUMENT, first)["value"]


def exchange(method: str, path: str, operation: Json, status: str) -> Exchange:
    """Make an operation's request, and its answer of one status."""
    query = []
    for each in (resolve(DOCUMENT, node) for node in operation.get("parameters", [])):
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", each["example"])
        else:
            query.append((each["name"], str(each["example"])))
    sent, request = example(operation.get("requestBody"))
    answered, answer = example(operation["responses"][status])
    return Exchange(
        f"{operation['operationId']} {status}",
        method,
        SERVICE,
        path,
        tuple(query),
        sent,
        request,
        int(status),
        answered,
        answer,
    )


def everything() -> dict[str, Exchange]:
    """Record every documented answer once, by operation id and status."""
    made = [
        exchange(method, path, operation, status)
        for method, path, operation in operations(DOCUMENT)
        for status in operation["responses"]
    ]
    return {each.recording: each for each in made}


def found(exchanges: dict[str, Exchange]) -> list[str]:
    """Tell how a recording of these differs."""
    recording = Recording("all.yaml", {}, tuple(exchanges.values()))
    return [each.what for each in compare_recordings(DOCUMENT, [recording]).differences]


def test_a_recording_of_everything_differs_in_nothing() -> None:
    """All 30 operations with all their statuses; the report says how many."""
    recording = Recording("all.yaml", {}, tuple(everything().values()))
    part = compare_recordings(DOCUMENT, [recording])
    assert part.differences == []
    assert part.compared == [
        "93 requests and answers of 1 recordings",
        "93 documented answers, 93 recorded",
    ]


@pytest.mark.parametrize("name", everything())
def test_each_answer_that_is_missing_is_named(name: str) -> None:
    """Where one answer alone was recorded, all the other ones are named, and nothing else."""
    exchanges = everything()
    assert found({name: exchanges.pop(name)}) == sorted(
        f"{method} {path} {status}: is not recorded"
        for method, path, operation in operations(DOCUMENT)
        for status in operation["responses"]
        if f"{operation['operationId']} {status}" in exchanges
    )


def test_no_recording_is_one_difference() -> None:
    """Where nothing was recorded, the way out is told, and not each answer."""
    assert found({}) == ["there is no recording: run `make record`"]


Change = Callable[[Exchange], Exchange]


def more(**fields: Any) -> Change:
    """Change fields of an exchange."""
    return lambda each: replace(each, **fields)


@pytest.mark.parametrize(
    ("name", "change", "line"),
    [
        (
            "get_endpoint 200",
            lambda e: replace(e, answer={**e.answer, "colour": 1}),
            "GET /v2/endpoints/{endpoint_uuid} 200: unknown field colour",
        ),
        (
            "submit 200",
            lambda e: replace(e, request={**e.request, "priority": 1}),
            "POST /v3/endpoints/{endpoint_uuid}/submit request: unknown field priority",
        ),
        (
            "submit 413",
            lambda e: replace(e, request={**e.request, "tasks": []}),
            "POST /v3/endpoints/{endpoint_uuid}/submit request: tasks: is array, not object",
        ),
        (
            "get_task 200",
            lambda e: replace(e, answer={**e.answer, "status": "dreaming"}),
            "GET /v2/tasks/{task_uuid} 200: status: unknown value dreaming",
        ),
        (
            "get_endpoints 200",
            more(query=(("role", "king"),)),
            "GET /v2/endpoints request: query parameter role: unknown value king",
        ),
        (
            "get_endpoints 200",
            more(query=(("limit", "5"),)),
            "GET /v2/endpoints request: unknown query parameter limit",
        ),
        (
            "get_function 200",
            more(path="/v2/functions/hello"),
            "GET /v2/functions/{function_uuid} request: path parameter function_uuid: "
            "is not of format uuid",
        ),
        (
            "submit 200",
            more(sent=False),
            "POST /v3/endpoints/{endpoint_uuid}/submit request: has no body",
        ),
        ("get_version 200", more(sent=True), "GET /v2/version request: has a body"),
        ("get_version 200", more(answered=False), "GET /v2/version 200: has no body"),
        (
            "get_version 200",
            more(answer=NO_JSON),
            "GET /v2/version 200: has a body that is no JSON",
        ),
        (
            "delete_endpoint 200",
            more(answered=True),
            "DELETE /v3/endpoints/{endpoint_uuid} 200: has a body",
        ),
    ],
)
def test_a_changed_exchange_is_named(name: str, change: Change, line: str) -> None:
    """Fields, values, parameters and bodies that the document does not have."""
    exchanges = everything()
    exchanges[name] = change(exchanges[name])
    assert found(exchanges) == [line]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (more(status=418), "GET /v2/version 418: is not in the document"),
        (more(path="/v4/version"), "GET /v4/version: is not in the document"),
        (more(method="PUT"), "PUT /v2/version: is not in the document"),
        (more(origin="https://a.example.org"), "GET https://a.example.org: is not the service"),
    ],
)
def test_what_the_document_does_not_have_is_named(change: Change, line: str) -> None:
    """Other operations, statuses and services."""
    exchanges = everything()
    exchanges["more"] = change(exchanges["get_version 200"])
    assert found(exchanges) == [line]


def test_a_refused_request_need_not_fit() -> None:
    """What the service calls malformed is recorded as it was sent."""
    exchanges = everything()
    exchanges["submit 422"] = replace(exchanges["submit 422"], request={"tasks": 1})
    assert found(exchanges) == []


def test_a_difference_is_told_once_with_its_first_place() -> None:
    """Two recordings of the same difference."""
    exchanges = everything()
    one = replace(exchanges["get_version 200"], status=418, recording="first")
    recordings = [
        Recording("all.yaml", {}, tuple(exchanges.values())),
        Recording("two.yaml", {}, (one, replace(one, recording="second"))),
    ]
    (difference,) = compare_recordings(DOCUMENT, recordings).differences
    assert difference.detail == "first"


def test_a_word_in_a_path_is_no_parameter() -> None:
    """`/containers/build/<id>` is its own operation, and not a container called `build`."""
    exchanges = everything()
    del exchanges["get_container_build 200"]
    assert found(exchanges) == ["GET /v2/containers/build/{container_uuid} 200: is not recorded"]
