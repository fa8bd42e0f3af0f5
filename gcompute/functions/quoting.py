"""Command templates whose values are quoted for the shell.

This module travels to workers as source: it imports nothing but the standard library.
"""

from __future__ import annotations

import shlex
import string
from typing import Any


def quoted_template(template: str) -> str:
    """Give the template as a text whose ``format`` quotes what it fills in.

    Each value becomes one word of the shell, after conversion and format specification. A list
    or tuple without a specification becomes one word for each item.
    """
    return QuotedTemplate(template)


class QuotedTemplate(str):
    """A template of a command line."""

    def format(self, *args: object, **kwargs: object) -> str:
        """Fill in values, quoted."""
        return _QuotingFormatter().vformat(str(self), args, kwargs)


class _QuotingFormatter(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, (list, tuple)) and not format_spec:
            return " ".join([shlex.quote(str(item)) for item in value])
        return shlex.quote(format(value, format_spec))
