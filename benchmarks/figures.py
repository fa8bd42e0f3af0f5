"""The numbers of a run, and what is said of them. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Column = Literal["official", "ours", "floor"]

#: The columns of a table, from left to right.
COLUMNS: tuple[Column, ...] = ("official", "ours", "floor")

Summary = Literal["median", "p99", "sum of medians"]


def percentile(values: Sequence[float], percent: float) -> float:
    """Give a percentile, between two values in proportion.

    Args:
        values: in any order.
        percent: from 0 to 100.

    Raises:
        ValueError: there are no values, or ``percent`` is out of range.
    """
    if not values or not 0 <= percent <= 100:
        raise ValueError(f"no percentile {percent} of {len(values)} values")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = math.ceil(place)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


_SUMMARIES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "median": statistics.median,
    "p99": lambda values: percentile(values, 99),
    # The values are medians already.
    "sum of medians": math.fsum,
}


@dataclass(frozen=True)
class Target:
    """What is asked of ours.

    Attributes:
        bound: the number that ours is held against.
        of: the column by whose number ours is divided before; ``None`` where the bound is for
            the number itself, whatever the others' is.
        least: whether the bound is the least that is asked for, and not the most.
    """

    bound: float
    of: Literal["official", "floor"] | None = "official"
    least: bool = False


@dataclass(frozen=True)
class Row:
    """One measure.

    Attributes:
        measure: what was measured, in a few words.
        unit: of all values: ``ms``, ``MiB``, ``tasks/s``, ...
        values: the repetitions, by column; a column may be missing.
        summary: how the values become one.
        target: what ours may be of the official's, at most; ``None`` where nothing is asked.
        limit: what ours may be, at most, whatever the official's is.
        further: targets that are neither of these.
    """

    measure: str
    unit: str
    values: Mapping[Column, Sequence[float]]
    summary: Summary = "median"
    target: float | None = None
    limit: float | None = None
    further: Sequence[Target] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """All that is asked."""
        asked = [] if self.target is None else [Target(self.target)]
        if self.limit is not None:
            asked.append(Target(self.limit, of=None))
        return (*asked, *self.further)

    def value(self, column: Column) -> float | None:
        """Give the one number of a column; ``None`` where nothing was measured."""
        values = self.values.get(column)
        return _SUMMARIES[self.summary](values) if values else None

    def ratio(self, column: Column) -> float | None:
        """Give ours in relation to a column; ``None`` where one of them is missing or zero."""
        ours, other = self.value("ours"), self.value(column)
        return None if ours is None or not other else ours / other

    def meets(self, target: Target) -> bool | None:
        """Tell whether a target is met; ``None`` where there is nothing to compare."""
        measured = self.value("ours") if target.of is None else self.ratio(target.of)
        if measured is None:
            return None
        return measured >= target.bound if target.least else measured <= target.bound

    def to_json(self) -> dict[str, Any]:
        """Give the row with every repetition."""
        return {
            "measure": self.measure,
            "unit": self.unit,
            "summary": self.summary,
            "values": {column: list(values) for column, values in self.values.items()},
            **{column: self.value(column) for column in self.values},
            "ours/official": self.ratio("official"),
            "ours/floor": self.ratio("floor"),
            "targets": [asdict(target) | {"met": self.meets(target)} for target in self.targets],
        }
