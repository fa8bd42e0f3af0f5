"""What a recorded value has that its schema does not say.

The document is liberal, as its readers are to be: unknown fields and unknown values of enumerations
fit it. To find out whether it says all there is, the same schemas are made strict here. A problem
is one short line without the value's ids, so that a reason can be given for it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tools.openapi.document import resolve, validator

Json = Any

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def strict(document: Json) -> Json:
    """Give the document with schemas that hold nothing but what they name.

    Objects and enumerations are components of the document, so that these are all there are.
    """
    changed = copy.deepcopy(document)
    for schema in changed["components"]["schemas"].values():
        for node in _nodes(schema):
            if "properties" in node:
                node.setdefault("additionalProperties", False)
            choices = node.get("anyOf", [])
            if any("enum" in resolve(changed, each) for each in choices):
                node["anyOf"] = [each for each in choices if each != {"type": "string"}]
    return changed


def _nodes(schema: Json) -> Iterator[dict[str, Json]]:
    """Give a schema, and those inside it. What stands where a schema may be a truth is none."""
    if not isinstance(schema, dict):
        return
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
    inner += [*schema.get("prefixItems", []), schema.get("items")]
    for each in [*inner, schema.get("additionalProperties")]:
        yield from _nodes(each)


def problems(document: Json, schema: Json, value: Json) -> Iterator[str]:
    """Tell what is wrong with a value, a line each.

    Args:
        document: the document, strict or as it is.
        schema: one of its schemas.
        value: what was recorded.
    """
    checked: Draft202012Validator = validator(document, schema)
    lines = {
        line
        for error in checked.iter_errors(value)
        for leaf in _leaves(error)
        for line in _lines(leaf)
    }
    yield from sorted(lines)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Give what is wrong in the choice that was most likely meant."""
    branches: dict[Json, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [b for b in branches.values() if not any(_is_another_kind(each) for each in b)]
    if not meant:
        yield error
        return
    for inner in min(meant, key=len):
        yield from _leaves(inner)


def _is_another_kind(error: ValidationError) -> bool:
    return not error.relative_path and error.validator == "type"


def _lines(error: ValidationError) -> Iterator[str]:
    where = _place(error)
    wanted: Json = error.validator_value
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        for name in error.instance.keys() - error.schema.get("properties", {}).keys():  # type: ignore[union-attr]
            yield f"{where}unknown field {name}"
    elif error.validator == "required" and isinstance(error.instance, dict):
        for name in sorted(set(wanted) - error.instance.keys()):
            yield f"{where}no field {name}"
    elif error.validator == "type":
        yield f"{where}is {_kind(error.instance)}, not {_either(wanted)}"
    elif error.validator == "enum":
        yield f"{where}unknown value {error.instance}"
    elif error.validator == "format":
        yield f"{where}is not of format {wanted}"
    else:
        yield f"{where}does not fit {error.validator}"


def _place(error: ValidationError) -> str:
    """Name the place of an error, with nothing that differs from one recording to the next."""
    place = ""
    for step in error.absolute_path:
        if isinstance(step, int):
            place += "[]"
        else:
            place += "." + ("{id}" if _ID.fullmatch(step) else step)
    return f"{place.lstrip('.')}: " if place else ""


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "object")


def _either(wanted: Json) -> str:
    return " or ".join(wanted) if isinstance(wanted, list) else str(wanted)
