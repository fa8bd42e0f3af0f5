"""The faults: what is done to a client with 500 tasks in flight, and when.

Each moment is tied to an event: so many tasks taken, so many futures ended, the second submit on
its way. A fault returns when every future has ended; where that never happens it raises.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gcompute.messages import ResultMessage, encode
from gcompute.serialize import ComputeSerializer
from tests.faults.patience import NeverHappened, eventually
from tests.faults.stage import COUNT, Stage, is_submit, submitted_tasks
from tests.support.http_front import Intervention, Request, answer, cut_short, hold

#: Futures that end before a fault strikes.
_BEFORE = 100
#: The service's error body. Source: ``openapi/compute.yaml#/components/schemas/Error``.
_BROKEN = {
    "status": "Failed",
    "code": 0,
    "error_args": [],
    "http_status_code": 500,
    "detail": "the service broke down",
    "reason": "the service broke down",
}
_MALFORMED = (b"", b"\x02{}", b"\x01{", b"\x01[]", b'\x01{"message_type":"result","data":{}}')

Run = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """One entry of the list.

    Attributes:
        name: what the table calls it.
        run: does it, and returns when every future has ended.
        uncertain: whether the tasks of a disturbed submit may end with an error that says that
            nobody can tell what became of them.
        restarts: whether it stops the broker, which others may be using.
    """

    name: str
    run: Run
    uncertain: bool = False
    restarts: bool = False


async def _in_flight(stage: Stage) -> None:
    """Start a client; return when its tasks are in flight, and some results have arrived."""
    client = await stage.start_client()
    await stage.endpoint.taken(COUNT)
    stage.endpoint.allow(_BEFORE)
    await client.has_ended(_BEFORE)
    await eventually(lambda: stage.proxy.delivered, _BEFORE, "results came over AMQP")


async def _finish(stage: Stage) -> None:
    """Let the endpoint answer everything, and wait for the client."""
    stage.endpoint.allow_all()
    await stage.clients[-1].has_ended(COUNT)


# -- the connection to the result queues ----------------------------------------------------------


async def connection_cut(stage: Stage) -> None:
    """The connection breaks three times, while results are on their way."""
    await _in_flight(stage)
    stage.endpoint.allow(_BEFORE)
    for ended in (2 * _BEFORE, 3 * _BEFORE, 4 * _BEFORE):
        stage.endpoint.allow(_BEFORE // 2)
        stage.proxy.cut()
        stage.endpoint.allow(_BEFORE // 2)
        await stage.clients[-1].has_ended(ended)
    await _finish(stage)


async def broker_stopped(stage: Stage) -> None:
    """The broker stops, and starts again with what it has kept; results come meanwhile."""
    await _in_flight(stage)
    ground = stage.ground
    if ground.broker == "embedded":
        stage.front.refuse()
        await stage.endpoint.stop()
    await ground.stop_broker()
    stage.proxy.refuse()
    stage.endpoint.allow(_BEFORE)
    await stage.outage(30)
    await ground.start_broker()
    await stage.proxy.accept()
    if ground.broker == "embedded":
        await stage.front.accept()
        await stage.endpoint.start()
    await _finish(stage)


async def credentials_revoked(stage: Stage) -> None:
    """The broker drops the client and does not let it in again with what it has."""
    await _in_flight(stage)
    stage.proxy.revoke()
    await _finish(stage)


async def channel_closed(stage: Stage) -> None:
    """The broker closes the channel, as when an acknowledgement took too long."""
    await _in_flight(stage)
    stage.proxy.close_channels(406, "PRECONDITION_FAILED - delivery acknowledgement timed out")
    await _finish(stage)


async def queue_deleted(stage: Stage) -> None:
    """The result queue goes away, with the results that are in it and those to come."""
    await _in_flight(stage)
    async with stage.result_queue() as queue:
        await queue.delete()
    await _finish(stage)


async def consumer_cancelled(stage: Stage) -> None:
    """The broker cancels the consumer and keeps the queue."""
    await _in_flight(stage)
    stage.proxy.cancel_consumers()
    await _finish(stage)


async def heartbeats_lost(stage: Stage) -> None:
    """The connection falls silent, and nobody is told; heartbeats are due every 2 s."""
    stage.proxy.heartbeat_s = 2
    await _in_flight(stage)
    stage.proxy.stall()
    await _finish(stage)


async def amqp_blocked(stage: Stage) -> None:
    """The result queues cannot be reached at all."""
    stage.proxy.refuse()
    stage.endpoint.allow_all()
    await stage.start_client()
    await _finish(stage)


# -- the web service ------------------------------------------------------------------------------


async def http_down(stage: Stage) -> None:
    """The web service refuses connections while half of the calls are still to be submitted."""
    half = COUNT // 2
    client = await stage.start_client(range(half), range(half, COUNT))
    await client.has_submitted(half)
    await stage.endpoint.taken(half)
    stage.front.refuse()
    client.go_on()
    stage.endpoint.allow(_BEFORE)
    await stage.outage(20)
    await stage.front.accept()
    await _finish(stage)


def _disturbed(
    intervention: Intervention, *, times: int = 1, skip: int = 1, equal: bool = False
) -> Run:
    """Make a fault of submits: the second one is disturbed."""

    async def run(stage: Stage) -> None:
        stage.front.inject(is_submit, intervention, skip=skip, times=times)
        stage.endpoint.allow_all()
        await stage.start_client([0] * COUNT if equal else range(COUNT))
        await _finish(stage)
        await eventually(lambda: len(stage.disturbed_submits), times, "submits were disturbed")

    return run


async def answers_cut(stage: Stage) -> None:
    """The answer to the second submit breaks off, and the first one to everything else."""
    first: set[tuple[str, str]] = set()

    def first_of_its_kind(request: Request) -> bool:
        kind = request.method, request.path
        if is_submit(request) or kind in first:
            return False
        first.add(kind)
        return True

    stage.front.inject(first_of_its_kind, cut_short, times=COUNT)
    await _disturbed(cut_short)(stage)


# -- results --------------------------------------------------------------------------------------


async def results_duplicated(stage: Stage) -> None:
    """Each result comes three times: before, with and after the one from the service."""
    await _in_flight(stage)
    async with stage.result_queue() as queue:

        def twice(message: ResultMessage) -> None:
            queue.publish(encode(message))
            queue.publish(encode(message))

        stage.endpoint.before_answer = twice
        stage.endpoint.allow(2 * _BEFORE)
        await stage.clients[-1].has_ended(3 * _BEFORE)
        for task in list(stage.endpoint.tasks.values())[: 3 * _BEFORE]:
            await queue.publish(encode(task.answer))
        await _finish(stage)


async def results_reordered(stage: Stage) -> None:
    """Results come in any order, the first call's among the last."""
    await stage.start_client()
    await stage.endpoint.taken(COUNT)
    stage.endpoint.shuffle(random.Random(4))
    await _finish(stage)


async def results_early(stage: Stage) -> None:
    """Results come before the answer to the submit of their tasks, but for the first submit."""

    early: list[int] = []

    async def delivered(request: Request) -> None:
        before = [r for r, _ in stage.front.exchanges if is_submit(r)]
        wanted = sum(map(submitted_tasks, [*before, request]))
        await eventually(lambda: stage.proxy.delivered, wanted, "results delivered")
        early.append(wanted)

    stage.front.inject(is_submit, hold(delivered), skip=1, times=COUNT)
    stage.endpoint.allow_all()
    await stage.start_client()
    await _finish(stage)
    await eventually(lambda: max(early, default=0), COUNT, "results were early")


async def results_malformed(stage: Stage) -> None:
    """Some results reach the client as garbage, then garbage comes between results."""
    await _in_flight(stage)
    stage.proxy.garble_every = 10
    stage.endpoint.allow(_BEFORE)
    await stage.clients[-1].has_ended(2 * _BEFORE)
    stage.proxy.garble_every = 0
    await eventually(lambda: stage.proxy.garbled, 1, "results were garbled")
    async with stage.result_queue() as queue:
        stage.endpoint.before_answer = lambda _message: _publish_garbage(queue.publish)
        await _finish(stage)
    _check_circling(stage, COUNT + (COUNT - 2 * _BEFORE) * len(_MALFORMED), a_second=0)


def _publish_garbage(publish: Callable[[bytes], object]) -> None:
    for body in _MALFORMED:
        publish(body)


async def results_foreign(stage: Stage) -> None:
    """Among the results are as many for tasks that nobody here knows."""
    await _in_flight(stage)
    data = ComputeSerializer().serialize("a stranger's result")
    async with stage.result_queue() as queue:
        stage.endpoint.before_answer = lambda _message: queue.publish(
            encode(ResultMessage(str(uuid.uuid4()), data))
        )
        await _finish(stage)
    # A stranger's result goes back to the queue, and may come again, though not in a hot loop.
    _check_circling(stage, COUNT + (COUNT - _BEFORE), a_second=COUNT)


def _check_circling(stage: Stage, published: int, a_second: int) -> None:
    """See that what the client cannot use did not come again and again.

    Args:
        stage: where every future has ended.
        published: how many messages there were; a quarter of them may come twice.
        a_second: how many may come again in each second.

    Raises:
        NeverHappened: more did.
    """
    client = stage.clients[-1]
    allowed = 1.25 * published + a_second * (client.ended_at - client.started_at)
    if stage.proxy.delivered > allowed:
        raise NeverHappened(f"{published} messages made {stage.proxy.delivered} deliveries")


# -- processes ------------------------------------------------------------------------------------


async def two_processes(stage: Stage) -> None:
    """Two processes submit to one task group and read from its queue, each for its own calls."""
    half = COUNT // 2
    first = await stage.start_client(range(half))
    await stage.endpoint.taken(half)
    second = await stage.start_client(
        range(half, COUNT), task_group_id=await stage.known_task_group()
    )
    await stage.endpoint.taken(COUNT)
    stage.endpoint.shuffle(random.Random(5))
    stage.endpoint.allow_all()
    await first.has_ended(half)
    await second.has_ended(half)


async def process_killed(stage: Stage) -> None:
    """The client is killed after some results; another process finds all tasks again."""
    await _in_flight(stage)
    stage.kill(stage.clients[-1])
    stage.endpoint.allow(_BEFORE)
    client = await stage.start_client(reload=True, task_group_id=await stage.known_task_group())
    client.calls = {task.id: task.number for task in stage.endpoint.tasks.values()}
    await client.has_submitted(COUNT)
    await _finish(stage)


FAULTS = (
    Fault("connection cut", connection_cut),
    Fault("broker stopped", broker_stopped, restarts=True),
    Fault("credentials revoked", credentials_revoked),
    Fault("channel closed", channel_closed),
    Fault("queue deleted", queue_deleted),
    Fault("consumer cancelled", consumer_cancelled),
    Fault("heartbeats lost", heartbeats_lost),
    Fault("AMQP blocked", amqp_blocked),
    Fault("HTTP down", http_down),
    Fault("429 twice", _disturbed(answer(429, _BROKEN, retry_after=1), times=2)),
    Fault("500, not taken", _disturbed(answer(500, _BROKEN))),
    Fault("502, not taken", _disturbed(answer(502, _BROKEN))),
    Fault("502, taken", _disturbed(answer(502, _BROKEN, forward=True)), uncertain=True),
    Fault("502, taken, equal calls", _disturbed(answer(502, _BROKEN, forward=True), equal=True)),
    Fault("answers cut", answers_cut, uncertain=True),
    Fault("results duplicated", results_duplicated),
    Fault("results reordered", results_reordered),
    Fault("results early", results_early),
    Fault("results malformed", results_malformed),
    Fault("results foreign", results_foreign),
    Fault("two processes", two_processes),
    Fault("process killed", process_killed),
)
