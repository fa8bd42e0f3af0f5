"""Answers are liberal: what the service may leave out, null, add or rename still fits."""

from collections.abc import Callable, Iterator

import pytest

from tools.openapi.document import (
    Body,
    Json,
    answer_bodies,
    load_compute,
    resolve,
    validator,
)

#: Changes the fields of one object, given its schema.
Change = Callable[[Json, dict[str, Json]], dict[str, Json]]


def rewrite(document: Json, schema: Json, value: Json, change: Change) -> Json:
    """Return a value with each object of a schema with fields changed, from the outside in."""
    if "anyOf" in schema:
        fits = [each for each in schema["anyOf"] if validator(document, each).is_valid(value)]
        schema = fits[0]
    schema = resolve(document, schema)
    if isinstance(value, list):
        return [rewrite(document, schema["items"], each, change) for each in value]
    if not isinstance(value, dict):
        return value
    fields = schema.get("properties")
    if fields is None:
        inner = schema["additionalProperties"]
        if inner is True:
            return value
        return {key: rewrite(document, inner, each, change) for key, each in value.items()}
    return {
        key: rewrite(document, fields[key], each, change) if key in fields else each
        for key, each in change(schema, value).items()
    }


def only_required(schema: Json, value: dict[str, Json]) -> dict[str, Json]:
    """Leave out every field that is not required."""
    return {key: each for key, each in value.items() if key in schema.get("required", [])}


def optional_null(schema: Json, value: dict[str, Json]) -> dict[str, Json]:
    """Make every field that is not required null."""
    required = schema.get("required", [])
    return {key: value[key] if key in required else None for key in schema["properties"]}


def unknown_added(schema: Json, value: dict[str, Json]) -> dict[str, Json]:
    """Add a field that the document does not have."""
    return {**value, "field_of_tomorrow": {"nested": [1, None]}}


def enumerations_unknown(document: Json) -> Change:
    """Return a change that gives every field of an enumeration a value that is not listed."""

    def change(schema: Json, value: dict[str, Json]) -> dict[str, Json]:
        fields = schema["properties"]
        return {
            key: "value-of-tomorrow" if _is_enumeration(document, fields.get(key, {})) else each
            for key, each in value.items()
        }

    return change


def _is_enumeration(document: Json, schema: Json) -> bool:
    return any(
        "enum" in resolve(document, each) for each in [schema, *schema.get("anyOf", [])] if each
    )


def problems(document: Json, body: Body, change: Change) -> Iterator[str]:
    """Yield what is wrong with a body's examples after a change."""
    for name, example in body.examples.items():
        changed = rewrite(document, body.schema, example, change)
        for error in validator(document, body.schema).iter_errors(changed):
            yield f"{body.name} {name}: {error.message}"


DOCUMENT = load_compute()
ANSWERS = list(answer_bodies(DOCUMENT))
CHANGES: dict[str, Change] = {
    "only the required fields": only_required,
    "null in every optional field": optional_null,
    "an unknown field": unknown_added,
    "an unknown value in every enumeration": enumerations_unknown(DOCUMENT),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
@pytest.mark.parametrize("body", ANSWERS, ids=lambda body: body.name)
def test_answer_may_be_looser(body: Body, change: Change) -> None:
    """An answer that says less, null, more or something new than its examples still fits."""
    assert list(problems(DOCUMENT, body, change)) == []


def _require_a_field(schemas: Json) -> None:
    schemas["Endpoint"]["required"] = ["uuid", "name"]


def _forbid_null(schemas: Json) -> None:
    schemas["Endpoint"]["properties"]["name"]["type"] = "string"


def _forbid_unknown_fields(schemas: Json) -> None:
    schemas["Endpoint"]["additionalProperties"] = False


def _close_an_enumeration(schemas: Json) -> None:
    schemas["Endpoint"]["properties"]["name"] = {"type": "string", "enum": ["cluster", "tutorial"]}


@pytest.mark.parametrize(
    ("tighten", "change"),
    list(
        zip(
            [_require_a_field, _forbid_null, _forbid_unknown_fields, _close_an_enumeration],
            CHANGES,
            strict=True,
        )
    ),
)
def test_a_stricter_answer_is_noticed(tighten: Callable[[Json], None], change: str) -> None:
    """The check above finds an answer that has become stricter in the way it looks for."""
    document = load_compute()
    tighten(document["components"]["schemas"])
    (body,) = (each for each in answer_bodies(document) if each.name == "get_endpoint 200")
    checks = {**CHANGES, "an unknown value in every enumeration": enumerations_unknown(document)}
    if change == "only the required fields":
        # The required field is in the examples; an answer without it is what must not fit.
        for example in body.examples.values():
            example.pop("name")
    assert list(problems(document, body, checks[change]))
