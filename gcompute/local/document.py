"""The OpenAPI document as the service uses it: its operations, and validators of requests.

The document is the only source of routes and checks. :func:`operations` reads it once from the
generated package, where ``codegen.py`` puts it as JSON; each operation knows its path, method,
security and the validators of its parameters and its body. A validator is compiled when an
operation is first asked for, as compiling all of them would lengthen every start.

Checks follow the document and nothing else; formats (``uuid``) are checked too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any

import jsonschema_rs

from .errors import FieldError

#: Where the document is for ``$ref`` in the schemas that are compiled here.
_DOCUMENT_URI = "urn:gcompute:openapi"
_METHODS = ("get", "put", "post", "delete", "head")
Schema = dict[str, Any]


class DocumentMissing(Exception):
    """The OpenAPI document is not in the installed package."""


@cache
def document() -> dict[str, Any]:
    """Load the OpenAPI document."""
    path = resources.files("gcompute_api") / "openapi.json"
    try:
        loaded: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DocumentMissing(
            f"{path} is missing: in a checkout run `python codegen.py`, else reinstall gcompute"
        ) from error
    return loaded


@cache
def _registry() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([(_DOCUMENT_URI, document())], draft=jsonschema_rs.Draft202012)


def resolve(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a ``$ref`` to a component, if it is one."""
    while "$ref" in value:
        value = _at(value["$ref"])
    return value


def _at(reference: str) -> Mapping[str, Any]:
    node: Any = document()
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    found: Mapping[str, Any] = node
    return found


def compile_schema(schema: Schema) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema of the document; its references lead into the document."""
    return jsonschema_rs.Draft202012Validator(
        _absolute(schema), registry=_registry(), validate_formats=True
    )


def _absolute(node: Any) -> Any:
    """Point the references of a part of the document to the whole document."""
    if isinstance(node, dict):
        return {
            key: f"{_DOCUMENT_URI}{value}" if key == "$ref" else _absolute(value)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_absolute(item) for item in node]
    return node


def wrong_fields(
    validator: jsonschema_rs.Draft202012Validator, value: Any, *where: str
) -> list[FieldError]:
    """Give what is wrong with a value, at most twenty findings; nothing for a valid one."""
    if validator.is_valid(value):
        return []
    found: list[FieldError] = []
    for error in validator.iter_errors(value):
        rule = str(error.schema_path[-1]) if error.schema_path else "schema"
        found.append(
            {
                "loc": [*where, *error.instance_path],
                # A message quotes the wrong value, which may be a payload of megabytes.
                "msg": error.message if len(error.message) <= 300 else f"{error.message[:300]}...",
                "type": rule,
            }
        )
        if len(found) == 20:
            break
    return found


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation, in its path or its query."""

    name: str
    where: str
    required: bool
    schema: Schema


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    operation_id: str
    method: str
    path: str
    definition: Mapping[str, Any]

    @property
    def needs_token(self) -> bool:
        """Whether it is for known users only."""
        security = self.definition.get("security", document().get("security", []))
        return bool(security)

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The parameters of path and query."""
        found = [resolve(parameter) for parameter in self.definition.get("parameters", [])]
        return [
            Parameter(p["name"], p["in"], p.get("required", False), p["schema"])
            for p in found
            if p["in"] in ("path", "query")
        ]

    @cached_property
    def _parameter_validators(self) -> list[tuple[Parameter, jsonschema_rs.Draft202012Validator]]:
        return [(parameter, compile_schema(parameter.schema)) for parameter in self.parameters]

    @cached_property
    def body_validator(self) -> jsonschema_rs.Draft202012Validator | None:
        """The validator of the request's body, ``None`` for an operation without."""
        body = self.definition.get("requestBody")
        if body is None:
            return None
        return compile_schema(resolve(body)["content"]["application/json"]["schema"])

    def wrong_parameters(
        self, path: Mapping[str, str], query: Mapping[str, str]
    ) -> list[FieldError]:
        """Give what is wrong with the parameters of a request. All of them are text."""
        given: dict[str, Mapping[str, str]] = {"path": path, "query": query}
        found: list[FieldError] = []
        for parameter, validator in self._parameter_validators:
            value = given[parameter.where].get(parameter.name)
            if value is not None:
                found += wrong_fields(validator, value, parameter.where, parameter.name)
            elif parameter.required:
                loc: list[str | int] = [parameter.where, parameter.name]
                found.append({"loc": loc, "msg": "Field required", "type": "missing"})
        return found

    def wrong_body(self, body: Any) -> list[FieldError]:
        """Give what is wrong with the body of a request."""
        validator = self.body_validator
        return [] if validator is None else wrong_fields(validator, body, "body")

    @cached_property
    def tells_errors_plainly(self) -> bool:
        """Whether a 422 is only a list of fields, without the service's error body around it."""
        response = self.definition["responses"].get("422")
        content = {} if response is None else resolve(response).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        return not any("http_status_code" in s.get("properties", {}) for s in _branches(schema))


def _branches(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    schema = resolve(schema)
    yield schema
    for branch in schema.get("anyOf", []):
        yield from _branches(branch)


@cache
def operations() -> dict[str, Operation]:
    """Give all operations by their operation ids."""
    return {
        definition["operationId"]: Operation(
            definition["operationId"], method.upper(), path, definition
        )
        for path, item in document()["paths"].items()
        for method, definition in item.items()
        if method in _METHODS
    }
