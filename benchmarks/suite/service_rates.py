"""What the local service carries, on its embedded broker and on RabbitMQ."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.figures import Row
from benchmarks.prepared import Requests, idle_endpoint, laps, submit_body
from benchmarks.setting import WORKERS, Benchmark, Setting
from tests.support.rabbitmq import running_rabbitmq

if TYPE_CHECKING:
    from gcompute.local import LocalService

_SUBMITS = 100
_IN_SUBMIT = 128
_ROUNDS = 3
_TASKS = 5_000


def _run(setting: Setting) -> Iterator[Row]:
    with _services() as services:
        for broker, service in services.items():
            yield Row(
                f"submits of {_IN_SUBMIT} tasks, {broker}",
                "requests/s",
                {"ours": _submits(service)},
            )
        rates: dict[str, list[float]] = {broker: [] for broker in services}
        spent: dict[str, list[float]] = {broker: [] for broker in services}
        for _ in range(_ROUNDS):
            for broker, service in services.items():
                rate, cpu = _burst(setting, service)
                rates[broker].append(rate)
                spent[broker].append(cpu)
        for broker in services:
            yield Row(f"no-op tasks, {broker}", "tasks/s", {"ours": rates[broker]})
            yield Row(f"CPU of the service a task, {broker}", "us", {"ours": spent[broker]})


def _submits(service: LocalService) -> list[float]:
    """Submit to an endpoint that nobody runs; give the rate of each request."""
    path = f"/v3/endpoints/{idle_endpoint(service)}/submit"
    body = submit_body(service, _IN_SUBMIT)
    with Requests(service) as requests:
        times = laps(_SUBMITS, lambda: requests.send("POST", path, body))
    return [1e3 / ms for ms in times]


def _burst(setting: Setting, service: LocalService) -> tuple[float, float]:
    """Send tasks through the whole stack; give tasks/s, and microseconds of service CPU a task."""
    process = _service_process(service)
    before = _cpu_s(process)
    answer = setting.ours.drive(
        {
            "scenario": "burst",
            "count": _TASKS,
            "url": service.url,
            "token": service.token,
            "endpoint_id": service.endpoint_id,
        }
    )
    return _TASKS / answer["elapsed"], (_cpu_s(process) - before) / _TASKS * 1e6


def _service_process(service: LocalService) -> psutil.Process:
    holder = (service.state_dir / "service.lock").read_text()
    return psutil.Process(int(holder))


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@contextmanager
def _services() -> Iterator[dict[str, LocalService]]:
    """Run a service on each broker."""
    from gcompute.local import LocalService

    with (
        tempfile.TemporaryDirectory(prefix="gcompute-") as folder,
        running_rabbitmq(Path(folder)) as node,
        LocalService(workers=WORKERS) as embedded,
        LocalService(workers=WORKERS, broker=node.url()) as on_rabbitmq,
    ):
        yield {"embedded broker": embedded, "RabbitMQ": on_rabbitmq}


BENCHMARK = Benchmark(
    name="service",
    measures="what the local service carries, on its embedded broker and on RabbitMQ",
    method=f"""\
Submits: {_SUBMITS} prepared requests of {_IN_SUBMIT} small tasks, one after the other on one kept
connection, to an endpoint that nobody runs; an answer comes when the tasks are in the state file.
No-op tasks: {_ROUNDS} rounds of {_TASKS:,} calls by our Executor, from submit to result, through
service, broker, agent and {WORKERS} worker processes, the two brokers in turn. CPU is that of the
service's own process, user and system: with the embedded broker it is the broker too.""",
    run=_run,
)
