"""How the surface of one package differs from another's. Pure.

Two descriptions by :mod:`tests.surface.describe` go in, with the table that says where the
official modules' names are here; a set of differences comes out. A difference's name is a path
below the package, ``Client.run`` or ``Executor(label)``, with the parameter in parentheses:

======== ====================================================================================
missing  the official package has it and this one does not; named by its official path
added    this package has it and the official one does not; named by its path here
changed  both have it, but a parameter's kind, default or position, or what it is, differs
======== ====================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

OFFICIAL = "globus_compute_sdk"
OURS = "gcompute"

#: A module's public names: see :mod:`tests.surface.describe`.
Names = Mapping[str, Mapping[str, Any]]


class Difference(NamedTuple):
    """One difference; ``detail`` is for messages."""

    kind: str
    path: str
    detail: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What a reason is given for."""
        return self.kind, self.path


@dataclass(frozen=True)
class Import:
    """Where the names of an official module are found here.

    Attributes:
        module: the official module.
        here: the module here.
        names: official name to name here, where they differ; with its module where that is
            another one.
    """

    module: str
    here: str
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Comparison:
    """What was found, and how much was compared: names, and parameters of callables."""

    differences: list[Difference] = field(default_factory=list)
    names: int = 0
    parameters: int = 0


def compare(
    imports: Sequence[Import], official: Mapping[str, Names], ours: Mapping[str, Names]
) -> Comparison:
    """Compare every name that the official modules offer, and what ours add.

    A class that several modules offer is compared once, under the first one's name.
    """
    done = Comparison()
    compared: set[str] = set()
    for entry in imports:
        for name, theirs in official[entry.module].items():
            path = _below(OFFICIAL, entry.module, name)
            done.names += 1
            mine = _find(ours, entry, name)
            if mine is None:
                done.differences.append(Difference("missing", path))
            elif theirs.get("home") not in compared:
                _compare_values(path, theirs, mine, done)
            compared.add(theirs.get("home") or path)
    done.differences += _additions(imports, official, ours)
    return done


def _find(ours: Mapping[str, Names], entry: Import, name: str) -> Mapping[str, Any] | None:
    module, _, own = entry.names.get(name, name).rpartition(".")
    return ours[module or entry.here].get(own)


def _additions(
    imports: Sequence[Import], official: Mapping[str, Names], ours: Mapping[str, Names]
) -> Iterator[Difference]:
    for module in dict.fromkeys(entry.here for entry in imports):
        known = {
            entry.names.get(name, name)
            for entry in imports
            if entry.here == module
            for name in official[entry.module]
        }
        for name in ours[module].keys() - known:
            yield Difference("added", _below(OURS, module, name))


def _below(package: str, module: str, name: str) -> str:
    return f"{module}.{name}".removeprefix(f"{package}.")


def _compare_values(
    path: str, theirs: Mapping[str, Any], mine: Mapping[str, Any], done: Comparison
) -> None:
    if theirs["what"] != mine["what"]:
        detail = f"{theirs['what']} there, {mine['what']} here"
        done.differences.append(Difference("changed", path, detail))
        return
    if "parameters" in theirs:
        done.parameters += len(theirs["parameters"])
        done.differences += parameter_differences(path, theirs["parameters"], mine["parameters"])
    members, own = theirs.get("members", {}), mine.get("members", {})
    done.names += len(members)
    for name in sorted(members.keys() | own.keys()):
        if name not in own:
            done.differences.append(Difference("missing", f"{path}.{name}"))
        elif name not in members:
            done.differences.append(Difference("added", f"{path}.{name}"))
        else:
            _compare_values(f"{path}.{name}", members[name], own[name], done)


def parameter_differences(
    path: str, theirs: Sequence[Sequence[str]], mine: Sequence[Sequence[str]]
) -> Iterator[Difference]:
    """Compare what can be passed; parameters are ``[name, kind, default]``."""
    left, right = _by_name(theirs), _by_name(mine)
    for name in left.keys() - right.keys():
        yield Difference("missing", f"{path}({name})")
    for name in right.keys() - left.keys():
        yield Difference("added", f"{path}({name})")
    for name in left.keys() & right.keys():
        if left[name] != right[name]:
            detail = f"{left[name]} there, {right[name]} here"
            yield Difference("changed", f"{path}({name})", detail)


def _by_name(parameters: Sequence[Sequence[str]]) -> dict[str, str]:
    """Say of each parameter how it is passed: its place, its kind and its default.

    The names of ``*args`` and ``**kwargs`` are nobody's business.
    """
    described = {}
    for position, (name, kind, default) in enumerate(parameters):
        if kind == "VAR_POSITIONAL":
            described["*"] = "*"
        elif kind == "VAR_KEYWORD":
            described["**"] = "**"
        else:
            place = "keyword" if kind == "KEYWORD_ONLY" else f"position {position}"
            only = " only" if kind == "POSITIONAL_ONLY" else ""
            described[name] = f"{place}{only}, " + (f"default {default}" if default else "required")
    return described
