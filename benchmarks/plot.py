"""Draws the scaling curve, and writes its numbers beside it.

``scaling.svg`` has two plots over the number of tasks: tasks a second, and microseconds a task.
``scaling.json`` has what was measured, and on what.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import COLUMNS, Column, Row

#: How each column is called and drawn.
_LINES: Mapping[Column, tuple[str, str]] = {
    "official": ("official SDK", "#c44e52"),
    "ours": ("gcompute", "#4c72b0"),
    "floor": ("floor: bare POSTs, bare consumer", "#8c8c8c"),
}


def write(folder: Path, points: Sequence[tuple[int, Row]], facts: Mapping[str, Any]) -> None:
    """Write the curve and its numbers.

    Args:
        folder: where to; it is made if need be.
        points: numbers of tasks, each with the microseconds a task.
        facts: what was measured on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = {"measured on": facts, "points": [{"tasks": n} | row.to_json() for n, row in points]}
    (folder / "scaling.json").write_text(json.dumps(document, indent=1) + "\n")
    _draw(folder / "scaling.svg", points)


def curves(points: Sequence[tuple[int, Row]]) -> dict[Column, list[tuple[int, float]]]:
    """Give each column's numbers of tasks, with the microseconds a task, where it has any."""
    found: dict[Column, list[tuple[int, float]]] = {}
    for column in COLUMNS:
        values = [(count, row.value(column)) for count, row in points]
        known = [(count, value) for count, value in values if value is not None]
        if known:
            found[column] = known
    return found


def _draw(path: Path, points: Sequence[tuple[int, Row]]) -> None:
    # A figure without pyplot needs no display, and its file is the same for the same numbers.
    import matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    rate, time = figure.subplots(1, 2)
    for column, curve in curves(points).items():
        label, color = _LINES[column]
        counts = [count for count, _ in curve]
        style = {"label": label, "color": color, "marker": "o", "markersize": 4}
        if column == "floor":
            style["linestyle"] = "--"
        rate.loglog(counts, [1e6 / value for _, value in curve], **style)
        time.loglog(counts, [value for _, value in curve], **style)
    for axes, title in ((rate, "tasks a second"), (time, "microseconds a task")):
        axes.set_title(title)
        axes.set_xlabel("no-op tasks at once")
        axes.grid(visible=True, which="major", alpha=0.3)
    rate.legend(frameon=False)
    with matplotlib.rc_context({"svg.hashsalt": "scaling", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})
