"""Many futures that wait at once: the memory and the time of each."""

from __future__ import annotations

from typing import Any

from benchmarks.figures import Column, Row
from benchmarks.setting import Benchmark, Setting
from benchmarks.sides import Side

#: The official client is measured up to here.
_OFFICIAL_MOST = 10_000

#: How often the time is measured, by count.
_ROUNDS = {1_000: 3, 10_000: 2, 100_000: 1}
_COUNTS = tuple(_ROUNDS)

_KIB = 1024

#: What the time of a task at the largest count may be, in relation to that at the smallest.
_GROWTH = 1.1


def _run(setting: Setting) -> list[Row]:
    memory: dict[int, dict[Column, dict[str, Any]]] = {}
    times: dict[int, dict[Column, list[float]]] = {}
    for count in _COUNTS:
        sides = [setting.ours] if count > _OFFICIAL_MOST else [setting.official, setting.ours]
        memory[count] = {side.name: _measure(setting, side, count, traced=True) for side in sides}
        times[count] = {side.name: [] for side in sides}
        for _ in range(_ROUNDS[count]):
            for side in sides:
                times[count][side.name].append(_time_a_task(setting, side, count))
    return [
        *(_memory_row(f"{n:,} futures, memory each", "held", memory[n], n, 2) for n in _COUNTS),
        *(_memory_row(f"{n:,} futures, peak each", "peak", memory[n], n, None) for n in _COUNTS),
        *(Row(f"{n:,} futures, time each", "us", times[n]) for n in _COUNTS),
        Row(
            f"time each, {_COUNTS[-1]:,} / {_COUNTS[0]:,}",
            "x",
            {"ours": [min(times[_COUNTS[-1]]["ours"]) / min(times[_COUNTS[0]]["ours"])]},
            limit=_GROWTH,
        ),
    ]


def _measure(setting: Setting, side: Side, count: int, *, traced: bool) -> dict[str, Any]:
    service = setting.answering
    return service.drive(side, "pending", count, url=service.url, traced=traced)


def _time_a_task(setting: Setting, side: Side, count: int) -> float:
    """Give the microseconds of a task, from its submit to its id, and from there to its result."""
    answer = _measure(setting, side, count, traced=False)
    return float((answer["taken"] + answer["delivered"]) / count * 1e6)


def _memory_row(
    measure: str, kind: str, sides: dict[Column, dict[str, Any]], count: int, limit: float | None
) -> Row:
    values: dict[Column, list[float]]
    values = {column: [answer[kind] / count / _KIB] for column, answer in sides.items()}
    return Row(measure, "KiB", values, limit=limit)


BENCHMARK = Benchmark(
    name="pending",
    measures="1,000, 10,000 and 100,000 futures that wait at once",
    method=f"""\
Each in a fresh process, on the service that answers at once, which keeps the results back until
every task has its id. A task has one argument, a number. Memory is what tracemalloc counts, in a
process of its own, above what was in use before the first submit: while all wait, arguments
included, and the most until then. Time, in rounds without tracemalloc, is that from the
first submit to the last id and from the release of the results to the last of them, by the number
of tasks; the growth compares the fastest rounds. The official client is left out beyond
{_OFFICIAL_MOST:,}, to save time.""",
    run=_run,
)
