"""Many tasks at once on the service that answers at once: what the client spends on each."""

from __future__ import annotations

from benchmarks.figures import Column, Row, Target
from benchmarks.setting import Benchmark, Setting

_ROUNDS = 3
_TASKS = 10_000

#: The requests of a plain loop: with as many tasks in each as both clients have in one.
_PLAIN = [128] * (_TASKS // 128) + [_TASKS % 128]


def _run(setting: Setting) -> list[Row]:
    rounds = setting.isolate(_ROUNDS, "burst", _TASKS)
    plain = [setting.drive_floor("burst", _TASKS, _PLAIN, 1)["elapsed"] for _ in range(_ROUNDS)]

    def spent(kind: str) -> dict[Column, list[float]]:
        return {
            c: [round_[kind] / _TASKS * 1e6 for round_ in rounds[c]]
            for c in rounds
            if kind in rounds[c][0]
        }

    rates: dict[Column, list[float]] = {
        c: [_TASKS / round_["elapsed"] for round_ in rounds[c]] for c in rounds
    }
    return [
        Row(
            f"{_TASKS:,} no-op tasks, rate",
            "tasks/s",
            {**rates, "floor": [_TASKS / elapsed for elapsed in plain]},
            further=[Target(0.9, of="floor", least=True)],
        ),
        Row("the same, by a floor that is tuned", "tasks/s", rates),
        Row("client CPU a task", "us", spent("cpu"), target=0.5),
        Row("time a submit takes its caller", "us", spent("submitted")),
    ]


BENCHMARK = Benchmark(
    name="burst",
    measures=f"{_TASKS:,} no-op tasks at once, on a service that answers at once",
    method=f"""\
{_ROUNDS} rounds, in turn, each a fresh process that makes one call to warm up, then submits
{_TASKS:,} calls with the Executor at its defaults. The rate counts from the first submit to the
last result. The floor is a loop that sends prepared requests of 128 tasks on one kept connection,
while a bare pika consumer takes the messages and acknowledges each. The tuned one, whose CPU is
shown, sends requests with as many tasks in each as ours had in the same round, and acknowledges
every 128 messages together: with this machine and this pika nothing is faster. CPU is that of the
client's process, user and system, of all its threads, in that time. The official Executor
serializes arguments in a thread of its own, ours in submit.""",
    run=_run,
)
