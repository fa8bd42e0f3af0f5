"""What users see of an engine: what they see of the built-in workers."""

from __future__ import annotations

import pytest

from gcompute import Executor, TaskExecutionFailed
from gcompute.local import LocalService
from tests.scenarios.engines.conftest import TASK_TIMEOUT_S

# The functions that are sent live inside the tests: a worker cannot import this module.

PATIENCE_S = 90


def test_a_task_has_its_environment(
    engine_service: LocalService, engine_executor: Executor
) -> None:
    """Its id, and the endpoint's folder; what it prints is in the log."""

    def look(x: int) -> tuple[int, str | None, str]:
        import os

        print("a task looks around")
        return x + 1, os.environ.get("GC_TASK_UUID"), os.getcwd()

    future = engine_executor.submit(look, 41)
    value, told_id, folder = future.result(PATIENCE_S)
    assert (value, told_id) == (42, future.task_id)
    assert folder == str(engine_service.state_dir / "endpoint")


def test_two_hundred_tasks_each_come_back(engine_executor: Executor) -> None:
    """More than the engine is given at a time: nothing is lost or mixed up."""

    def square(x: int) -> int:
        return x * x

    futures = [engine_executor.submit(square, n) for n in range(200)]
    assert [future.result(PATIENCE_S) for future in futures] == [n * n for n in range(200)]


def test_a_function_that_raises(engine_executor: Executor) -> None:
    """The user gets his traceback, his function first, and nothing of the engine."""

    def fails() -> None:
        raise ZeroDivisionError("no way")

    with pytest.raises(TaskExecutionFailed) as caught:
        engine_executor.submit(fails).result(PATIENCE_S)
    assert caught.value.error_code == "RemoteExecutionError"
    lines = caught.value.remote_traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith(", in fails")
    assert lines[-1] == "ZeroDivisionError: no way"


def test_a_result_that_is_too_large(engine_executor: Executor) -> None:
    """The limit is the service's, whatever the engine could carry."""

    def too_much() -> bytes:
        return bytes(9 * 1024 * 1024)

    with pytest.raises(TaskExecutionFailed, match="MaxResultSizeExceeded"):
        engine_executor.submit(too_much).result(PATIENCE_S)


def test_a_task_that_takes_too_long(engine_executor: Executor) -> None:
    """GC_TASK_TIMEOUT of the endpoint ends it, in a thread as in a process of its own."""

    def work_on() -> None:
        import time

        while True:
            time.sleep(0.01)

    with pytest.raises(TaskExecutionFailed) as caught:
        engine_executor.submit(work_on).result(PATIENCE_S)
    assert f"TaskTimeout: Task exceeded its limit of {TASK_TIMEOUT_S} s" in str(caught.value)


def test_a_worker_that_dies(engine: str, engine_executor: Executor) -> None:
    """The loss is told as one, and the engine goes on or is made anew."""

    def die() -> None:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(TaskExecutionFailed) as caught:
        engine_executor.submit(die).result(PATIENCE_S)
    # Threads are in the agent's own process, which is started again, and the task with it.
    in_agent = engine == "threads"
    assert caught.value.error_code == ("ENDPOINT_LOST" if in_agent else "WorkerLost")
    assert ("agent died" if in_agent else "worker process of") in str(caught.value)
    assert engine_executor.submit(abs, -3).result(PATIENCE_S) == 3


def test_the_endpoint_says_what_it_runs_on(engine_service: LocalService) -> None:
    """Resources that only other engines know are refused, by the engine's name."""
    with engine_service.executor(resource_specification={"num_nodes": 2}) as executor:
        error = executor.submit(abs, -1).exception(PATIENCE_S)
    assert isinstance(error, TaskExecutionFailed)
    assert "resource_specification is not supported on" in str(error)
    assert "ProcessPoolEngine" not in str(error)
