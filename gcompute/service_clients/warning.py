"""Warnings that name the user's line."""

from __future__ import annotations

import sys
import warnings

_PACKAGE = __name__.rpartition(".")[0]


def warn_caller(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn, as coming from the line that called into this package, however deep that was."""
    frame = sys._getframe(1)
    level = 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(text, category, stacklevel=level)
