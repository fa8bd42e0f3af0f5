"""What users do with an ``Executor``."""

from __future__ import annotations

from typing import Any

from tools.recording.scenario import Stage, scenario

#: How long a result may take, in seconds.
PATIENCE_S = 60


def _ending(stage: Stage, future: Any) -> Any:
    """Say how a future ends."""
    error = future.exception(PATIENCE_S)
    return future.result() if error is None else stage.raised(future.result)


@scenario("executor", "agent")
def submit_one(stage: Stage) -> None:
    """A call becomes a task, and its result comes over AMQP."""
    executor = stage.executor()
    stage.note("result", _ending(stage, executor.submit(stage.function("add"), 1, b=2)))


@scenario("executor", "agent")
def one_after_the_other(stage: Stage) -> None:
    """The function is registered once, and all tasks are in one task group."""
    executor, double = stage.executor(), stage.function("double")
    for value in (1, "x", [None]):
        stage.note("result", _ending(stage, executor.submit(double, value)))


@scenario("executor", "agent")
def a_call_that_fails(stage: Stage) -> None:
    """The future has the error of the worker, and later calls go on."""
    executor = stage.executor()
    stage.note("error", _ending(stage, executor.submit(stage.function("fail"), "on purpose")))
    stage.note("result", _ending(stage, executor.submit(stage.function("add"), 1)))


@scenario("executor", "agent")
def registered_function(stage: Stage) -> None:
    """A function that is registered already is run by its id."""
    executor = stage.executor()
    function_id = executor.register_function(stage.function("add"))
    future = executor.submit_to_registered_function(function_id, args=(1,), kwargs={"b": 2})
    stage.note("result", _ending(stage, future))


@scenario("executor", "agent")
def reload(stage: Stage) -> None:
    """The tasks of a group are found again by its id, and their results over HTTP."""
    executor = stage.executor()
    stage.note("first", _ending(stage, executor.submit(stage.function("add"), 1)))
    group = str(executor.task_group_id)
    again = stage.executor(task_group_id=group)
    (future,) = again.reload_tasks()
    stage.note("again", _ending(stage, future))


@scenario("executor", "agent")
def results_as_json(stage: Stage) -> None:
    """The endpoint is asked to write results with another strategy."""
    strategy = "globus_compute_sdk.serialize.concretes.JSONData"
    executor = stage.executor(result_serializers=[strategy])
    stage.note("result", _ending(stage, executor.submit(stage.function("double"), [1, 2])))


@scenario("executor", "agent", "assured")
def high_assurance(stage: Stage) -> None:
    """Of a high-assurance result the news comes over AMQP, and the result itself over HTTP."""
    executor = stage.executor()
    with stage.warned("warned"):
        stage.note("result", _ending(stage, executor.submit(stage.function("add"), 1, b=2)))
    with stage.warned("warned again"):
        stage.note("error", _ending(stage, executor.submit(stage.function("fail"), "on purpose")))


def _disturbed(stage: Stage, how: str) -> None:
    executor = stage.executor()
    stage.note("before", _ending(stage, executor.submit(stage.function("add"), 1)))
    stage.disturb(how)
    stage.note("afterwards", _ending(stage, executor.submit(stage.function("double"), 2)))


@scenario("executor", "agent", "faults")
def connection_closed(stage: Stage) -> None:
    """The broker closes the connection; another one is made, with fresh credentials."""
    _disturbed(stage, "close the connection")


@scenario("executor", "agent", "faults")
def channel_closed(stage: Stage) -> None:
    """The broker closes the channel; another one is opened on the same connection."""
    _disturbed(stage, "close the channel")


@scenario("executor", "agent", "faults")
def consumer_cancelled(stage: Stage) -> None:
    """The broker cancels the consumer, and the queue is consumed again."""
    _disturbed(stage, "cancel the consumer")
