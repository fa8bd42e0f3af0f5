"""Which future belongs to which task, whatever comes first.

Shared by all executors that get their results from one source. Senders add what the service has
taken; the delivery takes a future out when its result arrives. A result may overtake the answer
to its submit, so while submits are under way, results that belong to nobody yet are kept for
them. It cannot overtake the submit itself: once all submits that were under way when a result
came have their answers, and none made its task, it belongs to a stranger.

Safe to use from many threads; the lock is held for dictionary operations only.
"""

from __future__ import annotations

import enum
import itertools
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Generic, TypeVar

from gcompute.executor.future import ComputeFuture, settle
from gcompute.serialize import ComputeSerializer

R = TypeVar("R")

#: Tasks that have ended, remembered so that a second copy of a result is known for what it is:
#: so many at least, and twice as many at most.
_REMEMBERED = 10_000


class AwaitedTask:
    """A task that the service took, and whose result somebody waits for.

    Attributes:
        future: what the result ends.
        serializer: loads the result.
        endpoint_id: where the task runs; empty where that is not known.
        asked_at: when it was submitted, or last asked for over HTTP, on the monotonic clock.
    """

    __slots__ = ("asked_at", "endpoint_id", "future", "serializer")

    def __init__(
        self,
        future: ComputeFuture,
        serializer: ComputeSerializer,
        *,
        asked_at: float,
        endpoint_id: str = "",
    ) -> None:
        self.future = future
        self.serializer = serializer
        self.asked_at = asked_at
        self.endpoint_id = endpoint_id


class Unmatched(enum.Enum):
    """Why a result has no future."""

    #: Its submit may still be under way; the result is kept.
    EARLY = enum.auto()
    #: Its future has ended: it is a second copy.
    ENDED = enum.auto()
    #: Nobody here has ever waited for it.
    STRANGER = enum.auto()


def _follow(follower: ComputeFuture, ended: ComputeFuture) -> None:
    """End a future as another one of the same task."""
    error = ended.exception(0)
    settle(follower, None if error else ended.result(0), error)


class PendingTasks(Generic[R]):
    """Awaited tasks by task group and id, and early results. ``R`` is what a result comes as."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Task group to its tasks, those that were asked for longest ago first. None is empty.
        self._groups: dict[str, dict[str, AwaitedTask]] = {}
        #: Numbers of the submits under way, the oldest first, and the number of the next one.
        self._under_way: dict[int, None] = {}
        self._next_submit = 0
        #: Task id to a result that came before its future, and the number of the submit that was
        #: next then: only one before it can have made the task. In the order of these numbers.
        self._early: dict[str, tuple[int, R]] = {}
        #: Hashes of the ids of tasks that have ended: the latest, and those that were the latest
        #: before. To forget them one by one would take longer than all else that a result needs.
        self._ended: set[int] = set()
        self._ended_before: set[int] = set()

    def __len__(self) -> int:
        with self._lock:
            return sum(len(tasks) for tasks in self._groups.values())

    def submit_starts(self) -> int:
        """Keep results of unknown tasks from now on; give the number that ends it."""
        with self._lock:
            number = self._next_submit
            self._next_submit += 1
            self._under_way[number] = None
            return number

    def submit_ends(
        self, number: int, group: str, taken: Iterable[tuple[str, AwaitedTask]]
    ) -> tuple[list[tuple[AwaitedTask, R]], list[R]]:
        """Add the tasks of a submit; none where it failed.

        Args:
            number: what :meth:`submit_starts` gave.
            group: the task group.
            taken: the tasks.

        Returns:
            The tasks whose results are there already, with these; and the results of strangers,
            now that no submit is under way that could make their tasks known.
        """
        ready = []
        #: Tasks that were found in their group before the answer to their submit came.
        followed: list[tuple[AwaitedTask, AwaitedTask]] = []
        with self._lock:
            del self._under_way[number]
            tasks = self._groups.setdefault(group, {})
            for task_id, task in taken:
                if task_id in self._early:
                    ready.append((task, self._early.pop(task_id)[1]))
                    self._remember(task_id)
                else:
                    if task_id in tasks:
                        followed.append((task, tasks[task_id]))
                    tasks[task_id] = task
            if not tasks:
                del self._groups[group]
            strangers = self._take_strangers()
        for task, follower in followed:
            task.future.add_done_callback(partial(_follow, follower.future))
        return ready, strangers

    def add(self, group: str, tasks: Iterable[tuple[str, AwaitedTask]]) -> list[ComputeFuture]:
        """Add tasks that are known from elsewhere.

        Returns:
            Their futures; one that was awaited already stays as it is, with the future it has.
        """
        with self._lock:
            known = self._groups.setdefault(group, {})
            futures = [known.setdefault(task_id, task).future for task_id, task in tasks]
            if not known:
                del self._groups[group]
        return futures

    def put_back(self, group: str, task_id: str, task: AwaitedTask) -> None:
        """Await a task again that was taken out, beside whoever has found it meanwhile."""
        with self._lock:
            known = self._groups.setdefault(group, {}).setdefault(task_id, task)
        if known is not task:
            known.future.add_done_callback(partial(_follow, task.future))

    def match(self, group: str, task_id: str, result: R) -> AwaitedTask | Unmatched | R:
        """Take out the task that a result belongs to, or say why there is none.

        Returns:
            An earlier copy, where this one is kept in its place: the connection that brought that
            one may be lost, and the broker knows this one.
        """
        with self._lock:
            task = self._take(group, task_id)
            if task is not None:
                return task
            if self._has_ended(task_id):
                return Unmatched.ENDED
            if task_id in self._early:
                before, copy = self._early[task_id]
                self._early[task_id] = before, result
                return copy
            if not self._under_way:
                return Unmatched.STRANGER
            self._early[task_id] = self._next_submit, result
            return Unmatched.EARLY

    def take(
        self, group: str, task_id: str, *, unless: Callable[[], bool] = lambda: False
    ) -> AwaitedTask | None:
        """Take out a task, if it is still awaited.

        Args:
            group: its task group.
            task_id: the task.
            unless: looked at in one step with that; must take no time.
        """
        with self._lock:
            return None if unless() else self._take(group, task_id)

    def groups(self) -> dict[str, float]:
        """Give the task groups with awaited tasks, each with its longest silence's start."""
        with self._lock:
            return {g: next(iter(tasks.values())).asked_at for g, tasks in self._groups.items()}

    def asked(self, group: str, before: float, now: float, at_most: int) -> list[str]:
        """Choose the tasks to ask for: those that were last asked for before some moment.

        They count as asked for now, and go to the end of the row.
        """
        with self._lock:
            tasks = self._groups.get(group, {})
            chosen: list[str] = []
            for task_id, task in tasks.items():
                if len(chosen) == at_most or task.asked_at > before:
                    break
                chosen.append(task_id)
            for task_id in chosen:
                task = tasks.pop(task_id)
                task.asked_at = now
                tasks[task_id] = task
            return chosen

    def clear(self) -> list[AwaitedTask]:
        """Take out all tasks."""
        with self._lock:
            tasks = [task for tasks in self._groups.values() for task in tasks.values()]
            self._groups.clear()
        return tasks

    def _take_strangers(self) -> list[R]:
        """Take out the early results that no submit under way can have made."""
        oldest = next(iter(self._under_way), self._next_submit)
        task_ids = list(
            itertools.takewhile(lambda task_id: self._early[task_id][0] <= oldest, self._early)
        )
        return [self._early.pop(task_id)[1] for task_id in task_ids]

    def _take(self, group: str, task_id: str) -> AwaitedTask | None:
        tasks = self._groups.get(group)
        task = tasks.pop(task_id, None) if tasks else None
        if task is not None:
            self._remember(task_id)
            if not tasks:
                del self._groups[group]
        return task

    def _remember(self, task_id: str) -> None:
        self._ended.add(hash(task_id))
        if len(self._ended) >= _REMEMBERED:
            self._ended, self._ended_before = set(), self._ended

    def _has_ended(self, task_id: str) -> bool:
        return hash(task_id) in self._ended or hash(task_id) in self._ended_before
