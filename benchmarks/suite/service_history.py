"""Whether a long history in the state file makes the local service slower."""

from __future__ import annotations

import json
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Row
from benchmarks.prepared import Requests, idle_endpoint, laps, submit_body
from benchmarks.setting import Benchmark, Setting

if TYPE_CHECKING:
    from gcompute.local import LocalService
    from gcompute.local.store import Store

_SIZES = (1_000, 10_000, 100_000)
_IN_SUBMIT = 128
_IN_GROUP = 1_000
_REPEATS = 50
#: How long ago the tasks finished, in seconds: longer than results wait in their queues.
_AGE_S = 7_200.0


def _run(_: Setting) -> Iterator[Row]:
    for size in _SIZES:
        with tempfile.TemporaryDirectory(prefix="gcompute-") as folder:
            yield from _measure(Path(folder), size)


def _measure(folder: Path, size: int) -> Iterator[Row]:
    from gcompute.local import LocalService

    with LocalService(workers=1, state_dir=folder) as service:
        idle, owner = idle_endpoint(service), service.identity_of("local")
        with service.client() as client:
            function = str(client.register_function(time.time))
    task_ids, group = _fill(folder, size, endpoint=idle, owner=owner, function=function)
    label = f"{size:,} tasks kept"
    state_mib = (folder / "state.sqlite").stat().st_size / 2**20
    yield Row(f"{label}: size of the state file", "MiB", {"ours": [state_mib]})
    start = time.perf_counter()
    with LocalService(workers=1, state_dir=folder) as service:
        started = time.perf_counter() - start
        yield Row(f"{label}: start on it", "s", {"ours": [started]})
        for measure, times in _requests(service, idle, task_ids, group):
            yield Row(f"{label}: {measure}", "ms", {"ours": times})
        with service.executor() as executor:
            times = laps(_REPEATS, lambda: executor.submit(time.time).result(30))
        yield Row(f"{label}: one call, submit to result", "ms", {"ours": times})


def _requests(
    service: LocalService, endpoint: str, task_ids: list[str], group: str
) -> Iterator[tuple[str, list[float]]]:
    submit, path = submit_body(service, _IN_SUBMIT), f"/v3/endpoints/{endpoint}/submit"
    task = f"/v2/tasks/{task_ids[len(task_ids) // 2]}"
    batch = json.dumps({"task_ids": task_ids[:_IN_SUBMIT]}).encode()
    with Requests(service) as requests:
        yield (
            f"submit of {_IN_SUBMIT} tasks",
            laps(_REPEATS, lambda: requests.send("POST", path, submit)),
        )
        yield "status of a task", laps(_REPEATS, lambda: requests.send("GET", task))
        yield (
            f"status of {_IN_SUBMIT} tasks",
            laps(_REPEATS, lambda: requests.send("POST", "/v2/batch_status", batch)),
        )
        yield (
            f"task group of {_IN_GROUP:,}",
            laps(_REPEATS, lambda: requests.send("GET", f"/v2/taskgroup/{group}")),
        )


def _fill(
    folder: Path, size: int, *, endpoint: str, owner: str, function: str
) -> tuple[list[str], str]:
    """Write finished tasks into the state of a stopped service; give their ids, and a group's."""
    from gcompute.local.store import Store

    store = Store(folder)
    task_ids: list[str] = []
    groups = []
    try:
        for _ in range(size // _IN_GROUP):
            groups.append(str(uuid.uuid4()))
            task_ids += _fill_group(store, groups[-1], endpoint, owner, function)
    finally:
        store.close()
    return task_ids, groups[len(groups) // 2]


def _fill_group(store: Store, group: str, endpoint: str, owner: str, function: str) -> list[str]:
    from gcompute.local.store.outcomes import Outcome
    from gcompute.local.store.tasks import Batch, NewTask, TaskGroup
    from gcompute.messages import ResultMessage, encode

    now = time.time() - _AGE_S
    tasks = [NewTask(str(uuid.uuid4()), function, "x" * 200) for _ in range(_IN_GROUP)]
    details = {"os": "Linux", "python_version": "3.11.7", "endpoint_id": endpoint}
    outcomes = [
        Outcome(
            task.id,
            endpoint,
            True,
            encode(ResultMessage(task.id, "00\ngARLKi4=", details=details)),
            {"execution-start": now, "execution-end": now},
        )
        for task in tasks
    ]
    with store.transaction():
        store.tasks.keep_group(TaskGroup(group, owner, True, now))
        seqs = store.tasks.add_batch(
            Batch(str(uuid.uuid4()), group, endpoint, owner, None, []), tasks, now
        )
        store.outcomes.keep(outcomes, now)
        store.outcomes.mark_forwarded(seqs)
    return [task.id for task in tasks]


BENCHMARK = Benchmark(
    name="history",
    measures="whether many finished tasks in the state file slow the local service down",
    method=f"""\
The state of a stopped service is filled with finished tasks in groups of {_IN_GROUP:,}, then a
service with one worker starts on it, with the embedded broker. Requests are prepared, and go one
after the other on one kept connection, {_REPEATS} times each; the call is one of our Executor's.
Nothing is asked of single values: down the sizes they should stay the same.""",
    run=_run,
)
