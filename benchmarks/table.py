"""Rows of numbers as text. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figures import COLUMNS, Row, Target

_HEADER = ("measure", "unit", *COLUMNS, "ours/official", "ours/floor", "target", "met", "n")

#: Columns whose text is set flush left.
_LEFT = frozenset({"measure", "unit"})


def render(rows: Sequence[Row]) -> str:
    """Give a table with one line a row, as aligned text that is Markdown too."""
    cells = [_HEADER, *(_cells(row) for row in rows)]
    # A rule needs two characters, one of them the colon that sets a column flush right.
    widths = [max(2, *(len(line[i]) for line in cells)) for i in range(len(_HEADER))]
    rule = [
        "-" * width if name in _LEFT else "-" * (width - 1) + ":"
        for name, width in zip(_HEADER, widths, strict=True)
    ]
    return "\n".join(_line(line, widths) for line in (cells[0], rule, *cells[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    placed = (
        cell.ljust(width) if name in _LEFT else cell.rjust(width)
        for name, cell, width in zip(_HEADER, cells, widths, strict=True)
    )
    return f"| {' | '.join(placed)} |"


def _cells(row: Row) -> tuple[str, ...]:
    summed = row.summary == "sum of medians"
    repetitions = dict.fromkeys(str(len(row.values[c])) for c in COLUMNS if c in row.values)
    return (
        row.measure if summed else f"{row.measure}, {row.summary}",
        row.unit,
        *(number(row.value(column)) for column in COLUMNS),
        number(row.ratio("official")),
        number(row.ratio("floor")),
        ", ".join(_asked(target) for target in row.targets),
        ", ".join({True: "yes", False: "NO", None: "?"}[row.meets(t)] for t in row.targets),
        "" if summed else "/".join(repetitions),
    )


def _asked(target: Target) -> str:
    """Say what is asked of ours."""
    bound = f"{'>=' if target.least else '<='} {target.bound:g}"
    return f"ours {bound}" if target.of is None else f"{bound} {target.of}"


def number(value: float | None) -> str:
    """Write a number with three digits that matter; nothing for ``None``."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 99.95:
        return f"{value:,.0f}"
    decimals = 1 if abs(value) >= 9.995 else 2 if abs(value) >= 0.9995 else 3
    return f"{value:.{decimals}f}"
