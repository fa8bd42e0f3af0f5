"""Verdicts as text: one line for each fault and broker, one column for each client. Pure."""

from __future__ import annotations

from tests.faults.stage import COUNT, BrokerName
from tests.faults.verdict import Verdict

#: By the names of fault and broker, and of the client.
Lines = dict[tuple[str, BrokerName], dict[str, Verdict]]


def render(lines: Lines, columns: tuple[str, ...]) -> str:
    """Give a table that is Markdown too."""
    header = ["fault", "broker"]
    for column in columns:
        header += [f"{column}: right", "else", "s"]
    rows = [header]
    for (fault, broker), verdicts in lines.items():
        row = [fault, broker]
        for column in columns:
            row += _cells(verdicts.get(column))
        rows.append(row)
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def _cells(verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return ["", "", ""]
    return [
        f"{verdict.right}/{COUNT}" + ("" if verdict.good else " !"),
        verdict.remainder,
        f"{verdict.seconds:.1f}",
    ]
