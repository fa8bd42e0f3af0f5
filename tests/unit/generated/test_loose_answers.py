"""Answers that are looser than the document's examples: real ones are.

From each example four looser answers are made, by the schema it belongs to: with null in every
optional field, with only the required fields, with fields nobody documented, and with values
that no enumeration lists. Each must be parsed, and lose nothing.
"""

from collections.abc import Callable, Iterator

import httpx
import pytest
from gcompute_api import AuthenticatedClient

from tests.support.api_document import (
    Answer,
    Json,
    Operation,
    Schema,
    canonical,
    operations,
    resolve,
    to_json,
    validator,
)

#: Takes an object's schema and the object, and returns a looser object.
Rule = Callable[[Schema, Json], Json]


def loosen(schema: Schema, value: Json, rule: Rule) -> Json:
    """Apply a rule to a value and to all that is in it, innermost first."""
    schema = fitting(schema, value)
    if isinstance(value, list):
        items = schema.get("items", {})
        value = [loosen(items, each, rule) for each in value]
    elif isinstance(value, dict):
        fields, rest = schema.get("properties", {}), schema.get("additionalProperties", {})
        rest = rest if isinstance(rest, dict) else {}
        value = {key: loosen(fields.get(key, rest), each, rule) for key, each in value.items()}
    return rule(schema, value)


def fitting(schema: Schema, value: Json) -> Schema:
    """Return the branch of a schema that a value belongs to, references resolved."""
    schema = resolve(schema)
    for branch in schema.get("anyOf") or schema.get("oneOf") or ():
        if validator(branch).is_valid(value):
            return fitting(branch, value)
    return schema


def nulls(schema: Schema, value: Json) -> Json:
    """Put null in every optional field that holds a plain value, and add those that are absent."""
    if not isinstance(value, dict):
        return value
    required = schema.get("required", ())
    absent = {name: None for name in schema.get("properties", {}) if name not in value}
    return {
        **{
            name: each if name in required or isinstance(each, dict | list) else None
            for name, each in value.items()
        },
        **{name: None for name in absent if name not in required},
    }


def all_nulls(schema: Schema, value: Json) -> Json:
    """Put null in every optional field, also in place of objects and lists."""
    if not isinstance(value, dict):
        return value
    required = schema.get("required", ())
    named = dict.fromkeys(schema.get("properties", {}))
    return {**named, **{name: value[name] for name in value if name in required}}


def required_only(schema: Schema, value: Json) -> Json:
    """Leave out every field that may be left out."""
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    return {name: each for name, each in value.items() if name in schema.get("required", ())}


def unknown_fields(schema: Schema, value: Json) -> Json:
    """Add a field that the document does not know to every object with fields of its own."""
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    return {**value, "a_field_of_tomorrow": {"nested": [1, None, "x"]}}


def unknown_values(schema: Schema, value: Json) -> Json:
    """Replace each value of an enumeration by one that it does not list."""
    return "a-value-of-tomorrow" if "enum" in schema else value


def cases() -> Iterator[object]:
    """Every answer with a body, loosened by every rule."""
    for operation in operations():
        for answer in operation.answers():
            if answer.schema is not None:
                for rule in (nulls, all_nulls, required_only, unknown_fields, unknown_values):
                    name = f"{operation.name}-{answer.status}-{answer.name}-{rule.__name__}"
                    yield pytest.param(operation, answer, rule, id=name)


@pytest.mark.parametrize(("operation", "answer", "rule"), list(cases()))
def test_loose_answer_is_parsed_and_keeps_all_it_holds(
    operation: Operation, answer: Answer, rule: Rule
) -> None:
    """Nulls, missing fields, unknown fields and unknown values raise nothing and lose nothing."""
    assert answer.schema is not None
    loose = loosen(answer.schema, answer.example, rule)
    response = httpx.Response(answer.status, json=loose)
    client = AuthenticatedClient("http://service.test", token="a-token")
    parsed = operation.module._parse_response(client=client, response=response)
    assert to_json(parsed) == canonical(loose)


def test_rules_change_what_they_are_to_change() -> None:
    """The rules make the looser answers that the tests above are about."""
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string"},
            "size": {"type": "integer"},
            "state": {"anyOf": [{"enum": ["on", "off"]}, {"type": "string"}]},
            "inner": {"type": "object", "properties": {"a": {}}},
        },
    }
    value = {"id": "x", "state": "on", "inner": {"a": 1}}
    assert loosen(schema, value, nulls) == {
        "id": "x",
        "size": None,
        "state": None,
        "inner": {"a": None},
    }
    assert loosen(schema, value, all_nulls) == {
        "id": "x",
        "size": None,
        "state": None,
        "inner": None,
    }
    assert loosen(schema, value, required_only) == {"id": "x"}
    assert loosen(schema, value, unknown_values)["state"] == "a-value-of-tomorrow"
    unknown = loosen(schema, value, unknown_fields)
    assert "a_field_of_tomorrow" in unknown
    assert "a_field_of_tomorrow" in unknown["inner"]
