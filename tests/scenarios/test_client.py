"""The client's methods against the local service, on both brokers."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from gcompute import Client, TaskExecutionFailed, TaskPending
from gcompute.errors import NotFound
from gcompute.local import LocalService
from tests.scenarios.waiting import eventually

# A function of a module is sent by reference, and the worker has no tests; one that is made
# inside another is sent by value, as those of a script are.


def _doubling() -> Callable[[int], int]:
    def double(x: int) -> int:
        return 2 * x

    return double


def _failing() -> Callable[[str], None]:
    def fail(message: str) -> None:
        raise ValueError(message)

    return fail


def test_run_and_get_result(client: Client, service: LocalService) -> None:
    """Register, run, wait, fetch; the result can be fetched again."""
    function_id = client.register_function(_doubling())
    task_id = client.run(21, endpoint_id=service.endpoint_id, function_id=function_id)
    eventually(lambda: not client.get_task(task_id)["pending"])
    assert client.get_result(task_id) == 42
    assert client.get_result(uuid.UUID(task_id)) == 42
    state = client.get_task(task_id)
    assert state["status"] == "success"
    assert float(state["completion_t"]) > 0


def test_batch_keeps_the_order(client: Client, service: LocalService) -> None:
    """The answer lists each function's tasks in the order in which they were added."""
    doubles, fails = client.register_function(_doubling()), client.register_function(_failing())
    batch = client.create_batch()
    for n in range(10):
        batch.add(doubles, (n,))
    batch.add(fails, kwargs={"message": "as it should"})
    answer = client.batch_run(service.endpoint_id, batch)
    assert set(answer["tasks"]) == {doubles, fails}
    assert answer["endpoint_id"] == service.endpoint_id
    task_ids = answer["tasks"][doubles]
    (failing,) = answer["tasks"][fails]

    everything = [*task_ids, failing]
    eventually(lambda: not any(s["pending"] for s in client.get_batch_result(everything).values()))
    states = client.get_batch_result(everything)
    assert [states[task_id]["result"] for task_id in task_ids] == [2 * n for n in range(10)]
    assert isinstance(states[failing]["exception"], TaskExecutionFailed)
    assert "as it should" in str(states[failing]["exception"])


def test_every_id_is_answered(client: Client) -> None:
    """An id that the service does not know is in the answer, with what the service says of it."""
    stranger = str(uuid.uuid4())
    state = client.get_batch_result([stranger])[stranger]
    assert state["pending"] is False
    assert "Unknown task id" in str(state["exception"])


def test_a_failed_task_raises(client: Client, service: LocalService) -> None:
    """``get_result`` raises what the function raised, with its traceback and task."""
    function_id = client.register_function(_failing())
    task_id = client.run("so it goes", endpoint_id=service.endpoint_id, function_id=function_id)

    def finished() -> bool:
        (state,) = client.get_batch_result([task_id]).values()
        return not state["pending"]

    eventually(finished)
    with pytest.raises(TaskExecutionFailed, match="so it goes") as caught:
        client.get_result(task_id)
    assert caught.value.task_id == task_id


def test_an_unfinished_task_is_pending(client: Client, service: LocalService) -> None:
    """``get_result`` says that the task has not finished, and in which state it is."""

    def wait_for_file(path: str) -> None:
        import pathlib
        import time

        while not pathlib.Path(path).exists():
            time.sleep(0.01)

    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder) / "go on"
        function_id = client.register_function(wait_for_file)
        task_id = client.run(str(release), endpoint_id=service.endpoint_id, function_id=function_id)
        with pytest.raises(TaskPending):
            client.get_result(task_id)
        release.touch()
        eventually(lambda: not client.get_task(task_id)["pending"])


def test_an_unknown_task_is_not_found(client: Client) -> None:
    """Asking for a task that never was is an error that says so."""
    with pytest.raises(NotFound):
        client.get_task(uuid.uuid4())


def test_version_check(client: Client) -> None:
    """The local service accepts this client."""
    client.version_check()
    assert client.get_result_amqp_url()["connection_url"].startswith("amqp")
