"""Which future belongs to which task, whatever comes first.

The sender adds what the service has taken; the delivery takes a future out when its result
arrives. A result may overtake the answer to its submit, so while submits are under way, results
that belong to nobody yet are kept for them. Safe to use from many threads; the lock is held for
dictionary operations only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Generic, TypeVar

from gcompute.executor.future import ComputeFuture

R = TypeVar("R")


class PendingTasks(Generic[R]):
    """Futures by task id, and early results. ``R`` is what a result arrives as.

    Args:
        max_early: how many results of unknown tasks are kept; beyond that the oldest goes. Its
            future is then found by reconciling over HTTP.
    """

    def __init__(self, *, max_early: int = 10_000) -> None:
        self._lock = threading.Lock()
        self._max_early = max_early
        #: Task id to the future that waits for it.
        self._futures: dict[str, ComputeFuture] = {}
        #: Task id to a result that came before its future; empty when no submit is under way.
        self._early: dict[str, R] = {}
        self._submits_under_way = 0

    def __len__(self) -> int:
        with self._lock:
            return len(self._futures)

    def submit_starts(self) -> None:
        """Keep results of unknown tasks from now on."""
        with self._lock:
            self._submits_under_way += 1

    def submit_ends(
        self, taken: Iterable[tuple[str, ComputeFuture]]
    ) -> list[tuple[ComputeFuture, R]]:
        """Add the tasks of a submit; none where it failed.

        Returns:
            The futures whose results are there already.
        """
        ready = []
        with self._lock:
            self._submits_under_way -= 1
            for task_id, future in taken:
                if task_id in self._early:
                    ready.append((future, self._early.pop(task_id)))
                else:
                    self._futures[task_id] = future
            if not self._submits_under_way:
                self._early.clear()
        return ready

    def match(self, task_id: str, result: R) -> ComputeFuture | None:
        """Take out the future that a result belongs to; ``None`` when there is none (yet)."""
        with self._lock:
            future = self._futures.pop(task_id, None)
            if future is None and self._submits_under_way:
                self._early[task_id] = result
                if len(self._early) > self._max_early:
                    del self._early[next(iter(self._early))]
            return future

    def task_ids(self) -> list[str]:
        """List the tasks whose results are waited for."""
        with self._lock:
            return list(self._futures)

    def take(self, task_id: str) -> ComputeFuture | None:
        """Take out the future of a task, if it still waits."""
        with self._lock:
            return self._futures.pop(task_id, None)

    def clear(self) -> list[ComputeFuture]:
        """Take out all futures."""
        with self._lock:
            futures = list(self._futures.values())
            self._futures.clear()
        return futures
