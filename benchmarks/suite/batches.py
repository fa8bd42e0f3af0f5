"""A batch of many tasks, built and encoded: its time and its memory, and what each describes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.figures import Column, Row
from benchmarks.setting import Benchmark, Setting
from benchmarks.sides import LOCAL_DRIVER, Side

_ROUNDS = 3
_LAPS = 5
_TASKS = 1_000

#: Characters of the text among the arguments of each task.
_TEXTS = (10, 1_000)


def _run(setting: Setting) -> list[Row]:
    order = {"scenario": "batch", "laps": _LAPS, "count": _TASKS, "texts": _TEXTS}

    def measure(side: Side) -> dict[str, Any]:
        return side.drive(order, LOCAL_DRIVER)

    official, ours = setting.take_turns(_ROUNDS, measure)

    def values(read: Callable[[dict[str, Any]], list[float]]) -> dict[Column, list[float]]:
        return {
            "official": [value for round_ in official for value in read(round_)],
            "ours": [value for round_ in ours for value in read(round_)],
        }

    def times(text: int) -> dict[Column, list[float]]:
        return values(lambda round_: [lap * 1e3 for lap in round_["batches"][text]["laps"]])

    def memory(kind: str, text: int) -> dict[Column, list[float]]:
        """Read a kind of memory, in relation to the bytes of the body."""
        return values(
            lambda round_: [round_["batches"][text][kind] / round_["batches"][text]["size"]]
        )

    again = "the same, 1 kB an argument"
    return [
        Row(f"{_TASKS:,} tasks, built and encoded", "ms", times(0), target=0.33),
        Row(again, "ms", times(1)),
        Row("memory of the batch / encoded", "x", memory("held", 0), limit=2),
        Row(again, "x", memory("held", 1), limit=2),
        Row("peak until it is encoded / encoded", "x", memory("peak", 0), limit=2),
        Row(again, "x", memory("peak", 1), limit=2),
        Row(
            "create_user_runtime, each batch",
            "us",
            values(lambda round_: [lap * 1e6 for lap in round_["runtime"]["laps"]]),
            target=0.01,
        ),
        Row(
            "the same, first of a process",
            "us",
            values(lambda round_: [round_["runtime"]["first"] * 1e6]),
        ),
    ]


BENCHMARK = Benchmark(
    name="batch",
    measures=f"a batch of {_TASKS:,} tasks, built and encoded, without a service",
    method=f"""\
{_ROUNDS} rounds a side, in turn, each a fresh process with {_LAPS} laps after one to warm up. A lap
is `create_batch`, {_TASKS:,} times `add` with args (number, 0.5, text) and kwargs {{"scale": 2.0}},
`prepare`, and the body of the request: official by the encoder of the globus_sdk transport and the
prepare() of requests, ours by gcompute.http's build_request. The text has {_TEXTS[0]} characters,
or {_TEXTS[1]:,}. Memory is what tracemalloc counts in one more lap, by the bytes of the body: of
the batch alone once it is built, and the most that is in use at once until the body is there as
well (batch, body, and all that lies between). Its limits are for ours alone.""",
    run=_run,
)
