"""The agent itself: what happens to a task between its queue and its result.

It wires four parts together: the link to the task queue, what runs tasks, the outbox of results
and the heartbeat. All of it runs in the event loop's thread.

A task that was delivered is either started (then acknowledged), rejected (answered with a failed
result, then acknowledged), or handed back with a nack when the agent stops. When the connection
breaks, the broker delivers again what was not acknowledged, so the tasks that no worker has are
forgotten; a task that was started, whose acknowledgement got lost, is recognized when it comes
again.

What ends the agent: :meth:`Agent.stop`, and what :meth:`Agent.wait_failed` waits for (refused
credentials, workers that cannot be started).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any

from gcompute.errors import ComputeError
from gcompute.local.amqp import AmqpLink, Delivery, LinkError
from gcompute.messages import ErrorDetails, ResultMessage, encode

from .execution import environment_details
from .executor_pool import ExecutorPool
from .heartbeat import Heartbeat
from .intake import INVALID_TASK, Acks, Task, TaskRejected, read_task
from .outbox import Outbox
from .pool import Callbacks, TaskPool
from .processes import WorkerPool
from .registration import Registration
from .status import build_report

log = logging.getLogger(__name__)

#: How many started tasks to remember, for those that are delivered again.
_REMEMBERED = 10_000
#: How long the last results may take to be confirmed, in seconds.
_FLUSH_S = 5.0
#: The same where the tasks run again anyway.
_ABANDON_S = 0.5


class Agent:
    """One endpoint's agent, for the length of one registration."""

    def __init__(self, registration: Registration) -> None:
        self._registration = registration
        self._config = config = registration.config
        self._details = environment_details(registration.endpoint_id)
        self._acks = Acks()
        self._ack_scheduled = False
        self._consumer_tag: str | None = None
        #: The last tasks that were started, by id, oldest first.
        self._started: OrderedDict[str, None] = OrderedDict()
        self._total_tasks = 0
        self._loop = asyncio.get_running_loop()
        self._pool = self._make_pool()
        self._results = Outbox(registration.results, name="results")
        self._heartbeat = Heartbeat(
            registration.heartbeats, period_s=config.heartbeat_period, report=self._report
        )
        self._tasks = AmqpLink(
            registration.tasks.connection_url,
            on_open=self._consume,
            on_lost=self._on_link_lost,
            name="tasks",
        )

    def _make_pool(self) -> TaskPool:
        registration, config = self._registration, self._config
        callbacks: Callbacks = {
            "on_started": self._on_started,
            "on_result": self._on_result,
            "on_failed": self._on_failed,
        }
        workplace = {
            "endpoint_id": registration.endpoint_id,
            "run_dir": str(config.run_dir),
            "sandbox": config.sandbox,
        }
        environment = config.environment or {}
        if config.engine is None:
            return WorkerPool(
                config.workers,
                settings=workplace,
                environment={**os.environ, **environment},
                **callbacks,
            )
        # An engine is made in this process, and what it writes where it is belongs to the tasks.
        os.environ.update(environment)
        config.run_dir.mkdir(parents=True, exist_ok=True)
        os.chdir(config.run_dir)
        return ExecutorPool(config.workers, engine=config.engine, workplace=workplace, **callbacks)

    async def start(self) -> None:
        """Return when the workers are warm, tasks are consumed, and the first report is out.

        Raises:
            ComputeError: a broker or a worker process cannot be had. Call :meth:`stop` then, too.
        """
        # The workers take longest: everything else happens while they start.
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pool.start())
            group.create_task(self._results.link.start())
            group.create_task(self._tasks.start())
        await self._heartbeat.start()

    async def wait_failed(self) -> ComputeError:
        """Wait until the agent cannot go on, and give the reason."""
        waits: list[Coroutine[Any, Any, ComputeError]] = [
            self._pool.wait_broken(),
            self._tasks.wait_broken(),
            self._results.link.wait_broken(),
            self._heartbeat.link.wait_broken(),
        ]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for task in tasks:
                task.cancel()

    async def stop(self) -> None:
        """Hand back what no worker has, let the running tasks end, send what is to be sent."""
        await self._stop_consuming()
        if not await self._pool.wait_quiet(self._config.grace):
            self._give_up(self._pool.running)
        await self._pool.stop()
        if not await self._results.flush(_FLUSH_S):
            log.error("%d results could not be sent and are lost", len(self._results))
        await self._disconnect()

    def _give_up(self, tasks: list[Task]) -> None:
        """Fail tasks that have not ended in time, unless they are run again."""
        if not self._config.fails_unfinished:
            log.info("ending %d tasks that run; they are run again", len(tasks))
            return
        text = f"the endpoint was stopped {self._config.grace:g} s ago and ended this task"
        for task in tasks:
            self._answer(task.task_id, "EndpointStopped", text)

    async def abandon(self) -> None:
        """End at once, with what runs: somebody else runs it again.

        Nobody is told of it, not even by a last status report.
        """
        self._consumer_tag = None
        await self._pool.stop()
        if self._results.link.is_open:
            await self._results.flush(_ABANDON_S)
        await self._disconnect()

    async def _disconnect(self) -> None:
        await self._heartbeat.stop()
        await self._results.link.stop()
        await self._tasks.stop()

    # -- tasks coming in --------------------------------------------------------------------

    async def _consume(self, link: AmqpLink) -> None:
        queue = self._registration.tasks.queue
        await link.topology.declare_queue(queue, passive=True)
        self._consumer_tag = await link.consume(
            queue, self._on_delivery, exclusive=True, prefetch=self._config.prefetch
        )

    async def _stop_consuming(self) -> None:
        tag, self._consumer_tag = self._consumer_tag, None
        if tag is not None and self._tasks.is_open:
            try:
                await self._tasks.cancel(tag)
            except LinkError as error:
                log.warning("the broker takes the tasks back by itself: %s", error)
        handed_back = self._pool.take_back()
        for task in handed_back:
            self._acks.discard(task.delivery_tag)
            self._tasks.nack(task.delivery_tag)
        log.info("handed back %d tasks", len(handed_back))

    def _on_delivery(self, delivery: Delivery) -> None:
        self._acks.add(delivery.delivery_tag)
        try:
            task = read_task(
                delivery.headers,
                delivery.body,
                delivery.delivery_tag,
                engine_type=self._pool.engine_type,
            )
        except TaskRejected as rejection:
            self._reject(rejection)
            self._settle(delivery.delivery_tag)
            return
        if delivery.redelivered and task.task_id in self._started:
            log.info("task %s came again: it was started before", task.task_id)
            self._settle(delivery.delivery_tag)
            return
        self._pool.submit(task)

    def _reject(self, rejection: TaskRejected) -> None:
        if rejection.task_id is None:
            log.error("dropped a message of the task queue: %s", rejection.reason)
            return
        log.warning("task %s cannot run: %s", rejection.task_id, rejection.reason)
        self._answer(rejection.task_id, INVALID_TASK, rejection.reason)

    def _settle(self, delivery_tag: int) -> None:
        """Acknowledge soon, together with what else is settled until then."""
        self._acks.settle(delivery_tag)
        if not self._ack_scheduled:
            self._ack_scheduled = True
            self._loop.call_soon(self._acknowledge)

    def _acknowledge(self) -> None:
        self._ack_scheduled = False
        tag = self._acks.take()
        if tag is not None:
            self._tasks.ack(tag, multiple=True)

    def _on_link_lost(self) -> None:
        self._acks.clear()
        forgotten = self._pool.take_back()
        if forgotten:
            log.info("%d tasks that had not started are the broker's again", len(forgotten))

    # -- tasks running, and results going out -----------------------------------------------

    def _on_started(self, task: Task) -> None:
        task.started_ns = time.time_ns()
        self._total_tasks += 1
        self._started[task.task_id] = None
        if len(self._started) > _REMEMBERED:
            self._started.popitem(last=False)
        self._settle(task.delivery_tag)

    def _on_result(self, _task: Task, body: bytes) -> None:
        self._results.send(body)

    def _on_failed(self, task: Task, code: str, why: str) -> None:
        self._answer(task.task_id, code, f"{code}: {why}")

    def _answer(self, task_id: str, code: str, text: str) -> None:
        """Send a failed result of our own making."""
        result = ResultMessage(
            task_id, text, error_details=ErrorDetails(code, text), details=self._details
        )
        self._results.send(encode(result))

    def _report(self, active: bool) -> bytes:
        config, pool = self._config, self._pool
        report = build_report(
            self._registration.endpoint_id,
            self._registration.ep_info,
            heartbeat_period=config.heartbeat_period if active else 0,
            active=active,
            workers=pool.size,
            idle_workers=pool.idle,
            queued=pool.queued,
            running=pool.running,
            total_tasks=self._total_tasks,
            prefetch=config.prefetch,
            crashes=pool.crashes,
            engine_type=pool.engine_type,
        )
        return encode(report)
