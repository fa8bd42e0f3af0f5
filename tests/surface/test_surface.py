"""Every public name and argument, and every difference explained in ``docs/differences.yaml``."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from typing import Any

import pytest

import gcompute

from .__main__ import PAGE
from .comparison import OFFICIAL, Comparison
from .explanations import ROOT, Explanations
from .page import page
from .reference import documented


def test_every_difference_has_its_reason(
    explanations: Explanations, against_official: Comparison, against_documents: Comparison
) -> None:
    """Nothing is missing, added or changed without a word."""
    found = against_official.differences + against_documents.differences
    assert sorted(explanations.unexplained(found)) == []


def test_every_reason_is_for_a_difference(
    explanations: Explanations, against_official: Comparison, against_documents: Comparison
) -> None:
    """The list does not explain what is the same."""
    found = against_official.differences + against_documents.differences
    assert explanations.without_difference(found) == []


def test_every_official_module_is_accounted_for(
    explanations: Explanations, official: dict[str, Any]
) -> None:
    """Each module either has its names here, or is named as one that no script needs."""
    homes = {entry.module for entry in explanations.imports}
    assert homes & explanations.internal == set()
    assert homes | explanations.internal == official.keys()


def test_the_walk_is_not_empty(against_official: Comparison, against_documents: Comparison) -> None:
    """The descriptions have what the packages have: a comparison of nothing finds nothing."""
    assert against_official.names > 250
    assert against_official.parameters > 200
    assert against_documents.names > 80
    assert against_documents.parameters > 120


@pytest.mark.parametrize("module", ["", ".errors", ".serialize"])
def test_changing_the_import_is_enough(official: dict[str, Any], module: str) -> None:
    """``from globus_compute_sdk... import X`` becomes ``from gcompute... import X``."""
    here = importlib.import_module(f"gcompute{module}")
    for name in official[f"{OFFICIAL}{module}"]:
        assert hasattr(here, name), name


_METHODS = [
    (entry["path"], name, method)
    for entry in documented()
    for name, method in entry.get("methods", {}).items()
]


@pytest.mark.parametrize(
    ("path", "name", "method"),
    [m for m in _METHODS if "returns" in m[2]],
    ids=lambda v: str(v)[:30],
)
def test_documented_types_are_returned(path: str, name: str, method: dict[str, Any]) -> None:
    """A method says that it returns the documented type."""
    said = str(inspect.signature(_member(path, name)).return_annotation)
    assert said.partition("[")[0] == str(method["returns"])


@pytest.mark.parametrize(
    ("path", "name", "method"), [m for m in _METHODS if "raises" in m[2]], ids=str
)
def test_documented_errors_are_documented(path: str, name: str, method: dict[str, Any]) -> None:
    """A method's docstring names each documented error."""
    text = inspect.getdoc(_member(path, name)) or ""
    assert [error for error in method["raises"] if f"{error}:" not in text] == []


def _member(path: str, name: str) -> Any:
    return functools.reduce(getattr, [*path.split("."), name], gcompute)


def test_every_difference_of_behaviour_is_tested(explanations: Explanations) -> None:
    """The tests that are said to show a difference exist."""
    named = list(explanations.tests)
    assert [f"{file}::{name}" for file, name in named if name not in _tests_in(file)] == []


@functools.cache
def _tests_in(file: str) -> set[str]:
    path = ROOT / file
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_entry_of_behaviour_names_a_test(explanations: Explanations) -> None:
    """No claim without a test."""
    assert [e["what"] for e in explanations.content["behaviour"] if not e["tests"]] == []


def test_the_page_is_written_from_the_list(explanations: Explanations) -> None:
    """``docs/differences.md`` says what the list says; ``python -m tests.surface`` writes it."""
    assert PAGE.read_text("utf-8") == page(explanations)
