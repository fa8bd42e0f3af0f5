"""Results over HTTP, in time: by the model's clock, without threads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from gcompute.errors import AuthenticationFailed, ResultsUnavailable, ServiceUnreachable
from gcompute.executor.results import Transport
from tests.unit.executor.model import Process, World


@pytest.fixture
def world() -> Iterator[World]:
    """Give a world without faults."""
    made = World(lambda options: options[0])
    made.faulty = False
    yield made
    made.close()


def _awaiting(world: World, transport: Transport) -> Process:
    """Give a process that has submitted a task, which has finished since; its result is lost."""
    world.start("ada", transport)
    (process,) = world.processes
    process.submit(["x"])
    for _ in range(20):
        process.connect()
        process.loop()
        process.fetch()
    (task,) = world.tasks.values()
    task.finished = True
    return process


def _seconds_to_end(world: World, process: Process) -> float:
    """Let only the fetching and the delivery go on; say after how many seconds all has ended."""
    beginning = world.clock.now
    while not process.ended():
        assert world.clock.now < beginning + 100
        world.clock.advance(0.125)
        process.fetch()
        process.deliver()
    return world.clock.now - beginning


def test_a_lost_result_is_asked_for_after_a_minute(world: World) -> None:
    """While its queue is consumed, which is what usually brings it."""
    process = _awaiting(world, "auto")
    assert process.consumes()
    assert 59 < _seconds_to_end(world, process) < 62


def test_without_the_connection_it_is_asked_for_soon(world: World) -> None:
    """After the grace, and whether or not anything else wakes the thread."""
    process = _awaiting(world, "auto")
    process.lose()
    assert 1.9 < _seconds_to_end(world, process) < 4


def test_with_amqp_alone_nothing_is_polled(world: World) -> None:
    """Even then a result that was lost is found in the end."""
    process = _awaiting(world, "amqp")
    process.lose()
    assert 59 < _seconds_to_end(world, process) < 62


def test_over_https_it_is_asked_for_at_once(world: World) -> None:
    """There is nothing to wait for."""
    assert _seconds_to_end(world, _awaiting(world, "https")) < 1


def test_what_others_take_is_asked_for_soon(world: World) -> None:
    """The delivery has seen a stranger's result in the group's queue."""
    process = _awaiting(world, "auto")
    (group,) = process.stream._groups
    process.threads.shared(group)
    assert _seconds_to_end(world, process) < 4


def test_a_refused_stream_is_replaced_by_polling(world: World) -> None:
    """Since nothing will come that way."""
    process = _awaiting(world, "auto")
    process.lose()
    process.threads.fetching.give_up_on_stream(ValueError("refused"))  # type: ignore[arg-type]
    assert _seconds_to_end(world, process) < 4


def test_a_task_that_is_said_to_have_finished_is_asked_for_at_once(world: World) -> None:
    """A high assurance result: asked for every second until the service has it, 30 times."""
    process = _awaiting(world, "auto")
    (task,) = world.tasks.values()
    task.finished = False
    asked: list[float] = []
    answer = process.threads.fetching._batch_status

    def batch_status(task_ids: list[str]) -> dict[str, dict[str, Any]]:
        asked.append(world.clock.now)
        return answer(task_ids)

    process.threads.fetching._batch_status = batch_status
    beginning = world.clock.now
    process.threads.fetch(task.group, task.id)
    for _ in range(45 * 8):
        process.fetch()
        world.clock.advance(0.125)
    assert len(asked) == 30
    assert asked[0] == beginning
    assert all(0.9 < later - earlier < 1.3 for earlier, later in pairwise(asked))
    task.finished = True
    process.threads.fetch(task.group, task.id)
    assert _seconds_to_end(world, process) < 1


def test_reconciling_asks_at_once(world: World) -> None:
    """An unreadable message may have been the result."""
    process = _awaiting(world, "auto")
    process.threads.reconcile(world.tasks[next(iter(world.tasks))].group)
    assert _seconds_to_end(world, process) < 1


def test_questions_that_fail_are_repeated_less_and_less(world: World) -> None:
    """From a second on to half a minute; somebody is told once; it ends when one is answered."""
    process = _awaiting(world, "https")
    asked: list[float] = []
    answer = process.threads.fetching._batch_status

    def batch_status(task_ids: list[str]) -> dict[str, dict[str, Any]]:
        asked.append(world.clock.now)
        raise ServiceUnreachable("away", sent=False)

    process.threads.fetching._batch_status = batch_status
    for _ in range(200 * 8):
        process.fetch()
        world.clock.advance(0.125)
    waits = [later - earlier for earlier, later in pairwise(asked)]
    assert 8 < len(asked) < 20
    assert waits == sorted(waits)
    assert waits[0] < 2
    assert 20 < waits[-1] < 31
    process.threads.fetching._batch_status = answer
    assert _seconds_to_end(world, process) < 31


def test_a_refusal_ends_the_futures_where_nothing_else_is_left(world: World) -> None:
    """Over AMQP a result may still come; over HTTPS alone it cannot."""
    process = _awaiting(world, "https")

    def batch_status(task_ids: list[str]) -> dict[str, dict[str, Any]]:
        raise AuthenticationFailed(http_status=401)

    process.threads.fetching._batch_status = batch_status
    assert _seconds_to_end(world, process) < 1
    ((_, future),) = process.submitted
    assert isinstance(future.exception(0), ResultsUnavailable)


def test_large_answers_make_smaller_questions(world: World) -> None:
    """And small ones larger again, up to a limit."""
    fetching = _awaiting(world, "https").threads.fetching
    sizes = []
    for size in (10**8, 10**8, 3_000_000, 0, 0, 0, 0, 0, 0, 0, 0):
        fetching._adapt(size)
        sizes.append(fetching._tasks_asked)
    assert sizes[:5] == [sizes[0], sizes[0] // 4, sizes[0] // 4, sizes[0] // 2, sizes[0]]
    assert sizes[-1] == sizes[-2] == 512
    for _ in range(9):
        fetching._adapt(10**8)
    assert fetching._tasks_asked == 1
