"""The scaling curve: what a task takes when there are 1, 10, ... 100,000 of them."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.figures import Row
from benchmarks.setting import Benchmark, Setting

NAME = "scaling"

#: Tasks at once, and how often each is measured.
_ROUNDS = {1: 3, 10: 3, 100: 3, 1_000: 3, 10_000: 3, 100_000: 1}


def _run(setting: Setting) -> Iterable[Row]:
    for count, repeats in _ROUNDS.items():
        rounds = setting.isolate(repeats, "burst", count)
        yield Row(
            f"{count:,} at once, time each",
            "us",
            {c: [round_["elapsed"] / count * 1e6 for round_ in rounds[c]] for c in rounds},
        )


def sizes(rows: Iterable[Row]) -> list[tuple[int, Row]]:
    """Give the rows of this benchmark with the numbers of tasks that they are for."""
    return list(zip(_ROUNDS, rows, strict=True))


BENCHMARK = Benchmark(
    name=NAME,
    measures="what a task takes when there are 1 to 100,000 at once",
    method=f"""\
On the service that answers at once. {", ".join(f"{n:,}: {r}" for n, r in _ROUNDS.items())} rounds,
in turn, each a fresh process that makes one call to warm up, then submits all at default settings.
The time from the first submit to the last result, by the number of tasks. The floor sends prepared
requests with as many tasks in each as ours had in that round. `--plot FOLDER` draws the curve.""",
    run=_run,
)
