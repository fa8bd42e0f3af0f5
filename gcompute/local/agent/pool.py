"""What every way to run tasks has in common: a queue, the tasks that run, and how it can break.

In go tasks, in order; out come, through the three callbacks, that a task was started, its
result, or why there will be none. Everything runs in the event loop's thread.

A task that was started is answered by one of the two other callbacks, whatever happens, until
:meth:`TaskPool.stop`; one that was not can be taken back.

What can fail: ``start`` raises :class:`PoolBroken`, and later on ``wait_broken`` returns.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import TypedDict

from gcompute.errors import ComputeError

from .intake import Task

#: Error code of a task whose worker died.
WORKER_LOST = "WorkerLost"


class PoolBroken(ComputeError):
    """No task can be run any more; the text says why."""


class Callbacks(TypedDict):
    """What a pool tells."""

    #: Told which task is somebody's now.
    on_started: Callable[[Task], None]
    #: Told a task and the AMQP body of its result.
    on_result: Callable[[Task, bytes], None]
    #: Told a task that has no result, an error code, and a sentence that says why.
    on_failed: Callable[[Task, str, str], None]


class TaskPool(ABC):
    """Runs tasks, as many at a time as it has room for.

    Args:
        size: how many tasks can run at a time.
        **callbacks: see :class:`Callbacks`.
    """

    #: What this is called in status reports and refusals.
    engine_type: str

    def __init__(
        self,
        size: int,
        *,
        on_started: Callable[[Task], None],
        on_result: Callable[[Task, bytes], None],
        on_failed: Callable[[Task, str, str], None],
    ) -> None:
        self.size = size
        #: How often a worker, or all of them, died so far.
        self.crashes = 0
        self._on_started = on_started
        self._on_result = on_result
        self._on_failed = on_failed
        #: Tasks that were not started, in order.
        self._queue: deque[Task] = deque()
        #: Tasks that were started and not answered.
        self._running: set[Task] = set()
        #: Set when the last of the running tasks is done.
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._broken: asyncio.Future[PoolBroken] = asyncio.get_running_loop().create_future()

    @abstractmethod
    async def start(self) -> None:
        """Return when tasks can be run.

        Raises:
            PoolBroken: they never will.
        """

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Start a task, or put it in the queue."""

    @abstractmethod
    async def stop(self) -> None:
        """End everything at once; what runs is not answered any more."""

    @property
    @abstractmethod
    def idle(self) -> int:
        """How many more tasks could run now."""

    @property
    def queued(self) -> list[Task]:
        """The tasks that were not started."""
        return list(self._queue)

    @property
    def running(self) -> list[Task]:
        """The tasks that were started and not answered."""
        return list(self._running)

    def take_back(self) -> list[Task]:
        """Empty the queue, and give what was in it: tasks that nobody has had."""
        tasks = list(self._queue)
        self._queue.clear()
        return tasks

    async def wait_quiet(self, timeout_s: float) -> bool:
        """Wait until no task runs; give whether that came about in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._quiet.wait()
        except TimeoutError:
            return False
        return True

    async def wait_broken(self) -> PoolBroken:
        """Wait until no task can be run any more, and give the reason."""
        return await asyncio.shield(self._broken)

    def _break(self, why: str) -> None:
        if not self._broken.done():
            self._broken.set_result(PoolBroken(why))

    def _started(self, task: Task) -> None:
        self._running.add(task)
        self._quiet.clear()

    def _done(self, task: Task) -> None:
        self._running.discard(task)
        if not self._running:
            self._quiet.set()
