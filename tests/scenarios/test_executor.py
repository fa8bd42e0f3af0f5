"""Functions through futures, as users write them, on the local service and both brokers."""

from __future__ import annotations

import concurrent.futures
import gc
import os
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from gcompute import Client, ComputeFuture, Executor, TaskExecutionFailed
from gcompute.executor import stream
from gcompute.local import LocalService
from tests.support.exiting import complaints

#: Seconds in which any single result must be there.
SOON = 30.0


def test_a_function_runs_elsewhere(executor: Executor) -> None:
    """The function's value comes back, from another process than this one."""

    def where(x: int, *, y: int) -> tuple[int, int]:
        import os

        return x + y, os.getpid()

    value, pid = executor.submit(where, 1, y=2).result(SOON)
    assert value == 3
    assert pid != os.getpid()


def test_results_belong_to_their_calls(executor: Executor) -> None:
    """Many calls, each future with its own result, and with its own task id."""

    def square(x: int) -> int:
        return x * x

    futures = [executor.submit(square, n) for n in range(500)]
    assert [f.result(SOON) for f in futures] == [n * n for n in range(500)]
    assert len({f.task_id for f in futures}) == 500


def test_no_result_waits_for_a_timer(service: LocalService) -> None:
    """Of calls one after another most take milliseconds; a timer of half a second shows in all."""
    seconds = []
    with (
        service.client() as client,
        Executor(service.endpoint_id, client=client, transport="amqp") as executor,
    ):
        executor.submit(abs, 0).result(SOON)
        for number in range(9):
            started = time.monotonic()
            assert executor.submit(abs, -number).result(SOON) == number
            seconds.append(time.monotonic() - started)
    assert statistics.median(seconds) < 0.25


def test_map_gives_results_in_order(executor: Executor) -> None:
    """``map`` works as the standard library documents it."""

    def power(base: int, exponent: int) -> int:
        return int(base**exponent)

    assert list(executor.map(power, range(10), [2] * 10)) == [n * n for n in range(10)]


def test_a_call_knows_its_task(executor: Executor, service: LocalService) -> None:
    """The worker finds its task's id in the environment, and it is the future's."""

    def task_id() -> str | None:
        import os

        return os.environ.get("GC_TASK_UUID")

    future = executor.submit(task_id)
    assert future.result(SOON) == future.task_id
    assert executor.task_group_id is not None


def test_a_raising_function_fails_its_future_alone(
    executor: Executor, service: LocalService
) -> None:
    """The error has the remote traceback, the task and the endpoint; others go on."""

    def divide(a: int, b: int) -> float:
        return a / b

    bad, good = executor.submit(divide, 1, 0), executor.submit(divide, 4, 2)
    error = bad.exception(SOON)
    assert isinstance(error, TaskExecutionFailed)
    assert error.task_id == bad.task_id
    assert error.endpoint_id == service.endpoint_id
    assert error.error_code == "RemoteExecutionError"
    assert "ZeroDivisionError" in error.remote_traceback
    assert "divide" in error.remote_traceback
    assert "ZeroDivisionError" in str(error.__cause__)
    assert str(bad.task_id) in str(error)
    assert good.result(SOON) == 2


def test_a_registered_function_runs_by_its_id(executor: Executor, client: Client) -> None:
    """``submit_to_registered_function`` needs an id and arguments."""

    def greet(name: str, greeting: str = "Hello") -> str:
        return f"{greeting}, {name}!"

    function_id = client.register_function(greet)
    future = executor.submit_to_registered_function(
        uuid.UUID(function_id), ("World",), {"greeting": "Hi"}
    )
    assert future.result(SOON) == "Hi, World!"


def test_register_function_twice_is_an_error(executor: Executor) -> None:
    """An explicit second registration is refused; submitting goes on with the first."""

    def one() -> int:
        return 1

    function_id = executor.register_function(one)
    with pytest.raises(ValueError, match=function_id):
        executor.register_function(one)
    assert executor.submit(one).result(SOON) == 1


def test_shutdown_waits_for_results(service: LocalService, client: Client) -> None:
    """When the ``with`` block is left every future has ended."""

    def nothing() -> None:
        return None

    with Executor(endpoint_id=service.endpoint_id, client=client) as executor:
        futures = [executor.submit(nothing) for _ in range(50)]
    assert all(f.done() for f in futures)
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(nothing)


def test_results_arrive_after_shutdown_without_waiting(
    service: LocalService, client: Client
) -> None:
    """``shutdown(wait=False)`` returns at once, and the futures still end."""

    def nothing() -> None:
        return None

    executor = Executor(endpoint_id=service.endpoint_id, client=client)
    future = executor.submit(nothing)
    executor.shutdown(wait=False)
    assert future.result(SOON) is None


def test_a_forgotten_executor_still_delivers(service: LocalService, client: Client) -> None:
    """An executor that nobody holds any more finishes its work."""

    def one() -> int:
        return 1

    future = Executor(endpoint_id=service.endpoint_id, client=client).submit(one)
    gc.collect()
    assert future.result(SOON) == 1


def test_callbacks_may_submit_and_shut_down(service: LocalService, client: Client) -> None:
    """A done-callback may use the executor, and even end it, without a deadlock."""

    def increment(x: int) -> int:
        return x + 1

    executor = Executor(endpoint_id=service.endpoint_id, client=client)
    second: list[ComputeFuture] = []
    ended = threading.Event()

    def chain(future: concurrent.futures.Future[Any]) -> None:
        second.append(executor.submit(increment, future.result()))
        executor.shutdown(wait=False)
        ended.set()

    executor.submit(increment, 1).add_done_callback(chain)
    assert ended.wait(SOON)
    assert second[0].result(SOON) == 3


def test_two_executors_share_a_client(service: LocalService, client: Client) -> None:
    """Two executors at once, each with its results."""

    def name(n: int) -> str:
        return f"call {n}"

    with (
        Executor(endpoint_id=service.endpoint_id, client=client, label="a") as a,
        Executor(endpoint_id=service.endpoint_id, client=client, label="b") as b,
    ):
        futures = [(a if n % 2 else b).submit(name, n) for n in range(100)]
        assert [f.result(SOON) for f in futures] == [f"call {n}" for n in range(100)]


def test_an_existing_task_group_is_used(service: LocalService, client: Client) -> None:
    """Tasks join a task group that another executor made."""

    def one() -> int:
        return 1

    with Executor(endpoint_id=service.endpoint_id, client=client) as first:
        assert first.submit(one).result(SOON) == 1
    group = first.task_group_id
    with Executor(endpoint_id=service.endpoint_id, client=client, task_group_id=group) as second:
        assert second.submit(one).result(SOON) == 1
        assert second.task_group_id == group


def test_many_threads_submit(executor: Executor) -> None:
    """Eight threads submit at once; nothing is lost or mixed up."""

    def identity(x: int) -> int:
        return x

    def submit_some(start: int) -> list[int]:
        futures = [executor.submit(identity, n) for n in range(start, start + 50)]
        return [f.result(SOON) for f in futures]

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        got = list(threads.map(submit_some, range(0, 400, 50)))
    assert [n for part in got for n in part] == list(range(400))


def test_large_results_arrive_whole(executor: Executor) -> None:
    """Megabytes come back unchanged, in several frames."""

    def blob(size: int) -> bytes:
        return bytes(range(256)) * (size // 256)

    size = 4 * 1024 * 1024
    assert executor.submit(blob, size).result(SOON) == bytes(range(256)) * (size // 256)


def test_a_large_argument_arrives_whole(executor: Executor) -> None:
    """An argument of some megabytes travels in a request of its own."""

    def length(data: bytes) -> int:
        return len(data)

    futures = [executor.submit(length, bytes(3_000_000)) for _ in range(4)]
    assert [f.result(SOON) for f in futures] == [3_000_000] * 4


def test_results_as_json(service: LocalService, client: Client) -> None:
    """An endpoint serializes results with the strategy that it is told to use."""

    def pair() -> Sequence[int]:
        return (1, 2)

    with Executor(
        endpoint_id=service.endpoint_id,
        client=client,
        result_serializers=["globus_compute_sdk.serialize.concretes.JSONData"],
    ) as executor:
        assert executor.submit(pair).result(SOON) == [1, 2]


def test_a_script_that_does_not_shut_down_ends(service: LocalService) -> None:
    """What a script queued is sent before the interpreter exits, and the exit does not hang."""
    script = f"""
import globus_sdk
from gcompute import Client, Executor

def one():
    return 1

client = Client(
    base_url={service.url!r}, authorizer=globus_sdk.AccessTokenAuthorizer({service.token!r})
)
executor = Executor({service.endpoint_id!r}, client=client)
future = executor.submit(one)
future.add_done_callback(lambda f: None)
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert complaints(run.stderr) == ""


def test_more_task_groups_are_used_than_a_connection_has_channels(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest are consumed no more; what is awaited of them is asked for."""
    monkeypatch.setattr(stream, "_MOST_GROUPS", 3)

    def later(x: int, seconds: float) -> int:
        import time

        time.sleep(seconds)
        return x

    slow = executor.submit(later, -1, 1.0)
    for n in range(8):
        executor.task_group_id = None
        assert executor.submit(later, n, 0).result(SOON) == n
    assert slow.result(SOON) == -1
    source = executor._engine._source
    assert source is not None
    assert source._threads is not None
    assert len(source._threads.stream._consumers) == 3
