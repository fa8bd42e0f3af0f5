"""The names that ``import gcompute`` offers."""

from __future__ import annotations

import importlib

import pytest

import gcompute


@pytest.mark.parametrize("name", gcompute.__all__)
def test_each_exported_name_is_there(name: str) -> None:
    """Every name of ``__all__`` can be had, and is listed by ``dir``."""
    assert getattr(gcompute, name).__name__ == name
    assert name in dir(gcompute)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy loading does not hide mistakes."""
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        gcompute.Clinet  # noqa: B018


def test_names_are_loaded_once() -> None:
    """The same object comes each time."""
    again = importlib.import_module("gcompute")
    assert again.ComputeError is gcompute.ComputeError
