"""A large array, serialized and loaded."""

from __future__ import annotations

from typing import Any

from benchmarks.figures import Column, Row
from benchmarks.setting import Benchmark, Setting
from benchmarks.sides import LOCAL_DRIVER, Side

_ROUNDS = 3
_LAPS = 5

#: Bytes: a multiple of 256, which is what the driver repeats.
_SIZE = 5_000_192

_KINDS = {"bytes": "5 MB of bytes", "numpy": "5 MB numpy array"}
_STEPS = {"serialize": "serialized", "deserialize": "loaded"}


def _run(setting: Setting) -> list[Row]:
    def measure(side: Side) -> dict[str, Any]:
        return side.drive({"scenario": "array", "laps": _LAPS, "size": _SIZE}, LOCAL_DRIVER)

    official, ours = setting.take_turns(_ROUNDS, measure)

    def row(kind: str, step: str) -> Row:
        sides: dict[Column, list[dict[str, Any]]] = {"official": official, "ours": ours}
        values = {
            column: [lap * 1e3 for round_ in rounds for lap in round_[kind][step]]
            for column, rounds in sides.items()
            if kind in rounds[0]
        }
        return Row(f"{_KINDS[kind]}, {_STEPS[step]}", "ms", values)

    rows = [row(kind, step) for kind in _KINDS for step in _STEPS]
    return [row for row in rows if row.values]


BENCHMARK = Benchmark(
    name="array",
    measures="a large array, serialized and loaded",
    method=f"""\
{_ROUNDS} rounds a side, in turn, each a fresh process with {_LAPS} laps after one to warm up, of
`serialize` and `deserialize` with the default strategy (dill, in base64). The same bytes, and as
many of numbers (float64) in an array of numpy; a side whose environment lacks numpy, which neither
client requires, has no figure for it.""",
    run=_run,
)
