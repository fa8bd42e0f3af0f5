"""The environment variables that a package reads, by its source.

Nothing is run: a variable that only one rare path reads is found as well. A key that is a constant
of the package counts by its value; a key that is computed counts by its source text, so that a
change of it is seen. Whoever takes the environment as a whole is found as `WHOLE`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

#: What a package is said to read that uses the environment in any other way than key by key.
WHOLE = "<the whole environment>"

_BY_KEY = {"get", "pop", "setdefault"}
_FUNCTIONS = {"getenv", "putenv", "unsetenv"}

#: A constant's name, and the texts that modules of the package give it.
Constants = dict[str, set[str]]


def environment_variables(folder: Path) -> dict[str, list[str]]:
    """Give each variable that a package's source mentions, and the files that do.

    Args:
        folder: the package's folder.
    """
    trees = {
        str(file.relative_to(folder)): ast.parse(file.read_text("utf-8"), str(file))
        for file in sorted(folder.rglob("*.py"))
    }
    constants: Constants = {}
    for tree in trees.values():
        for name, text in _constants(tree):
            constants.setdefault(name, set()).add(text)
    found: dict[str, list[str]] = {}
    for file, tree in trees.items():
        for name in sorted(set(_variables(tree, constants))):
            found.setdefault(name, []).append(file)
    return found


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            for target in targets:
                if isinstance(target, ast.Name):
                    yield target.id, value.value


def _variables(tree: ast.Module, constants: Constants) -> Iterator[str]:
    #: The mentions of the environment of which a key was found.
    keyed: set[ast.AST] = set()
    for node in ast.walk(tree):
        for environment, key in _uses(node):
            keyed.add(environment)
            yield from _names(key, constants)
    for node in ast.walk(tree):
        if _is_environment(node) and node not in keyed:
            yield WHOLE


def _uses(node: ast.AST) -> Iterator[tuple[ast.AST, ast.expr]]:
    """Give what a node looks up, and by which key."""
    if isinstance(node, ast.Subscript) and _is_environment(node.value):
        yield node.value, node.slice
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        if _is_environment(node.comparators[0]):
            yield node.comparators[0], node.left
    elif isinstance(node, ast.Call) and node.args:
        called = node.func
        if _last_name(called) in _FUNCTIONS:
            yield called, node.args[0]
        elif (
            isinstance(called, ast.Attribute)
            and called.attr in _BY_KEY
            and _is_environment(called.value)
        ):
            yield called.value, node.args[0]


def _is_environment(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and _last_name(node) in (
        "environ",
        "environb",
    )


def _last_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _names(key: ast.expr, constants: Constants) -> Iterator[str]:
    if isinstance(key, ast.Constant):
        yield str(key.value)
        return
    yield from sorted(constants.get(_last_name(key) or "", {f"<{ast.unparse(key)}>"}))
