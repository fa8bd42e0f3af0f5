"""The answer of batch_status, turned into results."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from benchmarks.figures import Row
from benchmarks.setting import Benchmark, Setting
from benchmarks.sides import LOCAL_DRIVER, Side
from gcompute.serialize import ComputeSerializer

_ROUNDS = 3
_LAPS = 5
_RESULTS = 1_000


def _run(setting: Setting) -> list[Row]:
    content, task_ids = answer(_RESULTS, setting.official.versions())
    order = {"scenario": "results", "laps": _LAPS, "content": content, "task_ids": task_ids}

    def measure(side: Side) -> dict[str, Any]:
        return side.drive(order, LOCAL_DRIVER)

    official, ours = setting.take_turns(_ROUNDS, measure)
    return [
        Row(
            f"{_RESULTS:,} results of {len(content) / 1e3:.0f} kB, decoded",
            "ms",
            {
                "official": [lap * 1e3 for round_ in official for lap in round_["laps"]],
                "ours": [lap * 1e3 for round_ in ours for lap in round_["laps"]],
            },
        )
    ]


def answer(count: int, versions: dict[str, str]) -> tuple[str, list[str]]:
    """Make an answer of batch_status in which every task succeeded.

    Args:
        count: how many tasks.
        versions: of the workers' ``python`` and ``dill``.

    Returns:
        The JSON text, and the task ids in it.
    """
    serializer = ComputeSerializer()
    task_ids = [str(uuid.uuid4()) for _ in range(count)]
    details = {
        "os": "Linux-6.1.0-x86_64-with-glibc2.36",
        "python_version": versions["python"],
        "dill_version": versions["dill"],
        "globus_compute_sdk_version": "4.19.0",
        "endpoint_id": str(uuid.uuid4()),
    }
    results = {
        task_id: {
            "task_id": task_id,
            "status": "success",
            "completion_t": str(time.time()),
            "result": serializer.serialize(index / 2),
            "details": details,
        }
        for index, task_id in enumerate(task_ids)
    }
    content = {"response": "batch", "results": results}
    return json.dumps(content, separators=(",", ":")), task_ids


BENCHMARK = Benchmark(
    name="results",
    measures=f"the answer to a question for {_RESULTS:,} results, without a service",
    method=f"""\
{_ROUNDS} rounds a side, in turn, each a fresh process with {_LAPS} laps after one to warm up. A lap
is `get_batch_result` of a new client, with the HTTP exchange replaced by the bytes of its answer,
the same for both: official as a requests response in the GlobusHTTPResponse of globus_sdk, parsed
there and by _update_task_table; ours as an httpx response, parsed by gcompute.http's decode and by
task_state. Ours asks in two requests: the first gets all, the second no more. Each result is a
number, serialized with the default strategy and loaded in the lap. The workers' Python and dill
are those of the official side, which compares them for each result.""",
    run=_run,
)
