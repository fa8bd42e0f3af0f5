"""What changed between two OpenAPI documents, for callers of the package generated from them.

Callers depend on more than the wire: an operation's id and tag are the module they import, a
component's name is the class they import, a parameter's name is a keyword argument. So a new
name for one of these breaks them even where the service cannot tell the difference.
"""

from typing import Any

from tools.codegen.changes import Change, Direction
from tools.codegen.document import Document
from tools.codegen.schema_diff import Schema, SchemaDiff, resolve

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def diff_documents(old: Document, new: Document) -> list[Change]:
    """Compare two documents.

    Returns:
        The changes, operations in the new document's order, removed ones first.
    """
    return _DocumentDiff(old, new).run()


class _DocumentDiff:
    """One comparison of two documents."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new
        self._schemas = SchemaDiff(old, new)

    def run(self) -> list[Change]:
        before, after = _operations(self._old), _operations(self._new)
        for where in before:
            if where not in after:
                self._add(where, "operation removed", breaks=True)
        for where, operation in after.items():
            if where not in before:
                self._add(where, f"operation added: {operation.get('operationId')}", breaks=False)
            else:
                self._compare_operation(before[where], operation, where)
        self._compare_models()
        return self._schemas.changes

    def _add(self, where: str, what: str, *, breaks: bool) -> None:
        self._schemas.changes.append(Change(where=where, what=what, breaks=breaks))

    def _compare_operation(self, old: Schema, new: Schema, where: str) -> None:
        for key, what in (("operationId", "function"), ("tags", "module")):
            if old.get(key) != new.get(key):
                text = f"{what} renamed: {key} {old.get(key)} -> {new.get(key)}"
                self._add(where, text, breaks=True)
        if new.get("deprecated", False) != old.get("deprecated", False):
            text = "deprecated" if new.get("deprecated") else "no longer deprecated"
            self._add(where, text, breaks=False)
        if bool(old.get("security")) != bool(new.get("security")):
            needed = bool(new.get("security"))
            text = "now needs a token" if needed else "no longer needs a token"
            self._add(where, text, breaks=needed)
        self._compare_parameters(old, new, where)
        self._compare_body(old.get("requestBody"), new.get("requestBody"), where)
        self._compare_answers(old.get("responses", {}), new.get("responses", {}), where)

    def _compare_parameters(self, old: Schema, new: Schema, where: str) -> None:
        before, after = _parameters(old, self._old), _parameters(new, self._new)
        for key in before:
            if key not in after:
                self._add(where, f"{key} removed", breaks=True)
        for key, parameter in after.items():
            required = parameter.get("required", False)
            if key not in before:
                text = f"{'required' if required else 'optional'} {key} added"
                self._add(where, text, breaks=required)
                continue
            if required != before[key].get("required", False):
                text = "optional -> required" if required else "required -> optional"
                self._add(where, f"{key} {text}", breaks=required)
            self._schemas.compare(
                before[key].get("schema", {}),
                parameter.get("schema", {}),
                f"{where} {key}",
                Direction.REQUEST,
            )

    def _compare_body(self, old: Schema | None, new: Schema | None, where: str) -> None:
        if old is None or new is None:
            if new is not None:
                required = resolve(new, self._new).get("required", False)
                text = f"{'required' if required else 'optional'} request body added"
                self._add(where, text, breaks=required)
            elif old is not None:
                self._add(where, "request body removed", breaks=True)
            return
        old, new = resolve(old, self._old), resolve(new, self._new)
        if old.get("required", False) != new.get("required", False):
            required = new.get("required", False)
            text = "optional -> required" if required else "required -> optional"
            self._add(where, f"request body {text}", breaks=required)
        self._compare_content(old, new, f"{where} request", Direction.REQUEST)

    def _compare_answers(self, old: Schema, new: Schema, where: str) -> None:
        for status in old:
            if status not in new:
                self._add(where, f"status {status} removed", breaks=True)
        for status, answer in new.items():
            if status not in old:
                # An error was an exception to callers already; another success is one more type.
                success = str(status).startswith("2")
                self._add(where, f"status {status} added", breaks=success)
                continue
            before, after = resolve(old[status], self._old), resolve(answer, self._new)
            self._compare_content(before, after, f"{where} {status}", Direction.ANSWER)

    def _compare_content(self, old: Schema, new: Schema, where: str, direction: Direction) -> None:
        """Bodies by media type."""
        before, after = old.get("content", {}), new.get("content", {})
        for media_type in before:
            if media_type not in after:
                self._add(where, f"{media_type} removed", breaks=True)
        for media_type, body in after.items():
            if media_type not in before:
                breaks = direction is Direction.ANSWER and bool(before)
                self._add(where, f"{media_type} added", breaks=breaks)
            else:
                one, other = before[media_type].get("schema", {}), body.get("schema", {})
                self._schemas.compare(one, other, where, direction)

    def _compare_models(self) -> None:
        """Components by name, which is the name of the class that callers import."""
        before, after = (
            document.get("components", {}).get("schemas", {}) for document in (self._old, self._new)
        )
        for name in before:
            if name not in after:
                self._add(name, "model removed", breaks=True)
            else:
                self._schemas.compare_members(name, before[name], after[name])
        for name in after:
            if name not in before:
                self._add(name, "model added", breaks=False)


def _operations(document: Document) -> dict[str, Schema]:
    """Return the operations by method and path, with the path's parameters folded in."""
    found: dict[str, Schema] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                shared = item.get("parameters", [])
                operation = {"security": document.get("security"), **item[method]}
                operation["parameters"] = [*shared, *operation.get("parameters", [])]
                found[f"{method.upper()} {path}"] = operation
    return found


def _parameters(operation: Schema, document: Document) -> dict[str, dict[str, Any]]:
    """Return an operation's parameters by place and name."""
    resolved = [resolve(parameter, document) for parameter in operation["parameters"]]
    return {f"{each['in']} parameter `{each['name']}`": each for each in resolved}
