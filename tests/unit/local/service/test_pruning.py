"""What the service forgets, and when: the clock is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from gcompute.local.pruning import Pruning
from gcompute.local.store import Store
from gcompute.local.store import history as history_module
from gcompute.local.store.functions import Function
from gcompute.local.store.outcomes import Outcome
from gcompute.local.store.tasks import Batch, NewTask, TaskGroup
from gcompute.local.store.users import User
from tests.support.event_loop import in_event_loop

LIFETIME = 100.0
OWNER, ENDPOINT, FUNCTION = "owner", "endpoint", "function"


class Queues:
    """The queues of task groups, as far as forgetting goes."""

    def __init__(self) -> None:
        self.removed: list[tuple[str, str]] = []

    async def remove_group(self, user_id: str, task_group_id: str) -> None:
        self.removed.append((user_id, task_group_id))


class World:
    """A store, and what forgets in it at a time that the test sets."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.queues = Queues()
        self.now = 0.0
        self.pruning = Pruning(
            store, cast(Any, self.queues), task_lifetime=LIFETIME, clock=lambda: self.now
        )

    def submit(self, *ids: str, group: str = "group", at: float = 0.0) -> None:
        """Accept tasks."""
        with self.store.transaction():
            self.store.tasks.keep_group(TaskGroup(group, OWNER, True, at))
            batch = Batch("request", group, ENDPOINT, OWNER, None, [])
            tasks = [NewTask(id_, FUNCTION, "payload") for id_ in ids]
            self.store.tasks.add_batch(batch, tasks, at)

    def finish(self, *ids: str, at: float) -> None:
        """Take results in."""
        with self.store.transaction():
            outcomes = [Outcome(id_, ENDPOINT, True, b"body") for id_ in ids]
            self.store.outcomes.keep(outcomes, at)

    async def forget(self, at: float) -> int:
        """Forget at a time."""
        self.now = at
        return await self.pruning.forget()

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        sql = f"SELECT count(*) FROM {table}"  # noqa: S608 - a name of this module
        (number,) = self.store._connection.execute(sql).fetchone()
        return int(number)

    def known(self, *ids: str) -> list[str]:
        """Give those that the service still knows."""
        return [id_ for id_ in ids if self.store.tasks.record(id_, OWNER) is not None]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A store with an endpoint and a function."""
    store = Store(tmp_path)
    with store.transaction():
        store.users.add(User(OWNER, OWNER))
        store.endpoints.register(ENDPOINT, OWNER, {"endpoint_name": "one"}, 0.0)
        store.functions.add(Function(FUNCTION, OWNER, "f", "code"), 0.0)
    yield World(store)
    store.close()


@in_event_loop
async def test_a_finished_task_goes_a_lifetime_after_its_result(world: World) -> None:
    """However old its submit is; and everything that belonged to it goes with it."""
    world.submit("a", "b", at=0)
    world.finish("a", at=10)
    world.finish("b", at=50)
    assert await world.forget(109) == 0
    assert world.known("a", "b") == ["a", "b"]
    assert await world.forget(111) == 1
    assert world.known("a", "b") == ["b"]
    assert world.count("results") == 1
    assert world.queues.removed == []
    assert await world.forget(151) == 1
    assert [world.count(t) for t in ("tasks", "results", "batches", "task_groups")] == [0] * 4
    assert world.queues.removed == [(OWNER, "group")]


@in_event_loop
async def test_a_group_with_younger_tasks_stays(world: World) -> None:
    """With its queue."""
    world.submit("old", at=0)
    world.submit("young", at=90)
    assert await world.forget(120) == 1
    assert world.known("old", "young") == ["young"]
    assert world.count("task_groups") == 1
    assert world.queues.removed == []


@in_event_loop
async def test_a_task_that_is_worked_on_stays(world: World) -> None:
    """What its endpoint reports is activity, as is that the broker took it."""
    world.submit("idle", "running", "sent", at=0)
    with world.store.transaction():
        world.store.tasks.report(ENDPOINT, [("running", {"execution-start": 60.0})])
        world.store.tasks.mark_dispatched(3, 3, 70.0)
    assert await world.forget(120) == 1
    assert world.known("idle", "running", "sent") == ["running", "sent"]
    assert await world.forget(165) == 1
    assert world.known("running", "sent") == ["sent"]
    assert await world.forget(175) == 1


@in_event_loop
async def test_many_go_in_small_transactions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that stay in between do not stop it."""
    monkeypatch.setattr(history_module, "_PAGE", 10)
    ids = [f"task-{i}" for i in range(95)]
    for start in range(0, 95, 5):
        world.submit(*ids[start : start + 5], at=0)
    staying = ids[7:60:13]
    world.finish(*staying, at=50)
    sizes = []
    forget = world.store.history.forget

    def measured(idle_since: float, *, after: int = 0) -> history_module.Page:
        page = forget(idle_since, after=after)
        sizes.append(page.tasks)
        return page

    monkeypatch.setattr(world.store.history, "forget", measured)
    assert await world.forget(120) == 95 - len(staying)
    assert max(sizes) <= 10
    assert world.known(*ids) == staying


@in_event_loop
async def test_it_runs_by_itself(world: World) -> None:
    """As soon as it is started, and it ends when it is told to."""
    world.submit("old", at=0)
    world.now = 200
    forgotten = asyncio.Event()
    remove = world.queues.remove_group

    async def removed(user_id: str, task_group_id: str) -> None:
        await remove(user_id, task_group_id)
        forgotten.set()

    world.queues.remove_group = removed  # type: ignore[method-assign]
    world.pruning.start()
    async with asyncio.timeout(10):
        await forgotten.wait()
    await world.pruning.stop()
    assert world.count("tasks") == 0
