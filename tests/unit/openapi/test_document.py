"""The document is valid, complete, described, and makes a client without a warning."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from tools.openapi.document import DOCUMENT_FILE, Json, load_compute, operations

DOCUMENT = load_compute()
TAGS = {"service", "endpoints", "functions", "tasks", "task_groups", "containers"}
WITHOUT_TOKEN = {"get_version", "check_version"}
OPERATIONS = {operation["operationId"]: operation for _, _, operation in operations(DOCUMENT)}
#: Keywords whose values are schemas by name, a schema, or a list of schemas.
NAMED_SCHEMAS, ONE_SCHEMA, LISTED_SCHEMAS = (
    {"properties"},
    {"items", "additionalProperties"},
    {"anyOf", "prefixItems"},
)


def schema_nodes(name: str, schema: Json) -> Iterator[tuple[str, Json]]:
    """Yield a schema and all schemas inside it, each with its path."""
    yield name, schema
    for keyword, value in schema.items():
        if keyword in NAMED_SCHEMAS:
            for key, each in value.items():
                yield from schema_nodes(f"{name}.{key}", each)
        elif keyword in LISTED_SCHEMAS:
            for index, each in enumerate(value):
                yield from schema_nodes(f"{name}.{keyword}[{index}]", each)
        elif keyword in ONE_SCHEMA and isinstance(value, dict):
            yield from schema_nodes(f"{name}.{keyword}", value)


SCHEMA_NODES = {
    path: node
    for name, schema in DOCUMENT["components"]["schemas"].items()
    for path, node in schema_nodes(name, schema)
}
FIELDS = {
    f"{name}.{field}": (schema, field)
    for name, schema in DOCUMENT["components"]["schemas"].items()
    for field in schema.get("properties", {})
}


def test_is_valid_openapi() -> None:
    """The document is valid OpenAPI 3.1."""
    assert DOCUMENT["openapi"] == "3.1.0"
    validate(DOCUMENT)


def test_has_all_operations() -> None:
    """All 30 operations are there, under 30 different ids."""
    assert len(list(operations(DOCUMENT))) == 30
    assert len(OPERATIONS) == 30


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_is_described(name: str) -> None:
    """An operation has a summary that fits a list, a description, and one known tag."""
    operation = OPERATIONS[name]
    assert 0 < len(operation["summary"]) <= 60
    assert not operation["summary"].endswith(".")
    assert operation["description"].rstrip().endswith(".")
    (tag,) = operation["tags"]
    assert tag in TAGS


def test_tags_are_described() -> None:
    """Each tag that an operation has is listed with a description."""
    assert {tag["name"] for tag in DOCUMENT["tags"] if tag["description"]} == TAGS


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_asks_for_a_token(name: str) -> None:
    """Every operation but the two for the version declares the bearer token itself."""
    wanted: Json = None if name in WITHOUT_TOKEN else [{"globus": []}]
    assert OPERATIONS[name].get("security") == wanted
    assert "security" not in DOCUMENT
    scheme = DOCUMENT["components"]["securitySchemes"]["globus"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_parameters_are_described() -> None:
    """Each parameter has a description and an example, and each one of a path is required."""
    parameters = list(DOCUMENT["components"]["parameters"].values())
    for operation in OPERATIONS.values():
        parameters += [each for each in operation.get("parameters", []) if "$ref" not in each]
    assert len(parameters) >= 10
    for each in parameters:
        assert each["description"].endswith("."), each["name"]
        assert "example" in each, each["name"]
        assert each.get("required", False) == (each["in"] == "path"), each["name"]


def test_requests_and_answers_are_described() -> None:
    """Each request says what to send, and must be sent; each answer says what it means."""
    answers = list(DOCUMENT["components"]["responses"].values())
    for operation in OPERATIONS.values():
        if "requestBody" in operation:
            assert operation["requestBody"]["required"]
            assert operation["requestBody"]["description"].endswith(".")
        answers += [each for each in operation["responses"].values() if "$ref" not in each]
    assert [each for each in answers if not each["description"].endswith(".")] == []


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_schema_is_described(name: str) -> None:
    """Each schema has a description."""
    assert DOCUMENT["components"]["schemas"][name]["description"].endswith(".")


@pytest.mark.parametrize("name", FIELDS)
def test_field_is_described(name: str) -> None:
    """Each field has a description of its own, which tells what null means where it may be null."""
    schema, field = FIELDS[name]
    node = schema["properties"][field]
    assert node["description"].endswith(".")
    if "null" in node.get("type", []) or {"type": "null"} in node.get("anyOf", []):
        text = node["description"].lower()
        assert "null" in text or "without it" in text or "missing" in text, text


def test_no_inline_objects() -> None:
    """Objects and enumerations are components, so that each generated class has a chosen name."""
    inline = {
        path
        for path, node in SCHEMA_NODES.items()
        if path not in DOCUMENT["components"]["schemas"]
        and (node.get("type") == "object" or "properties" in node or "enum" in node)
    }
    assert inline == set()


def test_every_component_is_used() -> None:
    """Nothing in the components is left over."""
    text = DOCUMENT_FILE.read_text("utf-8")
    left = [
        f"{kind}/{name}"
        for kind in ("schemas", "responses", "parameters")
        for name in DOCUMENT["components"][kind]
        if f"'#/components/{kind}/{name}'" not in text
    ]
    assert left == []


def test_generates_without_a_warning(tmp_path: Path) -> None:
    """The generator takes the document as it stands, with nothing to warn of."""
    config = tmp_path / "config.yaml"
    config.write_text("post_hooks: []\n", "utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    command += ["--path", str(DOCUMENT_FILE), "--output-path", str(tmp_path / "generated")]
    command += ["--meta", "none", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()
    models = {path.stem for path in (tmp_path / "generated" / "models").glob("*.py")}
    assert {"task_result", "endpoint_registration", "build_status"} <= models
    apis = list((tmp_path / "generated" / "api").glob("*/*.py"))
    assert {path.stem for path in apis} - {"__init__"} == OPERATIONS.keys()
