"""What a value has that its schema does not say is one short line, without ids."""

import pytest

from tools.drift.strictness import problems, strict
from tools.openapi.document import Json, load_compute, validator

ID = "4b116d3c-1703-4f8f-9f6f-39921e5864df"
DOCUMENT: Json = {
    "components": {
        "schemas": {
            "Kind": {"type": "string", "enum": ["old", "new"]},
            "Thing": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "kind": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Kind"},
                            {"type": "string"},
                            {"type": "null"},
                        ]
                    },
                    "size": {"type": ["integer", "null"]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                    # A field that is called like a keyword is a field.
                    "properties": {"$ref": "#/components/schemas/Map"},
                    "of": {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
                    "loc": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                },
            },
            "Map": {
                "type": "object",
                "additionalProperties": {"$ref": "#/components/schemas/Thing"},
            },
            "Free": {"type": "object", "additionalProperties": True},
        }
    }
}


def found(value: Json, schema: str = "Thing") -> list[str]:
    """Tell what is wrong with a value."""
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return list(problems(strict(DOCUMENT), reference, value))


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"id": ID}, []),
        ({"id": ID, "kind": "new", "size": None, "of": {"id": ID}, "loc": 1}, []),
        ({"id": ID, "kind": None, "properties": {ID: {"id": ID}}}, []),
        ({"id": ID, "colour": 1, "taste": 2}, ["unknown field colour", "unknown field taste"]),
        ({"size": 1}, ["no field id"]),
        ({"id": "thing"}, ["id: is not of format uuid"]),
        ({"id": ID, "size": "1"}, ["size: is string, not integer or null"]),
        ({"id": ID, "size": True}, ["size: is boolean, not integer or null"]),
        ({"id": ID, "kind": "newer"}, ["kind: unknown value newer"]),
        ({"id": ID, "parts": [{"id": ID}, {"id": ID, "x": 1}]}, ["parts[]: unknown field x"]),
        ({"id": ID, "parts": [{}, {}]}, ["parts[]: no field id"]),
        ({"id": ID, "properties": {ID: {"id": 1}}}, ["properties.{id}.id: is integer, not string"]),
        ({"id": ID, "of": {"id": ID, "x": 1}}, ["of: unknown field x"]),
        ({"id": ID, "loc": [1]}, ["loc: does not fit anyOf"]),
        ([], ["is array, not object"]),
    ],
)
def test_problems(value: Json, lines: list[str]) -> None:
    """Fields, types, formats and named values, wherever they are."""
    assert found(value) == lines


def test_free_objects_stay_free() -> None:
    """An object that may hold anything still may."""
    assert found({"anything": [1]}, "Free") == []


def test_the_document_itself_stays_liberal() -> None:
    """Making it strict changes a copy."""
    document = load_compute()
    strict(document)
    error = {"$ref": "#/components/schemas/Error"}
    assert validator(document, error).is_valid({"field_of_tomorrow": 1})
    assert not validator(strict(document), error).is_valid({"field_of_tomorrow": 1})
