"""Telling what an argument with an unknown name was meant to be. Pure."""

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
