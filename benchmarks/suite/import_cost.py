"""What importing the client costs, in time and memory."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.figures import Column, Row
from benchmarks.setting import Benchmark, Setting
from benchmarks.sides import Side

_ROUNDS = 11

_KIB_IN_MIB = 1024

# The memory of one process alone, and all that it has in memory, from the kernel's sums.
_PROBE = """
import time

def memory():
    with open("/proc/self/smaps_rollup") as sums:
        kib = {{line.split()[0]: int(line.split()[1]) for line in sums if line.endswith("kB\\n")}}
    return [kib["Private_Clean:"] + kib["Private_Dirty:"], kib["Rss:"]]

steps = [[0.0, *memory()]]
for code in ("import {package}", "{package}.Client, {package}.Executor"):
    compiled = compile(code, "<step>", "exec")
    start = time.perf_counter()
    exec(compiled)
    steps.append([time.perf_counter() - start, *memory()])
import json
print(json.dumps(steps))
"""

#: For the bare interpreter and after each of two steps: seconds the step took, KiB of memory
#: that are the process's own, KiB resident.
Steps = list[list[float]]


def _run(setting: Setting) -> list[Row]:
    def probe(side: Side) -> Steps:
        steps: Steps = side.evaluate(_PROBE.format(package=side.package))
        return steps

    setting.take_turns(1, probe)  # compiles to bytecode and fills the page cache
    official, ours = setting.take_turns(_ROUNDS, probe)

    def row(
        measure: str, unit: str, read: Callable[[Steps], float], target: float | None = None
    ) -> Row:
        values: dict[Column, list[float]]
        values = {"official": [read(s) for s in official], "ours": [read(s) for s in ours]}
        return Row(measure, unit, values, target=target)

    def memory(kind: int) -> Callable[[Steps], float]:
        return lambda steps: (steps[2][kind] - steps[0][kind]) / _KIB_IN_MIB

    return [
        row("import of the package", "ms", lambda steps: steps[1][0] * 1e3),
        row(
            "import, with Client and Executor",
            "ms",
            lambda steps: (steps[1][0] + steps[2][0]) * 1e3,
            target=0.6,
        ),
        row("memory of that, unshared", "MiB", memory(1)),
        row("memory of that, resident", "MiB", memory(2)),
    ]


BENCHMARK = Benchmark(
    name="import",
    measures="what importing the client costs, in time and memory",
    method="""\
Each repetition is a fresh interpreter that takes the time and its memory before the import,
after `import PACKAGE`, and after both Client and Executor were touched as attributes of it. Ours
loads names when they are first used, so the second figure is the one to compare. The bare
interpreter is subtracted. Unshared memory (USS) is what would be free if the process ended.""",
    run=_run,
)
