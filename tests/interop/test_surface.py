"""Every public name and parameter of the official classes, and every difference explained."""

from __future__ import annotations

import pytest

from .differences import DIFFERENCES
from .exchange import OFFICIAL, OURS, Exchange

#: A class, and the one whose differences it inherits.
CLASSES = {
    "ShellFunction": "ShellFunction",
    "MPIFunction": "ShellFunction",
    "ShellResult": "ShellResult",
    "serialize.ComputeSerializer": "serialize.ComputeSerializer",
    "serialize.SerializationStrategy": "serialize.SerializationStrategy",
    "serialize.ComboSerializationStrategy": "serialize.ComboSerializationStrategy",
    "serialize.DillCode": "serialize.SerializationStrategy",
    "serialize.JSONData": "serialize.SerializationStrategy",
    "serialize.AllCodeStrategies": "serialize.ComboSerializationStrategy",
    "serialize.AllDataStrategies": "serialize.ComboSerializationStrategy",
    "serialize.CombinedCode": "serialize.CombinedCode",
}


def _members(between: Exchange, package: str, path: str) -> dict[str, list[list[str]] | None]:
    answer = between.workers[package].ask("describe", path=path)
    members: dict[str, list[list[str]] | None] = answer["members"]
    return members


def _differences(between: Exchange, path: str, known_as: str) -> set[str]:
    theirs, ours = (_members(between, package, path) for package in (OFFICIAL, OURS))
    found = {f"{known_as}.{name}" for name in theirs.keys() ^ ours.keys()}
    for name in theirs.keys() & ours.keys():
        left, right = theirs[name] or [], ours[name] or []
        found |= {
            f"{known_as}.{name}({p[0]})" for p in (*left, *right) if (p in left) != (p in right)
        }
    return found - {f"{known_as}.__init__"}


@pytest.fixture(scope="module")
def found(between: Exchange) -> set[str]:
    """All differences, under the name of the class that brings them."""
    every: set[str] = set()
    for path, known_as in CLASSES.items():
        for difference in _differences(between, path, known_as):
            inherited = {
                difference.replace(known_as, base, 1)
                for base in (
                    "serialize.SerializationStrategy",
                    "serialize.ComboSerializationStrategy",
                )
                if known_as.startswith("serialize.C")
            }
            every.add(next(iter(sorted(inherited & DIFFERENCES.keys())), difference))
    return every


def test_every_difference_has_its_reason(found: set[str]) -> None:
    """Nothing public is missing, added or called otherwise without a word."""
    assert found - DIFFERENCES.keys() == set()


def test_every_reason_is_for_a_difference(found: set[str]) -> None:
    """The list does not explain what is the same."""
    assert DIFFERENCES.keys() - found == set()


_LISTS = [
    "None",
    "[]",
    "[W.CODE, W.DATA]",
    "[W.CODE, s.JSONData]",
    "[s.DillCode(), 'globus_compute_sdk.*Data']",
    "[s.DillCode, s.PureSourceDill, s.JSONData]",
    "[W.CODE]",
    "[s.JSONData]",
    "[W.CODE, s.DillCode, s.JSONData]",
    "[s.DillCode, W.DATA, s.JSONData]",
    "[s.DillCode, 7]",
    "['no.Such', s.JSONData]",
]


@pytest.mark.parametrize("allowed", _LISTS)
def test_allow_lists_mean_the_same(between: Exchange, allowed: str) -> None:
    """The same lists are taken, for the same strategies, and the same are refused."""
    expression = (
        "(lambda s, W: sorted(c.__name__ for c in s.ComputeSerializer("
        f"allowed_deserializer_types={allowed}).allowed_deserializer_types))"
        "(serialize, serialize.AllowlistWildcard)"
    )
    theirs, ours = (
        between.workers[package].ask("evaluate", expression=expression)
        for package in (OFFICIAL, OURS)
    )
    assert ours.get("value") == theirs.get("value")
    assert ours.get("error") == theirs.get("error")


def test_every_exported_name_is_there(between: Exchange) -> None:
    """``from gcompute.serialize import X`` works for each X of the official module."""
    theirs, ours = (
        set(between.workers[package].ask("evaluate", expression="list(serialize.__all__)")["value"])
        for package in (OFFICIAL, OURS)
    )
    assert theirs - ours == set()
