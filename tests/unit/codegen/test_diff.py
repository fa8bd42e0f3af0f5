"""`--diff`: each kind of change, in requests and in answers, and whether it breaks callers.

The document under test has one schema, which callers send *and* receive; most changes therefore
come twice, once for each direction, and break callers in at most one of them.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.codegen.conftest import Document
from tools.codegen.diff import diff_documents
from tools.codegen.errors import CodegenError

Edit = Callable[[Document], None]


def operation(document: Document) -> dict[str, Any]:
    """Return the one operation of the small document."""
    found: dict[str, Any] = document["paths"]["/things/{thing_id}"]["put"]
    return found


def thing(document: Document) -> dict[str, Any]:
    """Return the schema that is both sent and received."""
    found: dict[str, Any] = document["components"]["schemas"]["Thing"]
    return found


def put(value: object, *path: str) -> Edit:
    """Return an edit that sets a value in the schema, at a path."""

    def edit(document: Document) -> None:
        node = thing(document)
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = copy.deepcopy(value)

    return edit


def put_in_operation(value: object, *path: str) -> Edit:
    """Return an edit that sets a value in the operation, at a path."""

    def edit(document: Document) -> None:
        node = operation(document)
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = copy.deepcopy(value)

    return edit


def differences(old: Document, *edits: Edit) -> set[tuple[str, str, bool]]:
    """Return the changes that edits make to a document."""
    new = copy.deepcopy(old)
    for edit in edits:
        edit(new)
    return {(change.where, change.what, change.breaks) for change in diff_documents(old, new)}


REQUEST, ANSWER = "Thing (request)", "Thing (answer)"

SCHEMA_CHANGES = {
    "optional field added": (
        put({"type": "string"}, "properties", "note"),
        "optional field added",
        " .note",
        False,
        False,
    ),
    "optional becomes required": (
        put(["name", "size"], "required"),
        "optional -> required",
        " .size",
        True,
        False,
    ),
    "required becomes optional": (
        put([], "required"),
        "required -> optional",
        " .name",
        False,
        True,
    ),
    "field removed": (
        lambda document: thing(document)["properties"].pop("size"),
        "field removed",
        " .size",
        True,
        True,
    ),
    "type changed": (
        put({"type": "boolean"}, "properties", "name"),
        "type string -> boolean",
        " .name",
        True,
        True,
    ),
    "null no longer allowed": (
        put({"type": "integer"}, "properties", "size"),
        "type integer | null -> integer",
        " .size",
        True,
        False,
    ),
    "null allowed": (
        put({"type": ["string", "null"]}, "properties", "name"),
        "type string -> null | string",
        " .name",
        False,
        True,
    ),
    "integer becomes number": (
        put({"type": ["number", "null"]}, "properties", "size"),
        "type integer | null -> null | number",
        " .size",
        False,
        True,
    ),
    "text becomes id": (
        put({"type": "string", "format": "uuid"}, "properties", "name"),
        "type string -> string uuid",
        " .name",
        True,
        True,
    ),
    "type opened": (
        put({}, "properties", "name"),
        "type string -> any",
        " .name",
        False,
        True,
    ),
    "limit added": (
        put(10, "properties", "name", "maxLength"),
        "maxLength none -> 10",
        " .name",
        True,
        False,
    ),
    "unnamed fields forbidden": (
        put(False, "additionalProperties"),
        "unnamed fields no longer allowed",
        "",
        True,
        False,
    ),
    "default added": (
        put("x", "properties", "name", "default"),
        'default none -> "x"',
        " .name",
        False,
        False,
    ),
}


@pytest.mark.parametrize(
    ("edit", "what", "field", "breaks_request", "breaks_answer"),
    SCHEMA_CHANGES.values(),
    ids=SCHEMA_CHANGES.keys(),
)
def test_change_of_a_schema(
    small: Document, edit: Edit, what: str, field: str, breaks_request: bool, breaks_answer: bool
) -> None:
    """A change is reported once a direction; who writes and who reads decides what breaks."""
    assert differences(small, edit) == {
        (f"{REQUEST}{field}", what, breaks_request),
        (f"{ANSWER}{field}", what, breaks_answer),
    }


def test_required_field_added_breaks_those_who_send(small: Document) -> None:
    """A new field that must be sent was not sent by old callers; readers do not mind it."""
    add = put({"type": "string"}, "properties", "owner")
    assert differences(small, add, put(["name", "owner"], "required")) == {
        (f"{REQUEST} .owner", "required field added", True),
        (f"{ANSWER} .owner", "required field added", False),
    }


@pytest.mark.parametrize(
    ("values", "what", "breaks_request", "breaks_answer"),
    [
        (["red", "blue", "green"], 'value "green" added', False, True),
        (["red"], 'value "blue" removed', True, False),
    ],
)
def test_values_of_an_enumeration(
    small: Document, values: list[str], what: str, breaks_request: bool, breaks_answer: bool
) -> None:
    """Old readers know no new value, and old writers may send what is no longer one."""

    def edit(document: Document) -> None:
        document["components"]["schemas"]["Color"]["enum"] = values

    assert differences(small, edit) == {
        ("Color (request)", what, breaks_request),
        ("Color (answer)", what, breaks_answer),
    }


def test_enumeration_beside_plain_text_is_open(small: Document) -> None:
    """Where any text may come, a new value breaks nobody; a member that went breaks its users."""
    color = {"anyOf": [{"$ref": "#/components/schemas/Color"}, {"type": "string"}]}
    put(color, "properties", "color")(small)

    def edit(document: Document) -> None:
        document["components"]["schemas"]["Color"]["enum"] = ["red", "green"]

    assert differences(small, edit) == {
        ("Color", 'value "blue" removed', True),
        ("Color", 'value "green" added', False),
    }


BODY = "PUT /things/{thing_id}"
DEPTH = {"name": "depth", "in": "query", "schema": {"type": "integer"}}
ID = {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"}}
PLAIN: dict[str, Any] = {"description": "x"}
TEXT = {"description": "x", "content": {"text/plain": {"schema": {"type": "string"}}}}
PARAMETER = "query parameter `depth`"

OPERATION_CHANGES = {
    "renamed": (
        put_in_operation("store_thing", "operationId"),
        "function renamed: operationId put_thing -> store_thing",
        True,
    ),
    "moved": (
        put_in_operation(["stuff"], "tags"),
        "module renamed: tags ['things'] -> ['stuff']",
        True,
    ),
    "deprecated": (put_in_operation(True, "deprecated"), "deprecated", False),
    "token": (put_in_operation([{"x": []}], "security"), "now needs a token", True),
    "parameter removed": (put_in_operation([ID], "parameters"), f"{PARAMETER} removed", True),
    "parameter required": (
        put_in_operation([ID, {**DEPTH, "required": True}], "parameters"),
        f"{PARAMETER} optional -> required",
        True,
    ),
    "optional parameter added": (
        put_in_operation([ID, DEPTH, {**DEPTH, "name": "page"}], "parameters"),
        "optional query parameter `page` added",
        False,
    ),
    "required parameter added": (
        put_in_operation([ID, DEPTH, {**DEPTH, "name": "page", "required": True}], "parameters"),
        "required query parameter `page` added",
        True,
    ),
    "body optional": (
        put_in_operation(False, "requestBody", "required"),
        "request body required -> optional",
        False,
    ),
    "error added": (put_in_operation(PLAIN, "responses", "403"), "status 403 added", False),
    "success added": (put_in_operation(PLAIN, "responses", "202"), "status 202 added", True),
    "status removed": (
        lambda document: operation(document)["responses"].pop("404"),
        "status 404 removed",
        True,
    ),
}


@pytest.mark.parametrize(
    ("edit", "what", "breaks"), OPERATION_CHANGES.values(), ids=OPERATION_CHANGES.keys()
)
def test_change_of_an_operation(small: Document, edit: Edit, what: str, breaks: bool) -> None:
    """Names, places, parameters, token and statuses are what a call depends on."""
    assert differences(small, edit) == {(BODY, what, breaks)}


def test_parameter_type_is_compared_as_a_request(small: Document) -> None:
    """A parameter is written by callers."""
    edit = put_in_operation([ID, {**DEPTH, "schema": {"type": "string"}}], "parameters")
    assert differences(small, edit) == {(f"{BODY} {PARAMETER}", "type integer -> string", True)}


def test_another_media_type_is_another_body(small: Document) -> None:
    """An answer that comes in another form cannot be read by old callers."""
    assert differences(small, put_in_operation(TEXT, "responses", "200")) == {
        (f"{BODY} 200", "application/json removed", True),
        (f"{BODY} 200", "text/plain added", True),
    }


def test_operations_added_and_removed(small: Document) -> None:
    """A new operation breaks nobody, a removed one its callers, its models with it."""

    def edit(document: Document) -> None:
        document["paths"] = {"/v2": {"get": {"operationId": "get_it", "responses": {}}}}
        document["components"] = {"schemas": {"Other": {"type": "object"}}}

    assert differences(small, edit) == {
        (BODY, "operation removed", True),
        ("GET /v2", "operation added: get_it", False),
        ("Thing", "model removed", True),
        ("Color", "model removed", True),
        ("Other", "model added", False),
    }


def test_schemas_that_contain_themselves_come_to_an_end(small: Document) -> None:
    """A tree of things is compared once, below the name it has."""
    inner = {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]}
    put({"type": "array", "items": inner}, "properties", "parts")(small)
    edit = put(True, "properties", "name", "deprecated")
    assert differences(small, edit) == set()
    assert differences(small, put({"type": "integer"}, "properties", "name")) == {
        (f"{REQUEST} .name", "type string -> integer", True),
        (f"{ANSWER} .name", "type string -> integer", True),
    }


def test_items_and_unnamed_fields_are_compared(small: Document) -> None:
    """Changes within arrays, tuples and maps are found where they are."""
    text, number = {"type": "string"}, {"type": "number"}
    put({"type": "array", "items": text}, "properties", "list")(small)
    put({"type": "array", "prefixItems": [text, text]}, "properties", "pair")(small)
    put({"type": "object", "additionalProperties": text}, "properties", "map")(small)
    found = differences(
        small,
        put(number, "properties", "list", "items"),
        put([text, number], "properties", "pair", "prefixItems"),
        put(number, "properties", "map", "additionalProperties"),
    )
    assert found == {
        (f"{where} {place}", "type string -> number", True)
        for where in (REQUEST, ANSWER)
        for place in (".list []", ".pair [1]", ".map .*")
    }


def test_all_of_is_the_sum_of_its_parts(small: Document) -> None:
    """Moving fields to a shared part changes nothing for callers."""

    def edit(document: Document) -> None:
        whole = thing(document)
        name = whole["properties"].pop("name")
        part = {"type": "object", "required": ["name"], "properties": {"name": name}}
        document["components"]["schemas"]["Thing"] = {"allOf": [part, {**whole, "required": []}]}

    assert differences(small, edit) == set()


def test_texts_and_examples_change_nothing(small: Document) -> None:
    """What only people read is no change for callers."""
    edit = put("Other words.", "properties", "name", "description")
    assert differences(small, edit, put_in_operation("Store.", "summary")) == set()


def test_reference_to_nothing_is_an_error(small: Document) -> None:
    """A document with a broken reference cannot be compared, and the message names it."""
    edit = put({"$ref": "#/components/schemas/Gone"}, "properties", "name")
    with pytest.raises(CodegenError, match="components/schemas/Gone' points to nothing"):
        differences(small, edit)
