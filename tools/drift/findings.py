"""What a comparison found, and the report of it. Pure.

A part of the report has differences, and says what was compared, so that a comparison of nothing
does not pass for one without differences. What could not be compared is told apart from both: it
is no drift, and no proof of its absence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Difference:
    """One difference.

    Attributes:
        what: what a reason is given for, such as ``POST /v3/functions 413: is not recorded``.
        detail: where it was seen, for messages.
    """

    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.detail})" if self.detail else self.what


@dataclass
class Part:
    """What one part of the comparison found.

    Attributes:
        name: what `explained.yaml` and the command line call it.
        title: the two sides, for the report.
        reasons: the file that reasons for this part's differences go into.
        compared: how much was compared, a line each.
        differences: what differs.
        not_compared: what could not be compared and why, a line each.
    """

    name: str
    title: str
    reasons: str
    compared: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """A part, judged by the reasons that there are.

    Attributes:
        part: the part.
        unexplained: its differences without a reason, in order.
        stale: reasons that are for no difference.
    """

    part: Part
    unexplained: list[Difference]
    stale: list[str]

    @property
    def is_clean(self) -> bool:
        """Whether every difference has a reason, and every reason a difference."""
        return not self.unexplained and not self.stale


def summary(verdicts: Iterable[Verdict]) -> str:
    """Give the report's last line: what the parts come to."""
    judged = list(verdicts)
    unexplained = sum(len(each.unexplained) for each in judged)
    stale = sum(len(each.stale) for each in judged)
    open_ends = sum(len(each.part.not_compared) for each in judged)
    told = [f"{_count(unexplained, 'difference')} without a reason"]
    if stale:
        told.append(f"{_count(stale, 'reason')} for nothing")
    if open_ends:
        told.append(f"{_count(open_ends, 'comparison')} not made")
    return f"drift: {', '.join(told)}"


def report(verdict: Verdict) -> Iterator[str]:
    """Give the report's lines about one part."""
    part = verdict.part
    yield f"{part.name}: {part.title}"
    yield from (f"  compared: {line}" for line in part.compared)
    yield from (f"  not compared: {line}" for line in part.not_compared)
    explained = len(part.differences) - len(verdict.unexplained)
    if explained:
        yield f"  {_count(explained, 'difference')} explained in {part.reasons}"
    yield from (f"  unexplained: {each}" for each in verdict.unexplained)
    yield from (f"  explains nothing: {each}" for each in verdict.stale)
    if verdict.unexplained:
        yield f"  correct what is wrong, or give the reason in {part.reasons}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def exit_status(verdicts: Iterable[Verdict], *, strict: bool) -> int:
    """Give 0 when all is well, and 1 on drift.

    Args:
        verdicts: the parts, judged.
        strict: whether what could not be compared counts as drift.
    """
    for verdict in verdicts:
        if not verdict.is_clean or (strict and verdict.part.not_compared):
            return 1
    return 0
