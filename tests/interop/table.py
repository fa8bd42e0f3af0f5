"""Writes the table of ``docs/serialization.md``: ``python -m tests.interop.table [--check]``.

Sends every sample by every strategy in every direction. With ``--check`` it writes nothing, and
exits with 1 if the page says something else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from .catalogue import CODE_STRATEGIES, DATA_STRATEGIES, ROWS, Sample
from .exchange import DIRECTIONS, OURS, Exchange, exchange

PAGE = Path(__file__).parents[2] / "docs" / "serialization.md"

_BEGIN = "<!-- written by: python -m tests.interop.table -->\n"
_END = "<!-- end of what is written -->\n"

#: strategy, sample, and the outcome in each direction.
Row = tuple[str, Sample, tuple[str, ...]]


def measure(between: Exchange) -> list[Row]:
    """Send everything everywhere."""
    return [
        (
            strategy,
            sample,
            tuple(between.outcome(direction, strategy, sample) for direction in DIRECTIONS),
        )
        for strategy, sample in ROWS
    ]


def render(rows: Iterable[Row]) -> str:
    """Write the tables, one a strategy."""
    rows = list(rows)
    parts = []
    for strategy in (*CODE_STRATEGIES, *DATA_STRATEGIES):
        heads = [
            " → ".join("gcompute" if package == OURS else "official" for package in direction)
            for direction in DIRECTIONS
        ]
        lines = [f"### {strategy}", "", f"| what | {' | '.join(heads)} |", "| --- " * 5 + "|"]
        lines += [
            f"| {sample.name.replace('_', ' ')} | {' | '.join(outcomes)} |"
            for row_strategy, sample, outcomes in rows
            if row_strategy == strategy
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def page_with(table: str) -> str:
    """Give the page as it should be."""
    before, _, rest = PAGE.read_text("utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{table}\n{_END}{after}"


def main() -> None:
    """Write the page, or check it."""
    with exchange() as between:
        wanted = page_with(render(measure(between)))
    if sys.argv[1:] == ["--check"]:
        if PAGE.read_text("utf-8") != wanted:
            sys.exit("docs/serialization.md differs; run: python -m tests.interop.table")
    else:
        PAGE.write_text(wanted, "utf-8")


if __name__ == "__main__":
    main()
