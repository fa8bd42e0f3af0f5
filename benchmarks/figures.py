"""The numbers of a run, and what is said of them. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
class Row:
    """One measure.

    Attributes:
        measure: what was measured, in a few words.
        unit: of all values: ``ms``, ``MiB``, ``tasks/s``, ...
        values: the repetitions, by column; a column may be missing.
        summary: how the values become one.
        target: what ours may be of the official's, at most; ``None`` where nothing is asked.
        limit: what ours may be, at most, whatever the official's is; in place of ``target``.
    """

    measure: str
    unit: str
    values: Mapping[Column, Sequence[float]]
    summary: Summary = "median"
    target: float | None = None
    limit: float | None = None

    def value(self, column: Column) -> float | None:
        """Give the one number of a column; ``None`` where nothing was measured."""
        values = self.values.get(column)
        return _SUMMARIES[self.summary](values) if values else None

    @property
    def ratio(self) -> float | None:
        """Ours in relation to the official's; ``None`` where one of them is missing or zero."""
        ours, official = self.value("ours"), self.value("official")
        return None if ours is None or not official else ours / official

    @property
    def met(self) -> bool | None:
        """Whether target or limit is kept; ``None`` where there is none, or nothing to compare."""
        measured, most = (
            (self.ratio, self.target) if self.limit is None else (self.value("ours"), self.limit)
        )
        return None if most is None or measured is None else measured <= most

    def to_json(self) -> dict[str, Any]:
        """Give the row with every repetition."""
        return {
            "measure": self.measure,
            "unit": self.unit,
            "summary": self.summary,
            "values": {column: list(values) for column, values in self.values.items()},
            **{column: self.value(column) for column in self.values},
            "ratio": self.ratio,
            "target": self.target,
            "limit": self.limit,
            "met": self.met,
        }
