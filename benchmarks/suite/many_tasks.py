"""Many tasks at once: how fast they go through, and what the client spends on each."""

from __future__ import annotations

from typing import Any

from benchmarks.figures import Row
from benchmarks.setting import Benchmark, Setting
from benchmarks.sides import Side

_ROUNDS = 5
_TASKS = 5_000


def _run(setting: Setting) -> list[Row]:
    order = setting.stack.order("burst", _TASKS)

    def measure(side: Side) -> dict[str, Any]:
        return side.drive(order)

    official, ours = setting.take_turns(_ROUNDS, measure)
    return [
        Row(
            f"{_TASKS:,} no-op tasks, rate",
            "tasks/s",
            {
                "official": [_TASKS / round_["elapsed"] for round_ in official],
                "ours": [_TASKS / round_["elapsed"] for round_ in ours],
            },
        ),
        Row(
            "client CPU a task",
            "us",
            {
                "official": [round_["cpu"] / _TASKS * 1e6 for round_ in official],
                "ours": [round_["cpu"] / _TASKS * 1e6 for round_ in ours],
            },
        ),
        Row(
            "time a submit takes its caller",
            "us",
            {
                "official": [round_["submitted"] / _TASKS * 1e6 for round_ in official],
                "ours": [round_["submitted"] / _TASKS * 1e6 for round_ in ours],
            },
        ),
    ]


BENCHMARK = Benchmark(
    name="tasks",
    measures="5,000 no-op tasks at once, and what the client spends on each",
    method=f"""\
{_ROUNDS} rounds a side, in turn, each a fresh process that makes one call to warm up, then submits
{_TASKS:,} calls with the Executor at its defaults. The rate counts from the first submit to the
last result, and is bounded by service and workers on the same cores; more of it is better. CPU is
that of the client's process, user and system, of all its threads, in that time. The official
Executor serializes arguments in a thread of its own, ours in submit.""",
    run=_run,
)
