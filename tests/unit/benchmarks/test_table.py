"""Rows of numbers as text."""

from __future__ import annotations

import pytest

from benchmarks.figures import Row, Target
from benchmarks.table import number, render


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.0, "0"),
        (0.01234, "0.012"),
        (0.9996, "1.00"),
        (1.234, "1.23"),
        (9.996, "10.0"),
        (56.78, "56.8"),
        (99.96, "100"),
        (4321.9, "4,322"),
        (-12.34, "-12.3"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    """Numbers have about three digits that matter, whatever their size."""
    assert number(value) == text


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_of_both_sides_and_the_floor() -> None:
    """A line has the summaries, ratio, target, whether it was met, and the repetitions."""
    lines = render(
        [
            Row("warm call", "ms", {"official": [500.0, 502.0], "ours": [5.0, 5.0]}, target=0.1),
            Row("import", "ms", {"official": [10.0, 10.0, 10.0], "ours": [9.0]}, target=0.6),
            Row("peak", "MiB", {"official": [4.0], "ours": [2.5]}, limit=2),
            Row(
                "rate",
                "1/s",
                {"official": [4.0], "ours": [9.0], "floor": [10.0]},
                target=1.5,
                further=[Target(0.9, of="floor", least=True)],
            ),
            Row("post", "ms", {"floor": [1.0, 2.0, 3.0]}, limit=2),
            Row("both", "ms", {"floor": [1.0, 2.5]}, summary="sum of medians"),
        ]
    ).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert {cell.strip("-") for cell in _cells(lines[1])} == {"", ":"}
    columns = ["measure", "unit", "official", "ours", "floor", "ours/official", "ours/floor"]
    assert _cells(lines[0]) == [*columns, "target", "met", "n"]
    assert [_cells(line) for line in lines[2:]] == [
        ["warm call, median", "ms", "501", "5.00", "", "0.010", "", "<= 0.1 official", "yes", "2"],
        ["import, median", "ms", "10.0", "9.00", "", "0.900", "", "<= 0.6 official", "NO", "3/1"],
        ["peak, median", "MiB", "4.00", "2.50", "", "0.625", "", "ours <= 2", "NO", "1"],
        [
            *("rate, median", "1/s", "4.00", "9.00", "10.0", "2.25", "0.900"),
            *("<= 1.5 official, >= 0.9 floor", "NO, yes", "1"),
        ],
        ["post, median", "ms", "", "", "2.00", "", "", "ours <= 2", "?", "3"],
        ["both", "ms", "", "", "3.50", "", "", "", "", ""],
    ]
