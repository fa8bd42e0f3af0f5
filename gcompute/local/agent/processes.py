"""Worker processes, each with a socket of its own and one task at a time: the built-in engine.

Each worker has its own socket, so that nothing that happens to one (killed in the middle of a
write, for example) can touch another, and the pool always knows which task a dead worker was
running: the one it was given last. A worker that dies is replaced. It leads a session of its
own: a terminal's Ctrl-C does not reach it, and what user functions started in its process group
is ended with it.

What can fail: workers that die before they are warm, again and again, break the pool.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Unpack, cast

from .frames import FrameReader, encode_task
from .intake import Task
from .pool import WORKER_LOST, Callbacks, TaskPool

log = logging.getLogger(__name__)

#: The interpreter's own ``__main__`` is left to user functions: dill puts theirs there.
_COMMAND = "from gcompute.local.agent.worker import main as _main; _main()"
_STANDARD_ERROR = 2
#: Deaths in a row before a worker was warm, after which it is hopeless.
_MAX_STILLBIRTHS = 3
#: How long the last words of a dead worker may take to be read, in seconds. They arrive at
#: once; only a child process that holds the socket open makes this run out.
_LAST_WORDS_S = 0.2


class _Worker(asyncio.Protocol):
    """The agent's end of a worker's socket."""

    def __init__(self, on_ready: Callable[[_Worker], None], on_result: Callable[..., None]) -> None:
        self._on_ready = on_ready
        self._on_result = on_result
        self._frames = FrameReader()
        self.transport: asyncio.Transport | None = None
        self.warm = False
        #: What it runs now.
        self.task: Task | None = None
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for payload in self._frames.feed(data):
            if not self.warm:
                self.warm = True
                self._on_ready(self)
            elif self.task is not None:
                self._on_result(self, payload)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()

    def run(self, task: Task) -> None:
        """Hand over a task."""
        assert self.transport is not None
        self.task = task
        self.transport.write(encode_task(task.task_id, task.result_serializers, task.body))

    def close(self) -> None:
        """Close the socket; an idle worker then ends."""
        if self.transport is not None:
            self.transport.abort()


class WorkerPool(TaskPool):
    """A number of worker processes that share a queue of tasks.

    Args:
        size: how many.
        settings: what each worker is told, beside its socket: see the worker's module.
        environment: of the worker processes.
        **callbacks: see :class:`TaskPool`.
    """

    #: What this is called in status reports and refusals, as the official engine of its kind is.
    engine_type = "ProcessPoolEngine"

    def __init__(
        self,
        size: int,
        *,
        settings: Mapping[str, object],
        environment: Mapping[str, str],
        **callbacks: Unpack[Callbacks],
    ) -> None:
        super().__init__(size, **callbacks)
        self._settings = dict(settings)
        self._environment = dict(environment)
        self._idle: deque[_Worker] = deque()
        #: One for each worker: starts it, and another when it dies.
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = False
        self._all_warm = asyncio.Event()
        #: Workers that can take tasks.
        self._warm = 0

    @property
    def idle(self) -> int:
        """How many workers have nothing to do."""
        return len(self._idle)

    async def start(self) -> None:
        """Start the workers, and return when all are warm.

        Raises:
            PoolBroken: workers die before they are warm; the log has what they printed.
        """
        self._keepers = [
            asyncio.create_task(self._keep_worker(), name=f"gcompute-worker-{i}")
            for i in range(self.size)
        ]
        broken = asyncio.ensure_future(self.wait_broken())
        warm = asyncio.ensure_future(self._all_warm.wait())
        try:
            await asyncio.wait([warm, broken], return_when=asyncio.FIRST_COMPLETED)
            if not warm.done():
                raise broken.result()
        finally:
            warm.cancel()
            broken.cancel()

    def submit(self, task: Task) -> None:
        """Give a task to a worker, or put it in the queue."""
        if self._idle and not self._queue:
            self._run(self._idle.popleft(), task)
        else:
            self._queue.append(task)

    async def stop(self) -> None:
        """End all workers at once, with the child processes in their process groups."""
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        if self._keepers:
            await asyncio.wait(self._keepers)

    # -- workers ----------------------------------------------------------------------------

    async def _keep_worker(self) -> None:
        """Start a worker, wait until it dies, settle its task, and start another."""
        stillbirths = 0
        while not self._stopping:
            try:
                worker, how = await self._live()
            except OSError as error:
                self._break(f"a worker process cannot be started: {error}")
                return
            self.crashes += 1
            self._warm -= worker.warm
            stillbirths = 0 if worker.warm else stillbirths + 1
            if worker.task is not None:
                task, worker.task = worker.task, None
                self._done(task)
                log.error("task %s: its worker process was lost (%s)", task.task_id, how)
                self._on_failed(
                    task, WORKER_LOST, f"the worker process {how} while it ran this task"
                )
            log.warning("a worker process died (%s); %d so far", how, self.crashes)
            if stillbirths >= _MAX_STILLBIRTHS:
                self._break(f"worker processes die before they are ready ({how}): see the log")
                return

    async def _live(self) -> tuple[_Worker, str]:
        """Run one worker process until it dies; give it, and how it died."""
        ours, theirs = socket.socketpair()
        worker = _Worker(self._ready, self._finished)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *self._command(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=_STANDARD_ERROR,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                    env=self._environment,
                )
        except BaseException:
            ours.close()
            raise
        try:
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: worker, ours)
            code = await process.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(worker.closed.wait(), _LAST_WORDS_S)
            return worker, describe_exit(code)
        finally:
            if worker in self._idle:
                self._idle.remove(worker)
            worker.close()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def _command(self, fd: int) -> list[str]:
        # -P: user functions do not import from whatever directory they run in.
        return [sys.executable, "-P", "-c", _COMMAND, json.dumps({**self._settings, "fd": fd})]

    # -- tasks ------------------------------------------------------------------------------

    def _ready(self, worker: _Worker) -> None:
        self._warm += 1
        if self._warm >= self.size:
            self._all_warm.set()
        self._next(worker)

    def _finished(self, worker: _Worker, payload: bytes) -> None:
        task, worker.task = worker.task, None
        assert task is not None
        self._done(task)
        # The worker first: it computes while the result is published.
        self._next(worker)
        self._on_result(task, payload)

    def _next(self, worker: _Worker) -> None:
        if self._queue:
            self._run(worker, self._queue.popleft())
        else:
            self._idle.append(worker)

    def _run(self, worker: _Worker, task: Task) -> None:
        self._started(task)
        worker.run(task)
        self._on_started(task)


def describe_exit(code: int) -> str:
    """Say what a process did: ``code`` as in ``subprocess``, negative for a signal."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
