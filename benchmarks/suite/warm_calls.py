"""Single calls on the service that answers at once: what the client adds to one."""

from __future__ import annotations

from benchmarks.figures import Row, Target
from benchmarks.setting import LOOSEST_OFFICIAL, Benchmark, Setting

_ROUNDS = 4
_CALLS = 12


def _run(setting: Setting) -> list[Row]:
    rounds = setting.isolate(_ROUNDS, "calls", _CALLS, official_options=LOOSEST_OFFICIAL)
    laps = Row(
        "one warm call",
        "ms",
        {c: [lap * 1e3 for round_ in rounds[c] for lap in round_["laps"]] for c in rounds},
        target=1 / 50,
        further=[Target(4, of="floor")],
    )
    first = Row(
        "first result, from import on",
        "ms",
        {
            "official": [round_["first"] * 1e3 for round_ in rounds["official"]],
            "ours": [round_["first"] * 1e3 for round_ in rounds["ours"]],
        },
        target=0.6,
    )
    p99 = Row(laps.measure, laps.unit, laps.values, "p99", laps.target, further=laps.further)
    return [laps, p99, first]


BENCHMARK = Benchmark(
    name="warm",
    measures="single calls, one at a time, on a service that answers at once",
    method=f"""\
{_ROUNDS} rounds, in turn. Each is a fresh process that makes one call to warm up, then {_CALLS}
calls of `executor.submit(noop).result()`, each after the result of the one before: with what a
process asks for at its start they stay within the 20 requests in 10 s of the service. The official
Executor runs at the loosest limits that it takes, as each of its calls after the fourth would wait
for some 4.5 s otherwise; ours at its defaults. The floor is a bare POST of a prepared submit on a
kept connection, until a bare pika consumer has the message. The p99 of {_ROUNDS * _CALLS} calls is
close to the slowest. The first result counts from the start of the process's script on.""",
    run=_run,
)
