"""Forgetting: what nobody has touched for a long time goes, so that the state is bounded.

The hosted service forgets a task two weeks after the last thing that happened to it, and so does
this one: with its result, and at last its task group with the group's queue. It happens in the
background, in transactions of a few milliseconds, between which requests and results go on.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable

from .amqp import LinkError
from .provisioning import Provisioning
from .store import Store

log = logging.getLogger(__name__)

#: How often to look, in seconds, and how many times at least within the life of a task.
_PERIOD_S = 3600.0
_TIMES = 10


class Pruning:
    """Forgets tasks.

    Args:
        store: where they are.
        provisioning: where the queues of their groups are.
        task_lifetime: how long a task is kept after the last thing that happened to it, seconds.
        clock: gives the Unix time in seconds.
    """

    def __init__(
        self,
        store: Store,
        provisioning: Provisioning,
        *,
        task_lifetime: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._provisioning = provisioning
        self._task_lifetime = task_lifetime
        self._clock = clock
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to forget, now and from time to time."""
        self._running = asyncio.create_task(self._run(), name="gcompute-pruning")

    async def stop(self) -> None:
        """End; what is left over is old the next time as well."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def forget(self) -> int:
        """Forget what is old now; give how many tasks that were."""
        idle_since, count, after = self._clock() - self._task_lifetime, 0, 0
        while True:
            with self._store.transaction():
                page = self._store.history.forget(idle_since, after=after)
            count += page.tasks
            for owner, group in page.groups:
                await self._provisioning.remove_group(owner, group)
            if page.last is None:
                return count
            after = page.last
            # Others' turn.
            await asyncio.sleep(0)

    async def _run(self) -> None:
        while True:
            try:
                if count := await self.forget():
                    log.info("forgot %d tasks of more than %g s ago", count, self._task_lifetime)
            except (LinkError, sqlite3.Error) as error:
                log.warning("what is old could not be forgotten yet: %s", error)
            await asyncio.sleep(min(_PERIOD_S, self._task_lifetime / _TIMES))
