"""Tasks on an engine that does what the test says."""

from __future__ import annotations

import asyncio
import sys
import types
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gcompute.local.agent.engine import EngineFailed, EngineSource
from gcompute.local.agent.executor_pool import ExecutorPool
from gcompute.local.agent.intake import Task
from gcompute.local.agent.pool import PoolBroken
from tests.support.event_loop import in_event_loop

PATIENCE_S = 20.0


class Manual(Executor):
    """Keeps what it is given until the test ends it."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        #: What to raise in place of taking a task.
        self.refusal: Exception | None = None
        self.is_shut = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Take a call."""
        if self.refusal is not None:
            raise self.refusal
        self.calls.append((args, kwargs))
        self.futures.append(Future())
        return self.futures[-1]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Note it."""
        self.is_shut = True


class Bench:
    """A pool, its engines in order, and what it told."""

    def __init__(self, size: int) -> None:
        self.engines: list[Manual] = []
        #: What the next engines refuse tasks with.
        self.refusals: list[Exception] = []
        #: What making the next engine raises.
        self.obstacle: Exception | None = None
        self.started: list[str] = []
        self.results: dict[str, bytes] = {}
        self.failures: dict[str, tuple[str, str]] = {}
        self._told = asyncio.Condition()
        self._notices: set[asyncio.Task[None]] = set()
        self.pool = ExecutorPool(
            size,
            engine=EngineSource("engines_of_test:make"),
            workplace={"endpoint_id": "e", "run_dir": "/r", "sandbox": False},
            on_started=lambda task: self._note(self.started.append, task.task_id),
            on_result=lambda task, body: self._note(self.results.__setitem__, task.task_id, body),
            on_failed=lambda task, code, why: self._note(
                self.failures.__setitem__, task.task_id, (code, why)
            ),
        )

    def make(self) -> Manual:
        """Make an engine, as the pool's factory."""
        if self.obstacle is not None:
            raise self.obstacle
        engine = Manual()
        if self.refusals:
            engine.refusal = self.refusals.pop(0)
        self.engines.append(engine)
        return engine

    def submit(self) -> str:
        """Give the pool a task; give its id."""
        task = Task(str(uuid.uuid4()), str(uuid.uuid4()), 1, b"body", ["path"])
        self.pool.submit(task)
        return task.task_id

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that changes with what the pool tells."""
        async with asyncio.timeout(PATIENCE_S), self._told:
            await self._told.wait_for(holds)

    async def taken(self, count: int, engine: int = 0) -> list[Future[Any]]:
        """Wait until an engine has had so many tasks; give their futures."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.engines) <= engine or len(self.engines[engine].futures) < count:  # noqa: ASYNC110 - submitted in a thread that tells nobody
                await asyncio.sleep(0.001)
        return self.engines[engine].futures

    def _note(self, how: Callable[..., None], *what: Any) -> None:
        how(*what)
        notice = asyncio.create_task(self._notify())
        self._notices.add(notice)
        notice.add_done_callback(self._notices.discard)

    async def _notify(self) -> None:
        async with self._told:
            self._told.notify_all()


@asynccontextmanager
async def bench(size: int = 10) -> AsyncIterator[Bench]:
    """Run a pool on engines of the test's."""
    made = Bench(size)
    module = types.ModuleType("engines_of_test")
    module.make = made.make  # type: ignore[attr-defined]
    sys.modules["engines_of_test"] = module
    try:
        await made.pool.start()
        yield made
    finally:
        await made.pool.stop()
        del sys.modules["engines_of_test"]


@in_event_loop
async def test_a_result_is_told() -> None:
    """The engine gets the message and the place; what comes back is the result's message."""
    async with bench() as on:
        task_id = on.submit()
        (future,) = await on.taken(1)
        args, kwargs = on.engines[0].calls[0]
        assert args == (b"body", task_id, ["path"])
        assert kwargs == {"endpoint_id": "e", "run_dir": "/r", "sandbox": False}
        assert on.started == [task_id]
        assert on.pool.engine_type == "Manual"
        future.set_result(b"result")
        await on.until(lambda: on.results == {task_id: b"result"})
        assert on.pool.running == []


@in_event_loop
async def test_the_engine_has_no_more_tasks_than_it_may() -> None:
    """The others can be taken back; one that ends makes room for the next."""
    async with bench(size=2) as on:
        tasks = [on.submit() for _ in range(5)]
        futures = await on.taken(2)
        assert (on.pool.idle, len(on.pool.queued)) == (0, 3)
        futures[0].set_result(b"")
        await on.taken(3)
        assert [task.task_id for task in on.pool.take_back()] == tasks[3:]
        assert on.started == tasks[:3]


@in_event_loop
async def test_a_task_that_the_engine_cannot_run_fails_alone() -> None:
    """Whether the engine says so at once or later, or gives something else."""
    async with bench() as on:
        on.engines[0].refusal = TypeError("cannot pickle")
        refused = on.submit()
        await on.until(lambda: refused in on.failures)
        on.engines[0].refusal = None
        failed, cancelled, wrong, fine = (on.submit() for _ in range(4))
        futures = await on.taken(4)
        futures[0].set_exception(OSError("disk full"))
        futures[1].cancel()
        futures[1].set_running_or_notify_cancel()
        futures[2].set_result("text")
        futures[3].set_result(b"body")
        await on.until(lambda: len(on.failures) == 4 and fine in on.results)
        assert {code for code, _ in on.failures.values()} == {"EngineFailed"}
        assert "cannot pickle" in on.failures[refused][1]
        assert "disk full" in on.failures[failed][1]
        assert "cancelled" in on.failures[cancelled][1]
        assert "gave a str in place" in on.failures[wrong][1]
        assert (on.pool.crashes, len(on.engines)) == (0, 1)


@in_event_loop
async def test_a_broken_engine_is_made_anew() -> None:
    """What it had fails, also what it left undone; what it did not have runs on the next one."""
    async with bench(size=2) as on:
        told, untold, waiting = (on.submit() for _ in range(3))
        (await on.taken(2))[0].set_exception(BrokenExecutor("a worker is gone"))
        await on.until(lambda: {told, untold} <= on.failures.keys())
        assert {code for code, _ in on.failures.values()} == {"WorkerLost"}
        (await on.taken(1, engine=1))[0].set_result(b"body")
        await on.until(lambda: waiting in on.results)
        assert on.engines[0].is_shut
        assert on.pool.crashes == 1


@in_event_loop
async def test_a_task_that_a_broken_engine_refused_runs_on_the_next() -> None:
    """It cannot have run before; it was started once."""
    async with bench() as on:
        on.engines[0].refusal = RuntimeError("cannot schedule new futures after shutdown")
        task_id = on.submit()
        (await on.taken(1, engine=1))[0].set_result(b"body")
        await on.until(lambda: task_id in on.results)
        assert on.started == [task_id]
        assert on.failures == {}


@in_event_loop
async def test_engines_that_take_nothing_are_given_up() -> None:
    """Making them anew for ever helps nobody."""
    async with bench() as on:
        on.engines[0].refusal = BrokenExecutor("broken")
        on.refusals = [BrokenExecutor("broken")] * 5
        on.submit()
        async with asyncio.timeout(PATIENCE_S):
            reason = await on.pool.wait_broken()
        assert isinstance(reason, PoolBroken)
        assert "takes no task (BrokenExecutor('broken'))" in str(reason)
        assert len(on.engines) == 3


@in_event_loop
async def test_an_engine_that_cannot_be_made_anew_breaks_the_pool() -> None:
    """With the reason; at the start it is raised."""
    async with bench() as on:
        on.submit()
        on.obstacle = OSError("no licence")
        (await on.taken(1))[0].set_exception(BrokenExecutor())
        async with asyncio.timeout(PATIENCE_S):
            assert "no licence" in str(await on.pool.wait_broken())
        with pytest.raises(EngineFailed, match="no licence"):
            await on.pool.start()


@in_event_loop
async def test_nothing_is_told_after_the_stop() -> None:
    """A result that comes then belongs to nobody; a future that can be cancelled is."""
    async with bench() as on:
        on.submit()
        on.submit()
        futures = await on.taken(2)
        futures[0].set_running_or_notify_cancel()
        await on.pool.stop()
        futures[0].set_result(b"late")
        await asyncio.sleep(0)
        assert futures[1].cancelled()
        assert on.pool.running == []
        assert on.engines[0].is_shut
        assert (on.results, on.failures) == ({}, {})
