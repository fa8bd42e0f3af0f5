"""Telling what is wrong with the arguments that something is called with. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any


def unknown_argument(called: Callable[..., Any], name: str) -> str:
    """Say that what is called takes no such argument, and which one may be meant.

    Args:
        called: the class or function, whose signature has the names that it takes.
        name: the name that it was given.
    """
    parameters = inspect.signature(called).parameters.values()
    known = [one.name for one in parameters if one.kind is not one.VAR_KEYWORD]
    meant = get_close_matches(name, known, n=1)
    question = f" (did you mean {meant[0]!r}?)" if meant else ""
    return f"{called.__name__} does not know the argument {name!r}{question}"


def as_arguments(args: Any, kwargs: Any) -> tuple[tuple[Any, ...] | list[Any], dict[str, Any]]:
    """Give the arguments for a function, handed in as two values; none for ``None``.

    Raises:
        TypeError: ``args`` is no tuple or list, or ``kwargs`` no dict with text for keys.
    """
    if args is not None and not isinstance(args, tuple | list):
        raise TypeError(f"args must be a tuple or a list, not {type(args).__name__}")
    if kwargs is not None and not isinstance(kwargs, dict):
        raise TypeError(f"kwargs must be a dict, not {type(kwargs).__name__}")
    for key in kwargs or ():
        if not isinstance(key, str):
            raise TypeError(f"kwargs must have text for keys, not {key!r}")
    return () if args is None else args, {} if kwargs is None else kwargs
