"""Calls at a steady rate: how long each waits."""

from __future__ import annotations

from benchmarks.figures import Row
from benchmarks.setting import Benchmark, Setting

_CALLS = 300
_RATE_HZ = 20
_DURATION_S = 0.05


def _run(setting: Setting) -> list[Row]:
    order = setting.stack.order("stream", _CALLS)
    order["settings"] = {"rate_hz": _RATE_HZ, "duration_s": _DURATION_S}
    official, ours = setting.take_turns(1, lambda side: side.drive(order))
    waits = Row(
        "a call's wait",
        "s",
        {"official": official[0]["waits"], "ours": ours[0]["waits"]},
    )
    return [waits, Row(waits.measure, waits.unit, waits.values, summary="p99")]


BENCHMARK = Benchmark(
    name="stream",
    measures=f"{_CALLS} calls, {_RATE_HZ} a second, on the local service",
    method=f"""\
One round a side, each a fresh process that makes one call to warm up, then {_CALLS} calls at a
steady rate of {_RATE_HZ} a second, whatever has come back, at default settings. Each takes
{_DURATION_S * 1000:.0f} ms at the endpoint; the wait is the time from submit to result without
these. There are 20 requests in 10 s for ten times as many calls.""",
    run=_run,
)
