"""Descriptions of both packages, made once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.official import OfficialPackageMissing, official_python

from .comparison import OFFICIAL, OURS, Comparison, compare
from .explanations import Explanations
from .reference import compare_with_documents, documented

_SCRIPT = Path(__file__).with_name("describe.py")

#: Modules of ours that the documents name and the official package does not have.
_BEYOND = ("gcompute", "gcompute.errors", "gcompute.serialize")


def _describe(python: str, package: str, *modules: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, str(_SCRIPT), package, *modules], capture_output=True, check=True, timeout=60
    )
    description: dict[str, Any] = json.loads(done.stdout)
    return description


@pytest.fixture(scope="session")
def explanations() -> Explanations:
    """Give the list of differences."""
    return Explanations()


@pytest.fixture(scope="session")
def official() -> dict[str, Any]:
    """Describe every module of the official package, in its own environment."""
    try:
        return _describe(official_python(), OFFICIAL, "*")
    except OfficialPackageMissing as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def ours(explanations: Explanations) -> dict[str, Any]:
    """Describe this package, as far as names of the official one have a home in it."""
    homes = [entry.here for entry in explanations.imports]
    others = [
        home.rpartition(".")[0]
        for entry in explanations.imports
        for home in entry.names.values()
        if "." in home
    ]
    return _describe(sys.executable, OURS, *dict.fromkeys([*homes, *others, *_BEYOND]))


@pytest.fixture(scope="session")
def against_official(
    explanations: Explanations, official: dict[str, Any], ours: dict[str, Any]
) -> Comparison:
    """Compare with the official package."""
    return compare(explanations.imports, official, ours)


@pytest.fixture(scope="session")
def against_documents(ours: dict[str, Any]) -> Comparison:
    """Compare with the reference documents."""
    return compare_with_documents(documented(), ours)
