"""What the contract and the document each say, as comparable facts.

In: the loaded JSON of `openapi/compute-api-contract.json` or the loaded `openapi/compute.yaml`.
Out: a `Facts` mapping. A subject is an operation (`GET /v2/version`), one of its parts
(`GET /v2/version query service`, `POST /v2/submit request`, `POST /v2/submit 200`), a schema
(`TaskResult`) or a field (`TaskResult.status`); its facts are short values by aspect, such as
`{"type": "string(uuid)", "required": True, "nullable": False}`. Prose and examples are no facts.

A type is one line of text, the same for the same meaning on both sides: `array of (integer |
string)`, `map of TaskResult`, `tuple(string, string)`. Every keyword of JSON Schema that these
lines do not express raises `UnknownKeyword`, so that nothing in the document escapes comparison.
"""

from collections.abc import Mapping, Set
from typing import Any

Json = Any
Facts = dict[str, dict[str, Json]]

#: Keywords that say nothing about which values are valid, or that are facts of their own.
ANNOTATIONS = frozenset({"description", "example", "examples", "deprecated", "default"})
#: Keywords of the contract that are facts of their own.
CONTRACT_FLAGS = frozenset({"required", "nullable"})
#: The field that marks a schema of the contract as an enumeration.
ENUMERATION = "$self"


class UnknownKeyword(Exception):
    """A schema uses a keyword that the comparison cannot express."""


def contract_facts(contract: Json, names: Mapping[str, str]) -> Facts:
    """Return the contract's facts.

    Args:
        contract: The loaded contract.
        names: The document's name for each schema of the contract that has another one there.
    """
    facts: Facts = {}
    for operation in contract["operations"]:
        subject = f"{operation['method']} {operation['path']}"
        facts[subject] = {
            "operation_id": operation["operation_id"],
            "deprecated": operation["deprecated"],
        }
        for place in ("path", "query", "header"):
            for name, schema in operation[f"{place}_params"].items():
                facts[f"{subject} {place} {name}"] = {
                    "type": type_line(_keywords(schema), names),
                    "required": schema["required"],
                }
        if operation["request_schema"] is not None:
            facts[f"{subject} request"] = {"type": type_line(operation["request_schema"], names)}
        for status, schema in operation["responses"].items():
            facts[f"{subject} {status}"] = {"type": type_line(schema, names)}
    for contract_name, fields in contract["schemas"].items():
        schema_name = names.get(contract_name, contract_name)
        facts[schema_name] = {}
        for name, schema in fields.items():
            if name == ENUMERATION:
                facts[schema_name] = {"type": type_line(_keywords(schema), names)}
                continue
            facts[f"{schema_name}.{name}"] = {
                "type": type_line(_keywords(schema), names),
                "required": schema["required"],
                "nullable": schema["nullable"],
                "default": schema.get("default"),
                "deprecated": schema.get("deprecated", False),
            }
    return facts


def document_facts(document: Json, inline: Set[str]) -> tuple[Facts, dict[str, set[str]]]:
    """Return the document's facts, and where it uses the components in `inline`.

    Args:
        document: The loaded document.
        inline: Components that stand for what the contract writes in place. Each counts as what
            it holds wherever it is used, and is no subject of its own.

    Returns:
        The facts, and the subjects that refer to each component of `inline`.
    """
    reader = _Document(document, inline)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            reader.add_operation(f"{method.upper()} {path}", operation)
    for name, schema in document["components"]["schemas"].items():
        if name not in inline:
            reader.add_schema(name, schema)
    return reader.facts, reader.uses


def answer_schemas(document: Json) -> set[str]:
    """Return the names of all schemas that an answer of the document can contain."""
    components = document["components"]
    found: set[str] = set()
    pending: list[Json] = [components["responses"]]
    pending += [op["responses"] for item in document["paths"].values() for op in item.values()]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, dict):
            # What stands under `examples` is data, not schema.
            pending += [value for key, value in node.items() if key != "examples"]
            kind, _, name = str(node.get("$ref", "")).rpartition("/")
            if kind == "#/components/schemas" and name not in found:
                found.add(name)
                pending.append(components["schemas"][name])
    return found


def type_line(schema: Json, names: Mapping[str, str]) -> str:
    """Return one line of text for the values that a schema allows, null left out of account."""
    rest = {key: value for key, value in schema.items() if key not in ANNOTATIONS}
    kind = rest.pop("type", None)
    if isinstance(kind, list):
        (kind,) = [each for each in kind if each != "null"]
    line = _line(kind, rest, names)
    if rest:
        raise UnknownKeyword(f"{sorted(rest)} in {schema}")
    return line


def _line(kind: str | None, rest: dict[str, Json], names: Mapping[str, str]) -> str:
    """Return the line for a schema; take the keywords that it expresses out of `rest`."""
    if "$ref" in rest:
        name = rest.pop("$ref").rpartition("/")[2]
        return names.get(name, name)
    if kind is not None and kind.startswith("ref:"):
        return names.get(kind[4:], kind[4:])
    if "anyOf" in rest:
        choices = [each for each in rest.pop("anyOf") if each.get("type") != "null"]
        return " | ".join(sorted(type_line(each, names) for each in choices))
    if "enum" in rest:
        return f"one {kind} of {', '.join(rest.pop('enum'))}"
    if kind == "array":
        return _array_line(rest, names)
    if kind == "object":
        values = rest.pop("additionalProperties")
        return "free-form object" if values is True else f"map of {type_line(values, names)}"
    if kind is None or kind == "unknown":
        return "anything"
    return f"{kind}({rest.pop('format')})" if "format" in rest else kind


def _array_line(rest: dict[str, Json], names: Mapping[str, str]) -> str:
    if "prefixItems" in rest:
        line = ", ".join(type_line(each, names) for each in rest.pop("prefixItems"))
        bounds = [f"{key}={rest.pop(key)}" for key in ("minItems", "maxItems") if key in rest]
        return " ".join([f"tuple({line})", *bounds])
    items = type_line(rest.pop("items"), names)
    return f"array of ({items})" if "|" in items else f"array of {items}"


def _keywords(schema: Json) -> Json:
    """Return a field or parameter of the contract without the flags that are no keywords."""
    return {key: value for key, value in schema.items() if key not in CONTRACT_FLAGS}


class _Document:
    """Collects the facts of a document."""

    def __init__(self, document: Json, inline: Set[str]) -> None:
        self._components = document["components"]
        self._inline = inline
        self.facts: Facts = {}
        #: The subjects that refer to each component which stands for something written in place.
        self.uses: dict[str, set[str]] = {name: set() for name in inline}

    def add_operation(self, subject: str, operation: Json) -> None:
        (tag,) = operation["tags"]
        self.facts[subject] = {
            "operation_id": operation["operationId"],
            "deprecated": operation.get("deprecated", False),
            "tag": tag,
            "security": operation.get("security"),
        }
        for parameter in operation.get("parameters", []):
            parameter = self._component("parameters", parameter)
            name = f"{subject} {parameter['in']} {parameter['name']}"
            self.facts[name] = {
                "type": self._type(name, parameter["schema"]),
                "required": parameter.get("required", False),
            }
        if "requestBody" in operation:
            self._add_body(f"{subject} request", operation["requestBody"])
        for status, answer in operation["responses"].items():
            self._add_body(f"{subject} {status}", self._component("responses", answer))

    def add_schema(self, name: str, schema: Json) -> None:
        if "properties" not in schema:
            self.facts[name] = {"type": type_line(schema, {})}
            return
        unknown = set(schema) - ANNOTATIONS - {"type", "required", "properties"}
        if unknown:
            raise UnknownKeyword(f"{sorted(unknown)} in {name}")
        self.facts[name] = {}
        for field, field_schema in schema["properties"].items():
            subject = f"{name}.{field}"
            self.facts[subject] = {
                "type": self._type(subject, field_schema),
                "required": field in schema.get("required", []),
                "nullable": "null" in field_schema.get("type", [])
                or {"type": "null"} in field_schema.get("anyOf", []),
                "default": field_schema.get("default"),
                "deprecated": field_schema.get("deprecated", False),
            }

    def _add_body(self, subject: str, body: Json) -> None:
        if "content" not in body:
            self.facts[subject] = {"type": "no body"}
            return
        ((media_type, media),) = body["content"].items()
        assert media_type == "application/json", subject
        self.facts[subject] = {"type": self._type(subject, media["schema"])}

    def _type(self, subject: str, schema: Json) -> str:
        return type_line(self._expand(subject, schema), {})

    def _expand(self, subject: str, schema: Json) -> Json:
        """Put what an inline component holds in place of a reference to it."""
        if "anyOf" in schema:
            choices = [each for each in schema["anyOf"] if each != {"type": "null"}]
            if len(choices) == 1:
                return self._expand(subject, choices[0])
        name = schema.get("$ref", "").rpartition("/")[2]
        if name not in self._inline:
            return schema
        self.uses[name].add(subject)
        return self._components["schemas"][name]

    def _component(self, kind: str, node: Json) -> Json:
        reference = node.get("$ref")
        return self._components[kind][reference.rpartition("/")[2]] if reference else node
