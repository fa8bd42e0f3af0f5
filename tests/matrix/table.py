"""The matrix as a table, a line for each cell as it is done. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.matrix.cells import Cell
from tests.matrix.playing import Outcome, failures

_ROW = "{:<10}{:<10}{:<11}{:>9}{:>10}{:>9}  {}"

HEAD = "\n".join(
    (
        _ROW.format("client", "broker", "worker", "passed", "left out", "seconds", "").rstrip(),
        "-" * 61,
    )
)


def row(cell: Cell, outcomes: Sequence[Outcome], seconds: float) -> str:
    """Tell in a line how a cell went."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    failed = [outcome.scenario for outcome in outcomes if outcome.outcome == "failed"]
    return _ROW.format(
        cell.client,
        cell.broker,
        cell.worker,
        f"{counts['passed']}/{len(outcomes) - counts['left out']}",
        counts["left out"],
        f"{seconds:.1f}",
        f"FAILED: {', '.join(failed)}" if failed else "",
    ).rstrip()


def reasons(played: Sequence[tuple[Cell, Sequence[Outcome]]]) -> list[str]:
    """Say which scenarios were left out where, and why: a line for each reason."""
    left_out: dict[tuple[str, str], list[str]] = {}
    for cell, outcomes in played:
        for outcome in outcomes:
            if outcome.outcome == "left out":
                left_out.setdefault((outcome.scenario, outcome.detail), []).append(str(cell))
    return [
        f"{scenario} left out in {len(cells)} cells: {why} ({', '.join(cells)})"
        for (scenario, why), cells in left_out.items()
    ]


def troubles(played: Sequence[tuple[Cell, Sequence[Outcome]]]) -> list[str]:
    """Say what went wrong, cell by cell."""
    return [f"== {cell}: {text}" for cell, outcomes in played for text in failures(outcomes)]
