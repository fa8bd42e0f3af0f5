"""What a check says: a state, what was found, and the next step where there is one to take."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gcompute.errors import ComputeAPIError


class State(enum.StrEnum):
    """How a check ended."""

    OK = "ok"
    #: It works, but not as well, or not for long.
    WARNING = "warning"
    #: Something does not work.
    PROBLEM = "problem"
    #: Not tried, as something it needs is missing.
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a check, not redacted yet."""

    state: State
    #: For people; further lines are details.
    found: str
    #: What to do; empty only where the state is ok.
    next_step: str = ""
    #: For programs: values that JSON has.
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a report, redacted: what a user sees.

    Attributes:
        name: what was looked at, as ``"service TCP"``.
        state: how it ended.
        found: what was found, for people.
        next_step: what to do; empty only where the state is ok.
        details: what was found, for programs.
        seconds: how long it took.
    """

    name: str
    state: State
    found: str
    next_step: str
    details: Mapping[str, Any]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Give what JSON has of it."""
        return {
            "name": self.name,
            "state": str(self.state),
            "found": self.found,
            "next_step": self.next_step,
            "details": dict(self.details),
            "seconds": round(self.seconds, 4),
        }


def ok(found: str, **details: Any) -> Outcome:
    """All is well."""
    return Outcome(State.OK, found, "", details)


def warning(found: str, next_step: str, **details: Any) -> Outcome:
    """It works, but."""
    return Outcome(State.WARNING, found, next_step, details)


def problem(found: str, next_step: str, **details: Any) -> Outcome:
    """It does not work."""
    return Outcome(State.PROBLEM, found, next_step, details)


def skipped(found: str, next_step: str, **details: Any) -> Outcome:
    """It was not tried."""
    return Outcome(State.SKIPPED, found, next_step, details)


def refused(error: Exception, next_step: str = "") -> Outcome:
    """Make the problem of an error.

    Args:
        error: what was raised.
        next_step: what to do; default what the error itself advises.
    """
    text = str(error).strip() or type(error).__name__
    details: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, ComputeAPIError):
        text = text.removesuffix(error.next_step).strip()
        next_step = next_step or error.next_step
        details |= {"http_status": error.http_status, "code": error.code}
    return problem(text, next_step or "Correct what is said there, and diagnose again.", **details)
