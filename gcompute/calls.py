"""Requests as values, and recipes that make them.

A *recipe* is a generator that says which requests a method makes and what becomes of the
answers, without sending anything: it yields a :class:`Call` and is sent the answer's decoded
JSON (or is thrown the :class:`~gcompute.errors.ComputeError`), or yields a :class:`Pause` or a
:class:`Notice`. The blocking and the asynchronous client run the same recipes, each with its own
way to send and wait.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the service.

    Attributes:
        operation: the generated operation, as ``tag.name``: ``"tasks.submit"``.
        parameters: its path and query parameters, by name.
        body: the JSON body, where it has one.
        repeatable: whether it only reads, so that repeating it does no harm.
    """

    operation: str
    parameters: dict[str, Any]
    body: dict[str, Any] | None = None
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Some seconds to wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning for the user, to be shown as coming from his line."""

    text: str
    category: type[Warning] = UserWarning


Recipe = Generator[Call | Pause | Notice, Any, R]


def read(operation: str, **parameters: Any) -> Call:
    """Make a call that only reads."""
    return Call(operation, parameters, repeatable=True)


def write(operation: str, body: dict[str, Any] | None = None, **parameters: Any) -> Call:
    """Make a call that changes something."""
    return Call(operation, parameters, body)
