"""How this package's surface differs from what the reference documents describe. Pure.

``reference.yaml`` holds what they describe, written down by hand; the description of this
package comes from :mod:`tests.surface.describe`. What this package has beyond a document is no
difference from it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .comparison import OURS, Comparison, Difference, Names, parameter_differences

_DATA = Path(__file__).with_name("reference.yaml")


def documented() -> list[dict[str, Any]]:
    """Give what the documents describe; see the head of the file."""
    entries: list[dict[str, Any]] = yaml.safe_load(_DATA.read_text("utf-8"))
    return entries


def compare_with_documents(
    entries: Iterable[Mapping[str, Any]], ours: Mapping[str, Names]
) -> Comparison:
    """Compare every documented name and argument with this package."""
    done = Comparison()
    for entry in entries:
        path = entry["path"]
        done.names += 1
        mine = _find(ours, path)
        if mine is None:
            done.differences.append(Difference("missing", path))
            continue
        _compare_call(path, entry, mine, done)
        for name in entry.get("attributes", ()):
            done.names += 1
            if name not in mine["members"] and not _is_field(mine, name):
                done.differences.append(Difference("missing", f"{path}.{name}"))
        for name, method in entry.get("methods", {}).items():
            done.names += 1
            if name in mine["members"]:
                _compare_call(f"{path}.{name}", method, mine["members"][name], done)
            else:
                done.differences.append(Difference("missing", f"{path}.{name}"))
    return done


def _find(ours: Mapping[str, Names], path: str) -> Mapping[str, Any] | None:
    """Look a path below the package up: in a module, or nested in a class."""
    module, _, name = f"{OURS}.{path}".rpartition(".")
    if module in ours:
        return ours[module].get(name)
    outer = _find(ours, path.rpartition(".")[0])
    return None if outer is None else outer["members"].get(name)


def _is_field(mine: Mapping[str, Any], name: str) -> bool:
    """Tell whether instances have an attribute because a dataclass takes it."""
    return any(parameter[0] == name for parameter in mine["parameters"])


def _compare_call(
    path: str, entry: Mapping[str, Any], mine: Mapping[str, Any], done: Comparison
) -> None:
    accepted = {name for name, _, _ in mine.get("parameters", ())}
    for name in entry.get("keywords", ()):
        done.parameters += 1
        if name not in accepted:
            done.differences.append(Difference("missing", f"{path}({name})"))
    if "signature" in entry:
        theirs = parameters_of(entry["signature"])
        done.parameters += len(theirs)
        done.differences += _reduced(parameter_differences(path, theirs, mine["parameters"]))


def _reduced(differences: Iterator[Difference]) -> list[Difference]:
    return [difference for difference in differences if difference.kind != "added"]


def parameters_of(signature: str) -> list[list[str]]:
    """Read a signature as one writes it in a ``def``: name, kind and default of each."""
    definition = ast.parse(f"def f{signature}: ...").body[0]
    assert isinstance(definition, ast.FunctionDef)
    given = definition.args
    positional = [*given.posonlyargs, *given.args]
    defaults: Sequence[ast.expr | None] = [
        *[None] * (len(positional) - len(given.defaults)),
        *given.defaults,
    ]
    found = [
        [argument.arg, "POSITIONAL_OR_KEYWORD", _text(default)]
        for argument, default in zip(positional, defaults, strict=True)
    ]
    if given.vararg:
        found.append([given.vararg.arg, "VAR_POSITIONAL", ""])
    found += [
        [argument.arg, "KEYWORD_ONLY", _text(default)]
        for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    if given.kwarg:
        found.append([given.kwarg.arg, "VAR_KEYWORD", ""])
    return found


def _text(default: ast.expr | None) -> str:
    return "" if default is None else ast.unparse(default)
