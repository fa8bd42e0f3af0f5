"""The names that ``import gcompute`` offers."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

import gcompute
import gcompute.local


@pytest.mark.parametrize(
    ("package", "name"),
    [(package, name) for package in (gcompute, gcompute.local) for name in package.__all__],
)
def test_each_exported_name_is_there(package: ModuleType, name: str) -> None:
    """Every name of ``__all__`` can be had, and is listed by ``dir``, as completion needs."""
    assert getattr(package, name).__name__ == name
    assert name in dir(package)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy loading does not hide mistakes."""
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        gcompute.Clinet  # noqa: B018


def test_names_are_loaded_once() -> None:
    """The same object comes each time."""
    again = importlib.import_module("gcompute")
    assert again.ComputeError is gcompute.ComputeError
