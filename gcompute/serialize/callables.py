"""Names for callables that have none. Pure.

The official worker asks every function for its ``__name__`` before it runs it, and fails the
task where there is none, as in a partial or a callable object.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def callable_name(function: Callable[..., Any]) -> str:
    """Name a callable: a partial by its function, an object by its class."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", None) or type(function).__name__


def with_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give the callable itself where it has a name, else a partial of it that has one."""
    if hasattr(function, "__name__"):
        return function
    named = functools.partial(function)
    named.__dict__["__name__"] = callable_name(function)
    return named
