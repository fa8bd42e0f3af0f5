"""What a command's placeholders need, checked before anything is sent. Pure."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gcompute.errors import ComputeError


class MissingPlaceholder(ComputeError, KeyError):
    """A command has placeholders that a call has no values for.

    Attributes:
        missing: the names, in the order of the command; empty for ``{}``.
    """

    def __init__(self, message: str, missing: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.missing = list(missing)

    def __str__(self) -> str:
        # KeyError would show the repr.
        return str(self.args[0])


def check_call(
    function: Callable[..., Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
) -> None:
    """Find what makes a call of a command fail for certain, before it is sent.

    Does nothing for functions that know nothing of their arguments.

    Raises:
        MissingPlaceholder: a placeholder of the command has no value.
        TypeError: there are positional arguments, which commands do not take.
        ValueError: the command's braces do not match.
    """
    check = getattr(type(function), "check_arguments", None)
    if check is not None:
        check(function, *args, **(kwargs or {}))


def check_template(template: str, values: Mapping[str, Any]) -> None:
    """Check that a template finds a value for each placeholder. Raises as :func:`check_call`."""
    try:
        needed = list(dict.fromkeys(placeholders(template)))
    except ValueError as error:
        raise ValueError(f"{error} in the command {template!r}; {_ADVICE}") from None
    missing = [name for name in needed if name not in values]
    if missing:
        shown = ", ".join(f"{{{name}}}" for name in missing)
        raise MissingPlaceholder(
            f"no value is given for {shown} in the command {template!r}: pass it as a keyword "
            f"argument; {_ADVICE}",
            missing,
        )


def placeholders(template: str) -> Iterator[str]:
    """Give the names that a template asks for; empty or a number for a positional one.

    Raises:
        ValueError: its braces do not match.
    """
    for _, field, spec, _ in string.Formatter().parse(template):
        if field is not None:
            # {name.attribute[item]} asks for name.
            yield field.partition(".")[0].partition("[")[0]
            yield from placeholders(spec or "")


_ADVICE = "for braces that belong to the command, double them or use literal=True"
