"""Results over HTTP: what the stream cannot give, and what it may have missed.

One thread asks ``POST /v2/batch_status`` for tasks that are due (:mod:`.schedule` says which)
and hands those that have finished to the delivery. That is all it takes to reconcile after a
lost connection, to find what another process took off a shared queue, to fetch a high
assurance result, and to do without AMQP altogether.

What can fail: a question. It is asked again, after a while, for as long as anybody waits. Only
where the service refuses for good *and* there is no stream either, the futures hear of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from gcompute.backoff import Backoff
from gcompute.errors import (
    AuthenticationFailed,
    ComputeError,
    PermissionDenied,
    VersionMismatch,
)
from gcompute.executor.future import ComputeFuture
from gcompute.executor.pending import AwaitedTask, PendingTasks
from gcompute.executor.schedule import GRACE_S, Schedule
from gcompute.protocol import FINISHED_STATES
from gcompute.threads import join, spawn

log = logging.getLogger(__name__)

R = TypeVar("R")

#: Tasks asked for in one request, at most and at first.
_MOST_TASKS = 512
_FIRST_TASKS = 128

#: Bytes of results in an answer: over the one fewer tasks are asked for, under the other more.
_LARGE_ANSWER = 16_000_000
_SMALL_ANSWER = 2_000_000

#: Seconds between two questions while requests are plentiful, and while they are scarce.
_PAUSE_S = 0.1
_SCARCE_PAUSE_S = 2.0

#: Seconds between two questions for tasks that are said to have finished, and how many.
_FETCH_PAUSE_S = 1.0
_FETCHES = 30

#: Answers that asking again does not change.
_PERMANENT = (AuthenticationFailed, PermissionDenied, VersionMismatch)

#: Gives the service's view of tasks, by task id.
BatchStatus = Callable[[list[str]], dict[str, dict[str, Any]]]


class ResultFetching(Generic[R]):
    """Asks for results. Its methods may be called from any thread, and return at once.

    Args:
        pending: the awaited tasks.
        batch_status: asks the service for tasks' states.
        plentiful: tells whether requests are plentiful.
        on_answer: is given each finished task and what the service says of it.
        on_refused: is given the error when there is no way left to get results.
        streams: whether there is a stream of results.
        polls: whether to poll what the stream does not give.
        label: names the thread.
    """

    def __init__(
        self,
        pending: PendingTasks[R],
        *,
        batch_status: BatchStatus,
        plentiful: Callable[[], bool],
        on_answer: Callable[[str, AwaitedTask, dict[str, Any]], None],
        on_refused: Callable[[ComputeError], None],
        streams: bool,
        polls: bool,
        label: str = "",
    ) -> None:
        self._pending = pending
        self._batch_status = batch_status
        self._plentiful = plentiful
        self._on_answer = on_answer
        self._on_refused = on_refused
        self._streams = streams
        #: Guards what follows, up to the blank line; notified when any of it changes.
        self._changed = threading.Condition()
        self._schedule = Schedule(polls=polls, grace_s=GRACE_S if streams else 0.0)
        #: Tasks that have finished and must be fetched: task id to its group, and how often
        #: it was asked for.
        self._finished: dict[str, tuple[str, int]] = {}
        self._stopping = False
        #: Whether the thread waits without an end, since nothing was awaited.
        self._idle = False
        #: Whether all that was asked for has ended, and others may ask for what is awaited now.
        self._retired = False
        #: Why AMQP does not work, once the user was told.
        self._told_of_polling = False
        self._reason = ""

        # What follows belongs to the thread.
        self._tasks_asked = _FIRST_TASKS
        self._backoff = Backoff(first_s=1.0, limit_s=30.0)
        self.thread = spawn(f"fetching{label}", self._run)

    def watched(self, group: str) -> None:
        """Hear that tasks of a group are awaited."""
        with self._changed:
            now = time.monotonic()
            self._schedule.watched(group, now)
            self._schedule.submitted(group, now)
            if self._idle or not self._streams:
                self._changed.notify_all()

    def consuming(self, group: str) -> None:
        """Hear that a group's queue is consumed."""
        with self._changed:
            if self._told_of_polling:
                log.warning("results come over AMQP again")
                self._told_of_polling = False
            self._streams = True
            self._schedule.consuming(group, time.monotonic())
            self._changed.notify_all()

    def interrupted(self, group: str, reason: str) -> None:
        """Hear that it is not."""
        with self._changed:
            self._reason = reason
            self._schedule.interrupted(group, time.monotonic())
            self._changed.notify_all()

    def reconcile(self, group: str) -> None:
        """Ask for all awaited tasks of a group."""
        with self._changed:
            self._schedule.reconcile(group, time.monotonic())
            self._changed.notify_all()

    def shared(self, group: str) -> None:
        """Hear that others consume a group's queue too."""
        with self._changed:
            self._schedule.shared(group, time.monotonic())
            self._changed.notify_all()

    def fetch(self, group: str, task_id: str) -> None:
        """Ask for one task that has finished."""
        with self._changed:
            self._finished.setdefault(task_id, (group, 0))
            self._changed.notify_all()

    def give_up_on_stream(self, error: ComputeError) -> None:
        """Hear that there will be no stream, for long."""
        with self._changed:
            self._reason = str(error)
            self._streams = False
            self._tell_once_of_polling()
            self._changed.notify_all()

    def ask(self, group: str, task_ids: list[str]) -> list[ComputeFuture]:
        """Ask for tasks in the caller's thread; where that fails they are asked for again.

        Returns:
            The futures of those that have finished, and end soon.
        """
        futures = []
        for start in range(0, len(task_ids), _FIRST_TASKS):
            chunk = task_ids[start : start + _FIRST_TASKS]
            try:
                answers = self._batch_status(chunk)
            except ComputeError as error:
                log.warning("cannot ask for %d tasks, trying again: %s", len(chunk), error)
                self.reconcile(group)
                break
            for task_id in chunk:
                task = self._pass_on(group, task_id, answers.get(task_id))
                if task is not None:
                    futures.append(task.future)
        return futures

    def retire(self) -> None:
        """Let what is awaited from now on be: our delivery ends, and answers come late.

        Takes no lock, as any thread may call it at any moment.
        """
        self._retired = True

    def stop(self) -> None:
        """End the thread, soon."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the thread to end, after :meth:`stop`."""
        join(self.thread, timeout_s)

    # From here on everything runs on the thread.

    def _run(self) -> None:
        while self._wait():
            try:
                for group, task_ids in self._choose():
                    self._ask(group, task_ids)
            except Exception:  # a defect of ours must not end the asking
                log.exception("asking for results failed")
                self._pause(self._backoff.next_s())

    def _wait(self) -> bool:
        """Wait until something is to be asked; tell whether the thread is still needed."""
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                at = self._next_at(now)
                if at is not None and at <= now:
                    return True
                self._idle = at is None
                self._changed.wait(None if at is None else at - now)
                self._idle = False
            return False

    def _next_at(self, now: float) -> float | None:
        groups = self._pending.groups()
        if self._finished:
            groups = {**groups, "": float("-inf")}
        return self._schedule.next_at(groups, now)

    def _choose(self) -> list[tuple[str, list[str]]]:
        """Choose what to ask for now: task ids, by group."""
        now = time.monotonic()
        chosen = []
        with self._changed:
            if self._finished:
                chosen.append(("", list(self._finished)[: self._tasks_asked]))
            for group in self._pending.groups():
                before = self._schedule.due_before(group, now)
                self._tell_of_polling(group, now)
                ids = self._pending.asked(group, before, now, self._tasks_asked)
                if ids:
                    chosen.append((group, ids))
        return chosen

    def _tell_of_polling(self, group: str, now: float) -> None:
        if self._streams and self._schedule.polled(group, now):
            self._tell_once_of_polling()

    def _tell_once_of_polling(self) -> None:
        if not self._told_of_polling:
            self._told_of_polling = True
            log.warning(
                "results cannot be had over AMQP (%s): they are asked for over HTTPS until it "
                "works; transport='https' goes without the attempt",
                self._reason or "no connection yet",
            )

    def _ask(self, group: str, task_ids: list[str]) -> None:
        try:
            answers = self._batch_status(task_ids)
        except ComputeError as error:
            self._failed(error, len(task_ids))
            return
        self._backoff.failures = 0
        finished = size = 0
        for task_id in task_ids:
            answer = answers.get(task_id)
            owner = self._owner(group, task_id, ended=_has_finished(answer))
            if self._pass_on(owner, task_id, answer) is not None:
                finished += 1
                size += len((answer or {}).get("result") or "")
        self._adapt(size)
        scarce = not self._plentiful()
        pause_s = _SCARCE_PAUSE_S if scarce else _PAUSE_S
        with self._changed:
            pause_s = _FETCH_PAUSE_S if self._finished else pause_s
            self._schedule.answered(group, finished, pause_s, time.monotonic())

    def _pass_on(
        self, group: str, task_id: str, answer: dict[str, Any] | None
    ) -> AwaitedTask | None:
        """Hand an answer to the delivery where it is the end of an awaited task; give that."""
        if answer is None or not _has_finished(answer):
            return None
        task = self._pending.take(group, task_id, unless=lambda: self._retired)
        if task is not None:
            self._on_answer(task_id, task, answer)
        return task

    def _owner(self, group: str, task_id: str, *, ended: bool) -> str:
        """Give the group of a task that was asked for; count the question where it must finish."""
        if group:
            return group
        with self._changed:
            owner, asked = self._finished.pop(task_id)
            if not ended and asked + 1 < _FETCHES:
                self._finished[task_id] = (owner, asked + 1)
            return owner

    def _adapt(self, size: int) -> None:
        if size > _LARGE_ANSWER:
            self._tasks_asked = max(1, self._tasks_asked // 4)
        elif size < _SMALL_ANSWER:
            self._tasks_asked = min(_MOST_TASKS, self._tasks_asked * 2)

    def _failed(self, error: ComputeError, count: int) -> None:
        first = self._backoff.failures == 0
        if isinstance(error, _PERMANENT) and not self._streams:
            self._on_refused(error)
        elif first:
            log.warning("cannot ask for the results of %d tasks, trying again: %s", count, error)
        self._pause(self._backoff.next_s())

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._schedule.pause(seconds, time.monotonic())


def _has_finished(answer: dict[str, Any] | None) -> bool:
    return isinstance(answer, dict) and str(answer.get("status") or "").lower() in FINISHED_STATES
