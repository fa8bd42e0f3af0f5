"""How soon a local service gives its first result, and what it costs while nothing happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil

from benchmarks.figures import Row
from benchmarks.setting import WORKERS, Benchmark, Setting

_ROUNDS = 5
#: How long nothing happens while CPU time is counted, in seconds.
_IDLE_S = 10.0

_FIRST_RESULT = """\
import json, time
started = time.perf_counter()
from gcompute.local import LocalService
def noop():
    return None
with LocalService(workers={workers}) as service:
    up = time.perf_counter() - started
    with service.executor() as executor:
        executor.submit(noop).result(60)
        first = time.perf_counter() - started
print(json.dumps([up, first]))
"""


def _run(setting: Setting) -> Iterator[Row]:
    code = _FIRST_RESULT.format(workers=WORKERS)
    # The environment of the client alone has no service.
    here = replace(setting.ours, python=sys.executable)
    rounds = [here.evaluate(code) for _ in range(_ROUNDS)]
    yield Row("import to a service that is up", "s", {"ours": [up for up, _ in rounds]})
    yield Row(
        "import to the first result", "s", {"ours": [first for _, first in rounds]}, limit=1.5
    )
    yield from _idle()


def _idle() -> Iterator[Row]:
    from gcompute.local import LocalService

    with LocalService(workers=WORKERS) as service, service.executor() as executor:
        executor.submit(time.time).result(60)
        process = psutil.Process(int((service.state_dir / "service.lock").read_text()))
        family = [process, *process.children(recursive=True)]
        before = [_cpu_s(member) for member in family]
        time.sleep(_IDLE_S)
        spent = [_cpu_s(member) - cpu for member, cpu in zip(family, before, strict=True)]
        memory = [member.memory_info().rss / 2**20 for member in family]
    percent = 100 / _IDLE_S
    yield Row("CPU of an idle service", "% of a core", {"ours": [spent[0] * percent]})
    yield Row("with its agent and workers", "% of a core", {"ours": [sum(spent) * percent]})
    yield Row("memory of an idle service", "MiB", {"ours": [memory[0]]})


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


BENCHMARK = Benchmark(
    name="start",
    measures="how soon a local service gives a first result, and what it costs while idle",
    method=f"""\
{_ROUNDS} fresh processes, each from the import of gcompute.local to the first result of a function,
with the embedded broker and {WORKERS} workers. Then one service, after a call, with nothing to do
for {_IDLE_S:.0f} s.""",
    run=_run,
)
