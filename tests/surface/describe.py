"""What a package offers to its users, by introspection, as JSON.

A script of the standard library alone: it runs in the official package's environment as in ours.
Arguments: the package, and its modules to describe; ``*`` for all of them. Output: one object,
module to its public names. A name's value has ``what`` (``class``, ``function``, ``value``),
``home`` (where it is defined), and what it can be called with and offers::

    {"gcompute": {"Client": {"what": "class", "home": "gcompute.client.Client",
                             "parameters": [["environment", "POSITIONAL_OR_KEYWORD", "None"]],
                             "members": {"run": {"what": "method", "parameters": [...]}}}}}
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

#: Special methods that say nothing about what a class offers.
_UNTOLD = {
    *dir(object),
    *dir(Exception),
    "__abstractmethods__",
    "__annotate__",
    "__annotate_func__",
    "__annotations__",
    "__annotations_cache__",
    "__class_getitem__",
    "__dataclass_fields__",
    "__dataclass_params__",
    "__dict__",
    "__firstlineno__",
    "__match_args__",
    "__module__",
    "__orig_bases__",
    "__parameters__",
    "__replace__",
    "__signature__",
    "__slots__",
    "__static_attributes__",
    "__weakref__",
} - {"__call__"}

#: Packages besides the described one whose members a class's users see as the class's own.
_COMPARED_BASES = ("asyncio", "_asyncio", "concurrent")


def modules(package: str) -> list[str]:
    """Name a package's modules and its own, those with a leading underscore left out."""
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(root.__path__, f"{package}.")
    names = [package, *(module.name for module in found)]
    return [name for name in names if not any(part.startswith("_") for part in name.split("."))]


def public_names(module: ModuleType) -> dict[str, Any]:
    """Give the names of a module that are for others: ``__all__``, or else its own."""
    exported = getattr(module, "__all__", None)
    if exported is not None:
        return {name: getattr(module, name) for name in exported}
    return {
        name: getattr(module, name)
        for name in _defined(ast.parse(Path(str(module.__file__)).read_text("utf-8")))
        if not name.startswith("_") and name not in ("logger", "log") and hasattr(module, name)
    }


def _defined(module: ast.Module) -> Iterator[str]:
    """Name what a module's source defines or assigns, but does not import."""
    for node in module.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets += [node.target] if isinstance(node, ast.AnnAssign) else []
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def describe(value: object) -> dict[str, Any]:
    """Describe what a name stands for."""
    if inspect.isclass(value):
        return {
            "what": "class",
            "home": f"{value.__module__}.{value.__qualname__}",
            "parameters": parameters(value),
            "members": members(value),
        }
    if inspect.isroutine(value):
        home = f"{value.__module__}.{value.__qualname__}"
        return {"what": "function", "home": home, "parameters": parameters(value)}
    return {"what": "value"}


def members(cls: type) -> dict[str, dict[str, Any]]:
    """Describe the attributes of a class and its instances.

    Inherited ones are included, but for those of other packages.
    """
    found: dict[str, dict[str, Any]] = {}
    for base in reversed(cls.__mro__):
        if _package(base) not in (_package(cls), *_COMPARED_BASES):
            continue
        for name, value in vars(base).items():
            special = name.startswith("__")
            if name not in _UNTOLD and (special or not name.startswith("_")):
                found[name] = _member(name, value)
    for name in _assigned(cls) - found.keys():
        found[name] = {"what": "attribute"}
    return found


def _package(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def _member(name: str, value: object) -> dict[str, Any]:
    if isinstance(value, property):
        return {"what": "attribute" if value.fset else "attribute that cannot be set"}
    function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    if name.startswith("__"):
        return {"what": "special"}
    if inspect.isroutine(function) and callable(function):  # a cached property is none
        bound = not isinstance(value, staticmethod)
        return {"what": "method", "parameters": parameters(function, bound=bound)}
    if inspect.isclass(value):
        return {"what": "class", "parameters": parameters(value)}
    return {"what": "attribute"}


def _assigned(cls: type) -> set[str]:
    """Name the instance attributes that methods of a class and its bases assign, or annotate."""
    names: set[str] = set()
    for base in cls.__mro__:
        if _package(base) != _package(cls):
            continue
        names.update(inspect.get_annotations(base))
        names.update(_assigned_in(textwrap.dedent(inspect.getsource(base))))
    return {name for name in names if not name.startswith("_")}


def _assigned_in(source: str) -> set[str]:
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def parameters(function: Any, *, bound: bool = False) -> list[list[str]]:
    """Describe what can be passed: name, kind, and default where there is one.

    Args:
        function: a class or a function.
        bound: whether its first parameter is not for the caller.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # built in, such as the constructor of Exception
        return [["args", "VAR_POSITIONAL", ""]]
    given = list(signature.parameters.values())[1 if bound else 0 :]
    return [[p.name, p.kind.name, _default(p.default)] for p in given]


def _default(value: object) -> str:
    if value is inspect.Parameter.empty:
        return ""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def main(package: str, *named: str) -> None:
    """Print the description of a package's modules."""
    warnings.simplefilter("ignore")
    chosen = modules(package) if named == ("*",) else list(named)
    described = {}
    for name in chosen:
        try:
            names = public_names(importlib.import_module(name))
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            continue
        described[name] = {key: describe(value) for key, value in names.items()}
    json.dump(described, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
