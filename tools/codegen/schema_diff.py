"""What changed between two schemas, for those who write or read values of them.

A schema is first brought into one form: its alternatives (`anyOf`, `oneOf`, lists of types,
`nullable`) by *kind*, with references resolved. A kind is the type that callers hold in Python:
`string` with format `uuid` is one of its own, because it is a `UUID` there and no `str`; a format
without such a meaning is not.

Named schemas are compared once for each direction, under their own name and not under the name
of every operation that uses them; recursion ends there too.
"""

import json
from collections.abc import Callable
from typing import Any

from tools.codegen.changes import Change, Direction
from tools.codegen.errors import CodegenError

Schema = dict[str, Any]

#: Formats that the generator turns into a type other than `str`.
_TYPED_FORMATS = frozenset({"uuid", "date", "date-time", "binary"})

#: Kinds that a value of another kind is acceptable for.
_WIDER = {"integer": {"number"}}

#: Limits on what a caller may send, and what makes the new one stricter than the old one.
_LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(
        ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"),
        lambda old, new: bool(new < old),
    ),
    **dict.fromkeys(
        ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"),
        lambda old, new: bool(new > old),
    ),
    **dict.fromkeys(("pattern", "multipleOf"), lambda old, new: bool(new != old)),
}


class SchemaDiff:
    """Compares schemas of two documents and collects the changes.

    Not thread-safe; one object for one pair of documents.
    """

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new
        #: Named pairs that are done or under way, with the direction.
        self._seen: set[tuple[str, str, Direction]] = set()
        self.changes: list[Change] = []

    def compare(self, old: Schema, new: Schema, where: str, direction: Direction) -> None:
        """Compare two schemas that describe the same value.

        Args:
            old: A schema of the old document, or a reference.
            new: Its counterpart in the new one.
            where: What the changes are reported under, unless the schema has a name.
            direction: Who writes the value.
        """
        old_name, new_name = model_name(old), model_name(new)
        if old_name and new_name:
            key = (old_name, new_name, direction)
            if key in self._seen:
                return
            self._seen.add(key)
            where = f"{new_name} ({direction})"
        before, after = alternatives(old, self._old), alternatives(new, self._new)
        self._compare_kinds(set(before), set(after), where, direction)
        for kind in [kind for kind in before if kind in after]:
            self._compare_alike(before[kind], after[kind], where, direction)
        if old.get("default") != new.get("default"):
            text = f"default {_show(old.get('default'))} -> {_show(new.get('default'))}"
            self._add(where, text, breaks=False)

    def compare_members(self, name: str, old: Schema, new: Schema) -> None:
        """Compare an enumeration that no operation uses by itself, but callers can import."""
        if not any(name == seen for _, seen, _ in self._seen):
            before, after = _values(old) or [], _values(new) or []
            for value in before:
                if value not in after:
                    self._add(name, f"value {_show(value)} removed", breaks=True)
            for value in after:
                if value not in before:
                    self._add(name, f"value {_show(value)} added", breaks=False)

    def _add(self, where: str, what: str, *, breaks: bool) -> None:
        self.changes.append(Change(where=where, what=what, breaks=breaks))

    def _compare_alike(self, old: Schema, new: Schema, where: str, direction: Direction) -> None:
        """Compare two schemas of the same kind."""
        if model_name(old) and model_name(new):
            self.compare(old, new, where, direction)
            return
        old, new = resolve(old, self._old), resolve(new, self._new)
        self._compare_enums(old, new, where, direction)
        self._compare_limits(old, new, where, direction)
        self._compare_objects(old, new, where, direction)
        self._compare_items(old, new, where, direction)

    def _compare_kinds(
        self, old: set[str], new: set[str], where: str, direction: Direction
    ) -> None:
        """Types: a request must go on accepting the old ones, an answer must bring no new ones."""
        if old == new:
            return
        must_fit, into = (old, new) if direction is Direction.REQUEST else (new, old)
        fits = "any" in into or all(
            kind in into or _WIDER.get(kind, set()) & into for kind in must_fit
        )
        text = f"type {' | '.join(sorted(old))} -> {' | '.join(sorted(new))}"
        self._add(where, text, breaks=not fits)

    def _compare_enums(self, old: Schema, new: Schema, where: str, direction: Direction) -> None:
        """Values of an enumeration, which is closed: an unknown value is an error to both sides."""
        before, after = _values(old), _values(new)
        request = direction is Direction.REQUEST
        if before is None or after is None:
            if after is not None:
                self._add(where, f"only {_show(after)} allowed", breaks=request)
            elif before is not None:
                # Reading code may use the enumeration's members, which a plain value has not.
                self._add(where, "any value allowed, was an enumeration", breaks=not request)
            return
        for value in before:
            if value not in after:
                self._add(where, f"value {_show(value)} removed", breaks=request)
        for value in after:
            if value not in before:
                self._add(where, f"value {_show(value)} added", breaks=not request)

    def _compare_limits(self, old: Schema, new: Schema, where: str, direction: Direction) -> None:
        """Limits bind those who write: what is read just came within other bounds."""
        for keyword, stricter in _LIMITS.items():
            before, after = old.get(keyword), new.get(keyword)
            if before == after:
                continue
            tightened = after is not None and (before is None or stricter(before, after))
            text = f"{keyword} {_show(before)} -> {_show(after)}"
            self._add(where, text, breaks=tightened and direction is Direction.REQUEST)

    def _compare_objects(self, old: Schema, new: Schema, where: str, direction: Direction) -> None:
        """Fields, which of them must be there, and what else may be there."""
        request = direction is Direction.REQUEST
        before, after = old.get("properties", {}), new.get("properties", {})
        was_required, is_required = set(old.get("required", ())), set(new.get("required", ()))
        for field in before:
            here = f"{where} .{field}"
            if field not in after:
                self._add(here, "field removed", breaks=True)
                continue
            if (field in was_required) != (field in is_required):
                text = "required -> optional" if field in was_required else "optional -> required"
                self._add(here, text, breaks=(field in is_required) == request)
            self.compare(before[field], after[field], here, direction)
        for field in after:
            if field not in before:
                text = f"{'required' if field in is_required else 'optional'} field added"
                self._add(f"{where} .{field}", text, breaks=request and field in is_required)
        self._compare_rest(old, new, where, direction)

    def _compare_rest(self, old: Schema, new: Schema, where: str, direction: Direction) -> None:
        """`additionalProperties`: unnamed fields."""
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if before == after:
            return
        if before is False or after is False:
            breaks = after is False and direction is Direction.REQUEST
            allowed = "no longer" if after is False else "now"
            self._add(where, f"unnamed fields {allowed} allowed", breaks=breaks)
        else:
            self.compare(_as_schema(before), _as_schema(after), f"{where} .*", direction)

    def _compare_items(self, old: Schema, new: Schema, where: str, direction: Direction) -> None:
        """Items of an array, those with a position of their own first."""
        before, after = old.get("prefixItems", []), new.get("prefixItems", [])
        if len(before) != len(after):
            self._add(where, f"{len(before)} -> {len(after)} positions", breaks=True)
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            self.compare(one, other, f"{where} [{index}]", direction)
        if "items" in old or "items" in new:
            one, other = _as_schema(old.get("items")), _as_schema(new.get("items"))
            self.compare(one, other, f"{where} []", direction)


def model_name(schema: Schema) -> str | None:
    """Return the name of the component that a reference points to, or None."""
    reference = schema.get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else None


def resolve(node: Schema, document: Schema) -> Schema:
    """Follow references within the document until there is none.

    Raises:
        CodegenError: A reference points to nothing.
    """
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or name not in target:
                raise CodegenError(f"the reference {node['$ref']!r} points to nothing")
            target = target[name]
        node = target
    return node


def alternatives(schema: Schema, document: Schema) -> dict[str, Schema]:
    """Return what a value may be: kind to schema, which is a reference where the branch is one.

    Objects are one kind, unless there are several: then the model's name tells them apart.
    """
    schema = _merge_all(resolve(schema, document), document)
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return _join([(branch, alternatives(branch, document)) for branch in branches])
    types = schema.get("type", _implied_type(schema))
    kinds = list(types) if isinstance(types, list) else [types]
    # With a null among the values of an enumeration, the generator makes a nullable type.
    if schema.get("nullable") or None in (schema.get("enum") or ()):
        kinds.append("null")
    return {_kind(kind, schema): schema if kind != "null" else {} for kind in kinds}


def _join(branches: list[tuple[Schema, dict[str, Schema]]]) -> dict[str, Schema]:
    """Return the alternatives of a union, given those of each of its branches."""
    several = sum("object" in kinds for _, kinds in branches) > 1
    joined: dict[str, Schema] = {}
    for branch, kinds in branches:
        name = model_name(branch)
        for kind, schema in kinds.items():
            label = f"object {name}" if kind == "object" and name and several else kind
            if label in joined and _values(schema) is not None:
                continue  # An enumeration beside a plain type of its kind restricts nothing.
            joined[label] = branch if name and len(kinds) == 1 else schema
    return joined


def _merge_all(schema: Schema, document: Schema) -> Schema:
    """Fold `allOf` into one schema: the properties and requirements of all parts."""
    if "allOf" not in schema:
        return schema
    merged: Schema = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        part = _merge_all(resolve(part, document), document)
        for key, value in part.items():
            if key == "properties":
                merged[key] = {**value, **merged.get(key, {})}
            elif key == "required":
                merged[key] = sorted({*value, *merged.get(key, ())})
            else:
                merged.setdefault(key, value)
    return merged


def _implied_type(schema: Schema) -> str:
    """Return the type of a schema that does not name one."""
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "any"


def _kind(type_: str, schema: Schema) -> str:
    """Return a type with the format that makes another Python type of it."""
    format_ = schema.get("format")
    return f"{type_} {format_}" if type_ == "string" and format_ in _TYPED_FORMATS else type_


def _values(schema: Schema) -> list[Any] | None:
    """Return the values of an enumeration or constant, without null; None when it is neither."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else [value for value in values if value is not None]


def _as_schema(value: object) -> Schema:
    """Return a schema for what stands in a schema's place: `true` or nothing accept anything."""
    return value if isinstance(value, dict) else {}


def _show(value: object) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
