"""A diagnosis that has been made: for people, for programs, and as an object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gcompute import __version__
from gcompute.diagnosis.outcome import Check, State

#: SGR codes of terminals, by state.
_COLOURS = {State.OK: "32", State.WARNING: "33", State.PROBLEM: "31;1", State.SKIPPED: "2"}
_INDENT = " " * 4


@dataclass(frozen=True)
class Report:
    """What a diagnosis found, without secrets: it may be shown to strangers.

    Attributes:
        checks: all of them, from this machine to the endpoint.
        made_at: when.
    """

    checks: Sequence[Check]
    made_at: datetime

    def __getitem__(self, name: str) -> Check:
        """Give the check of a name."""
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    @property
    def problems(self) -> list[Check]:
        """The checks that found something that does not work."""
        return [check for check in self.checks if check.state is State.PROBLEM]

    @property
    def warnings(self) -> list[Check]:
        """The checks that found something that may not work."""
        return [check for check in self.checks if check.state is State.WARNING]

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def __str__(self) -> str:
        return self.text()

    def text(self, *, colour: bool = False) -> str:
        """Write it for people.

        Args:
            colour: whether a terminal shows it.
        """
        made_at = self.made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        lines = [f"gcompute {__version__}, diagnosis of {made_at}: {self._summary()}", ""]
        for check in self.checks:
            lines += _paragraph(check, colour)
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Give what JSON has of it."""
        return {
            "gcompute": __version__,
            "made_at": self.made_at.astimezone(UTC).isoformat(timespec="seconds"),
            "ok": self.ok,
            "problems": [check.name for check in self.problems],
            "warnings": [check.name for check in self.warnings],
            "checks": [check.to_dict() for check in self.checks],
        }

    def to_json(self) -> str:
        """Write it for programs."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def _summary(self) -> str:
        counted = [(len(self.problems), "problem"), (len(self.warnings), "warning")]
        said = [f"{count} {what}{'s' * (count != 1)}" for count, what in counted if count]
        return ", ".join(said) or "no problems"


def _paragraph(check: Check, colour: bool) -> list[str]:
    state = f"{check.state:<8}"
    if colour:
        state = f"\x1b[{_COLOURS[check.state]}m{state}\x1b[0m"
    first, *more = check.found.split("\n")
    took = f" ({check.seconds * 1000:.0f} ms)" if check.seconds >= 0.001 else ""
    lines = [f"{state} {check.name}: {first}{took}", *(f"{_INDENT}{line}" for line in more)]
    if check.next_step:
        lines.append(f"{_INDENT}-> {check.next_step}")
    return lines
