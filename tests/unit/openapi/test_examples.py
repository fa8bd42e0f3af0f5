"""Each request and each answer has examples, and each example is what its schema says."""

from collections.abc import Iterator

import pytest

from tools.openapi.document import (
    Body,
    Json,
    answer_bodies,
    load_compute,
    request_bodies,
    resolve,
    validator,
)

DOCUMENT = load_compute()
BODIES = [*request_bodies(DOCUMENT), *answer_bodies(DOCUMENT)]
EXAMPLES = [
    pytest.param(body, example, id=f"{body.name} {name}")
    for body in BODIES
    for name, example in body.examples.items()
]
PARAMETERS = [
    resolve(DOCUMENT, each)
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
    for each in operation.get("parameters", [])
]


def named_fields(schema: Json, value: Json) -> Iterator[str]:
    """Yield `Schema.field` for each field of a named schema that a value has."""
    if "anyOf" in schema:
        fits = [each for each in schema["anyOf"] if validator(DOCUMENT, each).is_valid(value)]
        schema = fits[0]
    name = schema.get("$ref", "").rpartition("/")[2]
    schema = resolve(DOCUMENT, schema)
    if isinstance(value, dict):
        for key, each in value.items():
            if key in schema.get("properties", {}):
                yield f"{name}.{key}"
                yield from named_fields(schema["properties"][key], each)
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from named_fields(schema["additionalProperties"], each)
    elif isinstance(value, list) and "items" in schema:
        for each in value:
            yield from named_fields(schema["items"], each)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
def test_body_has_an_example(body: Body) -> None:
    """Each request and documented answer with a body has at least one example."""
    assert body.examples


@pytest.mark.parametrize(("body", "example"), EXAMPLES)
def test_example_is_valid(body: Body, example: Json) -> None:
    """An example is what its schema says, formats such as uuid and date-time included."""
    validator(DOCUMENT, body.schema).validate(example)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda parameter: parameter["name"])
def test_parameter_example_is_valid(parameter: Json) -> None:
    """A parameter's example is what its schema says."""
    validator(DOCUMENT, parameter["schema"]).validate(parameter["example"])


@pytest.mark.parametrize(
    ("schema", "bad"),
    [
        ({"type": "string", "format": "uuid"}, "4b116d3c"),
        ({"type": "string", "format": "date-time"}, "2025-07-01 at noon"),
    ],
)
def test_formats_are_checked(schema: Json, bad: str) -> None:
    """The validator that the other tests use rejects a malformed uuid and date."""
    assert not validator(DOCUMENT, schema).is_valid(bad)


def test_examples_show_every_field() -> None:
    """Each field of each schema is in some example, but for one that nothing should use."""
    shown = {
        field
        for body in BODIES
        for example in body.examples.values()
        for field in named_fields(body.schema, example)
    }
    fields = {
        f"{name}.{field}"
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for field in schema.get("properties", {})
    }
    assert fields - shown == {"EndpointMetadataV2." + each for each in ("config", *UNSHOWN)}


#: What the one example of the deprecated version 2 registration leaves out.
UNSHOWN = ("description", "ip_address")


@pytest.mark.parametrize(("body", "example"), EXAMPLES)
def test_packed_payloads_are_well_formed(body: Body, example: Json) -> None:
    """Payloads in examples are packed as the wire packs them: length, newline, buffer, repeated."""
    if body.name == "submit request":
        packed = [(payload, 2) for each in example["tasks"].values() for payload in each]
    elif body.name == "submit_v2 request":
        packed = [(task[2], 2) for task in example["tasks"]]
    elif "function_code" in example and example.get("serialized", True):
        packed = [(example["function_code"], 1)]
    else:
        packed = []
    for text, count in packed:
        for _ in range(count):
            length, _, text = text.partition("\n")
            assert text[2] == "\n", f"no strategy in front of {text!r}"
            assert len(text) >= int(length)
            text = text[int(length) :]
        assert text == ""
