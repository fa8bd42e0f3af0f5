"""100 MB of results: the memory that they take on their way to a user who drops them."""

from __future__ import annotations

from benchmarks.figures import Column, Row
from benchmarks.setting import Benchmark, Setting
from benchmarks.sides import Side
from gcompute.serialize import ComputeSerializer

#: How many results, and the bytes in each: serialized they are a third longer, 100 MB in all.
_SIZES = ((10, 7_400_000), (100, 740_000))

#: Times the largest result, serialized.
_MOST = 3


def _run(setting: Setting) -> list[Row]:
    rows = []
    for count, result_bytes in _SIZES:
        serialized = len(ComputeSerializer().serialize(bytes(result_bytes)))
        name = f"{count} of {serialized / 1e6:.0f} MB"
        for kind, limit in (("allocated", _MOST), ("resident", None)):
            peaks = _peaks(setting, kind, count, result_bytes)
            values = {column: [peak / serialized] for column, peak in peaks.items()}
            rows.append(Row(f"{name}: {kind} / largest", "x", values, limit=limit))
    return rows


def _peaks(setting: Setting, kind: str, count: int, result_bytes: int) -> dict[Column, float]:
    """Give the most bytes of a kind that each side had in use."""
    service = setting.answering

    def peak(side: Side) -> float:
        answer = service.drive(
            side,
            "large",
            count,
            url=service.url,
            result_bytes=result_bytes,
            traced=kind == "allocated",
        )
        return float(answer[kind])

    return {side.name: peak(side) for side in (setting.official, setting.ours)}


BENCHMARK = Benchmark(
    name="large",
    measures="100 MB of results, dropped as they come: the memory on their way",
    method="""\
Each in a fresh process, on the service that answers at once, which keeps the results back until
every task has its id, and then publishes them all. The user has a callback at each future, which
looks at the length of the result, and keeps nothing. Allocated is the most that tracemalloc counts,
resident the most of the process that was in memory (VmHWM), in a process of its own; both above
what it was before the release, by the size of one serialized result. The value in the user's
hands during the callback, three quarters of that size, is counted too.""",
    run=_run,
)
