"""Tasks on an engine: any ``concurrent.futures.Executor``.

::

    queue --> feeder (asyncio) --> engine's thread: submit --> the engine's workers
                 ^                                                   |
                 +------------- the loop <-- future's callback <-----+

The engine gets up to ``size`` tasks at a time; the others wait in the queue, where they can
still be taken back. Nothing of an engine is called in the event loop's thread, as starting it,
or a submission, may take its time: there is one thread that makes it, submits to it, and ends it.

An engine that is broken, by the standard library's word for it, is made anew, and the tasks that
it had fail, as any of them may have run. What can fail beside those: an engine that cannot be
made, or that refuses tasks as soon as it is made, breaks the pool.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar, Unpack

from .engine import Engine, EngineFailed, EngineSource
from .engine_failure import describe_error, describe_value, is_broken
from .intake import Task
from .pool import WORKER_LOST, Callbacks, TaskPool
from .remote import run_task

log = logging.getLogger(__name__)

#: How long an engine may take to end, in seconds.
_CLOSE_S = 6.0
#: Engines in a row that refused tasks at once, after which it is hopeless.
_MAX_REFUSALS = 3

_T = TypeVar("_T")


class ExecutorPool(TaskPool):
    """Runs tasks on an engine.

    Args:
        size: how many tasks the engine has at a time, at most.
        engine: where the engine comes from.
        workplace: keyword arguments of :func:`~gcompute.local.agent.remote.run_task` that are
            the same for all tasks.
        **callbacks: see :class:`TaskPool`.
    """

    def __init__(
        self,
        size: int,
        *,
        engine: EngineSource,
        workplace: Mapping[str, Any],
        **callbacks: Unpack[Callbacks],
    ) -> None:
        super().__init__(size, **callbacks)
        self.engine_type = engine.path.rpartition(":")[2]
        self._source = engine
        self._workplace = dict(workplace)
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "gcompute-engine")
        self._engine: Engine | None = None
        #: Tasks that the present engine has.
        self._futures: dict[Task, Future[Any]] = {}
        #: Tasks that were started and that an engine refused: the next one is to have them.
        self._refused: list[Task] = []
        #: Engines in a row that took no task.
        self._refusals = 0
        #: Set when there may be something to submit, or the engine is broken.
        self._changed = asyncio.Event()
        self._is_broken = False
        self._feeder: asyncio.Task[None] | None = None

    @property
    def idle(self) -> int:
        """How many more tasks the engine could have now."""
        return max(0, self.size - len(self._running))

    async def start(self) -> None:
        """Make the engine.

        Raises:
            EngineFailed: that is not possible.
        """
        await self._open()
        self._feeder = asyncio.create_task(self._feed(), name="gcompute-engine")

    def submit(self, task: Task) -> None:
        """Queue a task for the engine."""
        self._queue.append(task)
        self._changed.set()

    async def stop(self) -> None:
        """End the engine, and give up what it does not let go of."""
        if self._feeder is not None:
            self._feeder.cancel()
            await asyncio.wait([self._feeder])
        left, self._futures = self._futures, {}
        for future in left.values():
            # Not every engine can.
            with suppress(Exception):
                future.cancel()
        self._running.clear()
        await self._close(wait=not left)
        self._thread.shutdown(wait=False, cancel_futures=True)

    # -- the engine ---------------------------------------------------------------------------

    async def _open(self) -> None:
        self._is_broken = False
        self._engine = engine = await self._call(Engine, self._source)
        self.engine_type = engine.name
        log.info("engine %s is there", engine.name)

    async def _close(self, *, wait: bool) -> None:
        engine, self._engine = self._engine, None
        if engine is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._call(functools.partial(engine.close, wait=wait))
        except TimeoutError:
            log.error("engine %s did not end within %g s", engine.name, _CLOSE_S)
        except Exception:
            log.exception("engine %s did not end well", engine.name)

    async def _renew(self) -> None:
        """Put another engine in the place of a broken one."""
        self.crashes += 1
        log.error("engine %s is broken: it is made anew", self.engine_type)
        await self._close(wait=False)
        left, self._futures = self._futures, {}
        for task in left:
            # Most engines end their futures when they break; this one did not.
            self._fail(task, WORKER_LOST, f"{self.engine_type} broke while it had this task")
        await self._open()

    async def _call(self, function: Callable[..., _T], *args: Any) -> _T:
        return await self._loop.run_in_executor(self._thread, function, *args)

    # -- tasks ------------------------------------------------------------------------------

    async def _feed(self) -> None:
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                while not self._is_broken and (batch := self._take()):
                    await self._submit(batch)
                if self._is_broken:
                    await self._renew()
                    self._changed.set()
        except EngineFailed as error:
            self._break(str(error))
        except Exception as error:
            log.exception("engine %s", self.engine_type)
            self._break(f"engine {self.engine_type}: {error!r}")

    def _take(self) -> list[Task]:
        """Give the tasks to submit now; from now on they are answered here."""
        batch, self._refused = self._refused, []
        while self._queue and len(self._running) < self.size:
            task = self._queue.popleft()
            self._started(task)
            self._on_started(task)
            batch.append(task)
        return batch

    async def _submit(self, batch: Sequence[Task]) -> None:
        assert self._engine is not None
        outcomes = await self._call(_submit_all, self._engine, self._workplace, batch)
        for task, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Future):
                self._refusals = 0
                self._futures[task] = outcome
                outcome.add_done_callback(functools.partial(self._ended, task))
            elif isinstance(outcome, RuntimeError):
                # By the word of Executor.submit: it is broken, or was shut down.
                self._refused.append(task)
                self._is_broken = True
                refusal = outcome
            else:
                self._fail(task, *describe_error(outcome, self.engine_type))
        if len(self._refused) == len(batch):
            self._refusals += 1
            if self._refusals >= _MAX_REFUSALS:
                raise EngineFailed(
                    f"engine {self._source.path}: it takes no task ({refusal!r}), however often "
                    "it is made anew"
                )

    def _ended(self, task: Task, future: Future[Any]) -> None:
        """Learn, in any thread, that a future is done."""
        # The loop may have ended meanwhile, and the task with it.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._finished, task, future)

    def _finished(self, task: Task, future: Future[Any]) -> None:
        if self._futures.get(task) is not future:
            return
        del self._futures[task]
        self._changed.set()
        error = CancelledError() if future.cancelled() else future.exception()
        if error is None and isinstance(body := future.result(), bytes):
            self._done(task)
            self._on_result(task, body)
        elif error is None:
            self._fail(task, *describe_value(future.result(), self.engine_type))
        else:
            self._is_broken = self._is_broken or is_broken(error)
            self._fail(task, *describe_error(error, self.engine_type))

    def _fail(self, task: Task, code: str, why: str) -> None:
        log.error("task %s has no result: %s", task.task_id, why)
        self._done(task)
        self._on_failed(task, code, why)


def _submit_all(
    engine: Engine, workplace: Mapping[str, Any], batch: Sequence[Task]
) -> list[Future[Any] | Exception]:
    """Submit tasks; give a future for each, or why there is none."""
    outcomes: list[Future[Any] | Exception] = []
    for task in batch:
        try:
            outcomes.append(
                engine.executor.submit(
                    run_task,
                    task.body,
                    task.task_id,
                    list(task.result_serializers),
                    **workplace,
                )
            )
        except Exception as error:
            outcomes.append(error)
    return outcomes
