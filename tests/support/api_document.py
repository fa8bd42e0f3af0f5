"""The OpenAPI document as tests read it: its operations, their examples, and checks against it.

Everything is derived from the `openapi.json` that the generated package carries, so that an
operation added to the document is tested without a line added to a test.
"""

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from types import ModuleType
from typing import Any, get_args, get_type_hints
from urllib.parse import unquote
from uuid import UUID

import httpx
import jsonschema_rs

Json = Any
Schema = dict[str, Any]

DOCUMENT: Schema = json.loads(files("gcompute_api").joinpath("openapi.json").read_text("utf-8"))
METHODS = ("get", "put", "post", "delete", "head", "patch", "options")

#: A date-time with its offset from UTC, as RFC 3339 writes it.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def resolve(node: Schema) -> Schema:
    """Follow references in the document until there is none."""
    while "$ref" in node:
        target: Json = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def validator(schema: Schema) -> jsonschema_rs.Draft202012Validator:
    """Return a validator for a schema of the document, formats such as uuid checked."""
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": DOCUMENT["components"]}, validate_formats=True
    )


@dataclass(frozen=True)
class Answer:
    """A documented answer: its status, the schema of its body, and an example of that body."""

    status: int
    #: None for an answer without a body.
    schema: Schema | None
    example: Json
    name: str


@dataclass(frozen=True)
class Operation:
    """One operation of the document, and the generated module that calls it."""

    method: str
    path: str
    spec: Schema

    @property
    def name(self) -> str:
        """The operation's id, which is its module's name."""
        return str(self.spec["operationId"])

    @property
    def module(self) -> ModuleType:
        """The generated module."""
        return importlib.import_module(f"gcompute_api.api.{self.spec['tags'][0]}.{self.name}")

    @property
    def needs_token(self) -> bool:
        """Whether the document asks for a bearer token."""
        return bool(self.spec.get("security"))

    @property
    def parameters(self) -> list[Schema]:
        """The parameters, those of the path item included."""
        shared = DOCUMENT["paths"][self.path].get("parameters", [])
        return [resolve(each) for each in [*shared, *self.spec.get("parameters", [])]]

    @property
    def body_schema(self) -> Schema | None:
        """The schema of the request's body, None when it has no body."""
        body = resolve(self.spec.get("requestBody", {}))
        return body["content"]["application/json"]["schema"] if body else None

    def body_examples(self) -> list[Json]:
        """The examples of the request's body; one None when it has no body."""
        if self.body_schema is None:
            return [None]
        body = resolve(self.spec["requestBody"])
        return [example for _, example in _examples(body["content"]["application/json"])]

    def answers(self) -> Iterator[Answer]:
        """The documented answers, one for each example."""
        for status, node in self.spec["responses"].items():
            content = resolve(node).get("content")
            if not content or self.method == "head":
                yield Answer(int(status), None, None, "empty")
                continue
            media = content["application/json"]
            for name, example in _examples(media):
                yield Answer(int(status), media["schema"], example, name)

    def arguments(self, body: Json, *, optional: bool = True) -> dict[str, Any]:
        """Return keyword arguments for the generated functions, in Python's types.

        Args:
            body: The JSON of the request's body, None for no body.
            optional: Whether to give optional parameters too.
        """
        hints = get_type_hints(self.module.sync_detailed)
        arguments = {
            python_name(each["name"]): to_python(parameter_example(each), hint)
            for each in self.parameters
            if each.get("required") or optional
            for hint in [hints[python_name(each["name"])]]
        }
        return arguments if body is None else {**arguments, "body": to_python(body, hints["body"])}

    def check_request(self, request: httpx.Request, body: Json, *, optional: bool = True) -> None:
        """Assert that a request is what the document says.

        Args:
            request: What the generated code sent.
            body: The JSON that the body must be equal to, None for no body.
            optional: Whether optional parameters were given.
        """
        given = [each for each in self.parameters if each.get("required") or optional]
        assert request.method == self.method.upper()
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        match = re.fullmatch(pattern, request.url.raw_path.partition(b"?")[0].decode())
        assert match, f"{request.url} is not {self.path}"
        assert {name: unquote(value) for name, value in match.groupdict().items()} == {
            each["name"]: str(parameter_example(each)) for each in given if each["in"] == "path"
        }
        assert dict(request.url.params) == {
            each["name"]: str(parameter_example(each)) for each in given if each["in"] == "query"
        }
        for each in given:
            if each["in"] == "header":
                assert request.headers[each["name"]] == str(parameter_example(each))
        assert ("authorization" in request.headers) == self.needs_token
        if self.needs_token:
            assert request.headers["authorization"] == "Bearer a-token"
        if self.body_schema is None:
            assert request.content == b""
        else:
            assert request.headers["content-type"] == "application/json"
            sent = json.loads(request.content)
            validator(self.body_schema).validate(sent)
            assert canonical(sent) == canonical(body)


def operations() -> list[Operation]:
    """Return every operation of the document."""
    return [
        Operation(method, path, item[method])
        for path, item in DOCUMENT["paths"].items()
        for method in METHODS
        if method in item
    ]


def python_name(name: str) -> str:
    """Return a parameter's name as a keyword argument."""
    return re.sub(r"\W", "_", name).lower()


def parameter_example(parameter: Schema) -> Json:
    """Return an example of a parameter: its own, its schema's, or the first value it may have."""
    schema = resolve(parameter["schema"])
    if "example" in parameter:
        return parameter["example"]
    for value in parameter.get("examples", {}).values():
        return resolve(value)["value"]
    for value in (*schema.get("examples", ()), *schema.get("enum", ())):
        return value
    if "example" in schema:
        return schema["example"]
    raise AssertionError(f"the parameter {parameter['name']} has no example")


def to_python(value: Json, hint: Any) -> Any:
    """Return a JSON value as the first of a hint's types that it fits."""
    for kind in get_args(hint) or (hint,):
        if isinstance(value, dict) and hasattr(kind, "from_dict"):
            return kind.from_dict(value)
        if isinstance(value, str) and inspect.isclass(kind) and issubclass(kind, UUID | StrEnum):
            return kind(value)
    return value


def to_json(value: Any) -> Json:
    """Return what a generated operation parsed as JSON again, in the form of `canonical`."""
    if hasattr(value, "to_dict"):
        return canonical(value.to_dict())
    if isinstance(value, list):
        return [to_json(each) for each in value]
    return str(value) if isinstance(value, str | UUID) else value


def canonical(value: Json) -> Json:
    """Return JSON with each moment in one spelling: `Z` and `+00:00` are the same time."""
    if isinstance(value, dict):
        return {key: canonical(each) for key, each in value.items()}
    if isinstance(value, list):
        return [canonical(each) for each in value]
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return datetime.fromisoformat(value).isoformat()
    return value


def _examples(media: Schema) -> list[tuple[str, Json]]:
    """Return the examples of a body: its own by name, or else its schema's."""
    if "examples" in media:
        return [(name, resolve(each)["value"]) for name, each in media["examples"].items()]
    if "example" in media:
        return [("example", media["example"])]
    schema = resolve(media["schema"])
    examples = schema.get("examples", [schema["example"]] if "example" in schema else [])
    assert examples, f"a body has no example: {json.dumps(media)[:200]}"
    return [(f"schema-{index}", example) for index, example in enumerate(examples)]
