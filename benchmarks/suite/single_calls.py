"""Round trips of single calls, one at a time."""

from __future__ import annotations

from typing import Any

from benchmarks.figures import Row
from benchmarks.setting import Benchmark, Setting
from benchmarks.sides import Side

_ROUNDS = 5
_CALLS = 10

#: The loosest limits that the official Executor takes. At its defaults, each call after the
#: fourth waits for some 4.5 s before it is sent, and nothing else would be measured.
_OFFICIAL_OPTIONS = {"api_burst_limit": 8, "api_burst_window_s": 1}


def _run(setting: Setting) -> list[Row]:
    order = setting.stack.order("calls", _CALLS)

    def measure(side: Side) -> dict[str, Any]:
        options = _OFFICIAL_OPTIONS if side.name == "official" else {}
        return side.drive({**order, "options": options})

    official, ours = setting.take_turns(_ROUNDS, measure)
    laps = Row(
        "one warm call",
        "ms",
        {
            "official": [lap * 1e3 for round_ in official for lap in round_["laps"]],
            "ours": [lap * 1e3 for round_ in ours for lap in round_["laps"]],
        },
        target=0.1,
    )
    first = Row(
        "first result, from import on",
        "ms",
        {
            "official": [round_["first"] * 1e3 for round_ in official],
            "ours": [round_["first"] * 1e3 for round_ in ours],
        },
    )
    return [laps, Row(laps.measure, laps.unit, laps.values, summary="p99"), first]


BENCHMARK = Benchmark(
    name="calls",
    measures="round trips of single calls, one at a time",
    method=f"""\
{_ROUNDS} rounds a side, in turn. Each is a fresh process that makes one call to warm up, then
{_CALLS} calls of `executor.submit(noop).result()`, each after the result of the one before, the
same for both. The official Executor delays each call after the fourth by some 4.5 s at its default
limits; that delay is kept out: it runs here with api_burst_limit=8 and api_burst_window_s=1, the
loosest that it takes, which these calls never reach. Ours runs at its defaults. The p99 of
{_ROUNDS * _CALLS} calls is close to the slowest of them. The first result counts from the start of
the process's script: import, version check, registration of the function, connection, call.""",
    run=_run,
)
