"""Reading `openapi/`: the document, the contract, bodies, examples and validators.

In: the files of `openapi/`. Out: plain JSON values, fresh ones from each `load_…`, so that a caller
may change what it loaded.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tools.codegen.document import load_document

Json = Any

FOLDER = Path(__file__).parents[2] / "openapi"
DOCUMENT_FILE = FOLDER / "compute.yaml"


def load_compute() -> Json:
    """Read the document."""
    return load_document(DOCUMENT_FILE)


def load_contract() -> Json:
    """Read the contract."""
    return json.loads((FOLDER / "compute-api-contract.json").read_text("utf-8"))


def load_deviations() -> Json:
    """Read the list of deviations."""
    return yaml.safe_load((FOLDER / "deviations.yaml").read_text("utf-8"))


@dataclass(frozen=True)
class Body:
    """A request or answer that has a body."""

    #: Such as `submit request` or `submit 200`.
    name: str
    schema: Json
    #: Example bodies by name.
    examples: dict[str, Json]


def resolve(document: Json, node: Json) -> Json:
    """Follow references until there is none."""
    while "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield method in capitals, path and operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def request_bodies(document: Json) -> Iterator[Body]:
    """Yield the body of each request that has one."""
    for _, _, operation in operations(document):
        if "requestBody" in operation:
            yield _body(document, f"{operation['operationId']} request", operation["requestBody"])


def answer_bodies(document: Json) -> Iterator[Body]:
    """Yield the body of each documented answer that has one."""
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            answer = resolve(document, answer)
            if "content" in answer:
                yield _body(document, f"{operation['operationId']} {status}", answer)


def validator(document: Json, schema: Json) -> Draft202012Validator:
    """Return a validator for a schema of the document, which checks formats too."""
    return Draft202012Validator(
        {**schema, "components": document["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def _body(document: Json, name: str, node: Json) -> Body:
    media = node["content"]["application/json"]
    examples = {
        key: resolve(document, each)["value"] for key, each in media.get("examples", {}).items()
    }
    return Body(name, media["schema"], examples)
