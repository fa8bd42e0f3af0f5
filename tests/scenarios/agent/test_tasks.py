"""What becomes of a task: its result, or why there is none."""

from __future__ import annotations

import json
import os
import signal
import uuid
from pathlib import Path

import pytest

from gcompute.messages import TaskMessage, encode
from gcompute.serialize import ComputeSerializer, pack_buffers
from tests.scenarios.agent.conftest import Attach
from tests.support.event_loop import in_event_loop

# The functions that are sent live inside the tests: a worker cannot import this module.


@in_event_loop
async def test_a_task_runs_and_says_where_it_ran(attach: Attach) -> None:
    """The result has the value, the worker's environment and the two execution states."""

    def describe(x: int) -> tuple[int, str | None, str]:
        import os

        return x + 1, os.environ.get("GC_TASK_UUID"), os.getcwd()

    async with attach() as running:
        endpoint = running.endpoint
        task_id = endpoint.submit(describe, 41)
        value, told_id, folder = await endpoint.value(task_id)
        assert (value, told_id) == (42, task_id)
        assert Path(folder).name == "run"
        result = await endpoint.result(task_id)
        assert result.details is not None
        assert result.details["endpoint_id"] == endpoint.endpoint_id
        assert set(result.details) == {
            *("os", "python_version", "dill_version", "globus_compute_sdk_version", "endpoint_id")
        }
        assert [(t.state, t.actor) for t in result.task_statuses] == [
            ("execution-start", "worker"),
            ("execution-end", "worker"),
        ]


@in_event_loop
async def test_five_hundred_tasks_each_come_back_once(attach: Attach) -> None:
    """Nothing is lost, doubled or mixed up."""

    def square(x: int) -> int:
        return x * x

    async with attach() as running:
        endpoint = running.endpoint
        asked = {endpoint.submit(square, n): n for n in range(500)}
        await endpoint.until(lambda: len(endpoint.results) >= 500)
        assert {r.task_id for r in endpoint.results} == set(asked)
        assert len(endpoint.results) == 500
        for task_id, n in list(asked.items())[::50]:
            assert await endpoint.value(task_id) == n * n


@in_event_loop
async def test_a_function_that_raises(attach: Attach) -> None:
    """The user gets his traceback, his function first."""

    def fails() -> None:
        raise ZeroDivisionError("no way")

    async with attach() as running:
        code, text = await running.endpoint.failure(running.endpoint.submit(fails))
        assert code == "RemoteExecutionError"
        assert text.startswith("Traceback (most recent call last):\n")
        assert ", in fails\n" in text.splitlines(keepends=True)[1]
        assert text.rstrip().endswith("ZeroDivisionError: no way")


@in_event_loop
async def test_sys_exit_ends_the_task_and_not_the_worker(attach: Attach) -> None:
    """The one worker that there is goes on, in the same process."""

    def leave() -> None:
        import sys

        sys.exit(3)

    def pid() -> int:
        import os

        return os.getpid()

    async with attach(workers=1) as running:
        endpoint = running.endpoint
        before = await endpoint.value(endpoint.submit(pid))
        code, text = await endpoint.failure(endpoint.submit(leave))
        assert code == "RemoteExecutionError"
        assert text.rstrip().endswith("SystemExit: 3")
        assert await endpoint.value(endpoint.submit(pid)) == before


@pytest.mark.parametrize(
    ("number", "how"), [(9, "killed by signal 9, SIGKILL"), (11, "killed by signal 11, SIGSEGV")]
)
@in_event_loop
async def test_a_worker_that_dies_costs_its_task_alone(
    attach: Attach, number: int, how: str
) -> None:
    """Its task fails and says how; those that wait for the only worker run in the next."""

    def die(number: int) -> None:
        import os

        os.kill(os.getpid(), number)

    async with attach(workers=1) as running:
        endpoint = running.endpoint
        lost = endpoint.submit(die, number)
        others = [endpoint.submit(abs, -n) for n in range(10)]
        code, text = await endpoint.failure(lost)
        assert code == "WorkerLost"
        assert how in text
        assert [await endpoint.value(task_id) for task_id in others] == list(range(10))
        assert f"task {lost}: its worker process was lost" in running.agent.log()


@in_event_loop
async def test_a_worker_that_exits_on_its_own(attach: Attach) -> None:
    """os._exit ends the worker with a code, which the failure names."""

    def leave() -> None:
        import os

        os._exit(7)

    async with attach(workers=1) as running:
        code, text = await running.endpoint.failure(running.endpoint.submit(leave))
        assert code == "WorkerLost"
        assert "exited with code 7" in text


@in_event_loop
async def test_a_worker_that_dies_while_it_is_idle_is_replaced(attach: Attach) -> None:
    """Nobody's task fails, and there is a worker again."""

    def pid() -> int:
        import os

        return os.getpid()

    async with attach(workers=1, heartbeat_period=0.05) as running:
        endpoint = running.endpoint
        first = await endpoint.value(endpoint.submit(pid))
        os.kill(first, signal.SIGKILL)
        await endpoint.until(lambda: endpoint.reports[-1].global_state["worker_crashes"] == 1)
        assert await endpoint.value(endpoint.submit(pid)) != first


@in_event_loop
async def test_a_result_that_cannot_be_serialized(attach: Attach) -> None:
    """The failure names the type and the strategy."""

    def generate() -> object:
        return (n for n in range(3))

    async with attach() as running:
        code, text = await running.endpoint.failure(running.endpoint.submit(generate))
        assert code == "RemoteExecutionError"
        assert "returned a generator" in text
        assert "DillDataBase64" in text


@in_event_loop
async def test_a_result_over_ten_mebibytes(attach: Attach) -> None:
    """The failure has the size and the limit."""

    def long() -> str:
        return "x" * 8_000_000

    async with attach() as running:
        code, text = await running.endpoint.failure(running.endpoint.submit(long))
        assert code == "MaxResultSizeExceeded"
        assert text.startswith("MaxResultSizeExceeded: Task result of 10")
        assert "10485760B" in text


@in_event_loop
async def test_result_serializers_are_followed(attach: Attach) -> None:
    """Upstream's import paths choose the strategy; the first that works is taken."""
    json_path = "globus_compute_sdk.serialize.concretes.JSONData"
    dill_path = "globus_compute_sdk.serialize.concretes.DillDataBase64"

    def pair() -> tuple[int, int]:
        return (1, 2)

    def numbers() -> set[int]:
        return {1, 2}

    async with attach() as running:
        endpoint = running.endpoint
        as_json = endpoint.submit(pair, headers={"result_serializers": [json_path]})
        assert (await endpoint.result(as_json)).data == "11\n[1, 2]"
        either = endpoint.submit(numbers, headers={"result_serializers": [json_path, dill_path]})
        assert (await endpoint.result(either)).data.startswith("00\n")
        neither = endpoint.submit(numbers, headers={"result_serializers": [json_path]})
        _, text = await endpoint.failure(neither)
        assert "returned a set" in text
        assert "JSONData" in text


@in_event_loop
async def test_what_cannot_be_loaded_fails_with_the_reason(attach: Attach) -> None:
    """A function that lives in a module which is not there fails with that module's name."""
    function = "st\nf:import no_such_module_anywhere\ndef f(): pass\n"
    serializer = ComputeSerializer()
    buffer = pack_buffers([function, serializer.serialize(()), serializer.serialize({})])
    task_id = str(uuid.uuid4())
    async with attach() as running:
        running.endpoint.send(encode(TaskMessage(task_id, buffer)), {"task_uuid": task_id})
        _, text = await running.endpoint.failure(task_id)
        assert "ModuleNotFoundError: No module named 'no_such_module_anywhere'" in text


@in_event_loop
async def test_messages_that_are_no_tasks(attach: Attach) -> None:
    """Each is answered where its task is known, never comes twice, and harms no other."""
    named = str(uuid.uuid4())
    async with attach() as running:
        endpoint = running.endpoint
        endpoint.send(b"\x01{nonsense", {"task_uuid": named})
        endpoint.send(b"nothing at all", {"task_uuid": None})
        no_function = endpoint.submit(abs, 1, headers={"function_uuid": None})
        no_header = endpoint.submit(abs, 1, headers={"task_uuid": None})
        spec = {"resource_specification": json.dumps({"num_nodes": 2})}
        resources = endpoint.submit(abs, 1, headers=spec)
        fine = endpoint.submit(abs, -1)
        assert await endpoint.value(fine) == 1
        assert (await endpoint.failure(named))[0] == "MalformedMessage"
        for task_id, text in (
            (no_function, "function_uuid"),
            (no_header, "task_uuid"),
            (resources, "resource_specification is not supported"),
        ):
            code, said = await endpoint.failure(task_id)
            assert code == "InvalidTask"
            assert text in said
        assert running.agent.log().count("dropped a message of the task queue") == 1
    assert (await running.agent.rest())[0] == 0


@in_event_loop
async def test_what_functions_print_goes_to_the_log(attach: Attach) -> None:
    """Standard output of a worker is not the agent's, which speaks a protocol."""

    def talk() -> None:
        import os

        print("printed by a task")
        os.write(1, b"written by a task\n")
        os.system("echo said by a child of a task")  # noqa: S605, S607

    async with attach() as running:
        await running.endpoint.value(running.endpoint.submit(talk))
        for text in ("printed", "written", "said"):
            assert f"{text} by a" in running.agent.log()
        running.agent.close_stdin()
        assert await running.agent.rest() == (0, b"")


@in_event_loop
async def test_each_task_has_its_own_directory(attach: Attach) -> None:
    """It has the task's id for a name, and the task runs in it."""

    def where() -> tuple[str | None, str]:
        import os

        return os.environ.get("GC_TASK_SANDBOX_DIR"), os.getcwd()

    async with attach(sandbox=True) as running:
        endpoint = running.endpoint
        task_id = endpoint.submit(where)
        sandbox, folder = await endpoint.value(task_id)
        assert sandbox == folder
        assert Path(folder).name == task_id


@in_event_loop
async def test_a_task_that_takes_too_long_fails(attach: Attach) -> None:
    """Even while it waits."""

    def wait() -> None:
        import threading

        threading.Event().wait(600)

    async with attach(environment={"GC_TASK_TIMEOUT": "0.2"}) as running:
        endpoint = running.endpoint
        _, text = await endpoint.failure(endpoint.submit(wait))
        assert "TaskTimeout: Task exceeded its limit of 0.2 s (GC_TASK_TIMEOUT)" in text


@in_event_loop
async def test_a_child_that_comes_back_from_a_fork_does_not_answer(attach: Attach) -> None:
    """A function that forks has one result: the parent's."""

    def fork() -> str:
        import os

        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return "parent"
        return "child"

    async with attach(workers=1) as running:
        endpoint = running.endpoint
        assert await endpoint.value(endpoint.submit(fork)) == "parent"
        assert await endpoint.value(endpoint.submit(abs, -2)) == 2
        assert len(endpoint.results) == 2
