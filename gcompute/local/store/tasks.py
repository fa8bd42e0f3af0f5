"""Task groups, submits and the tasks in them, up to the moment when a result arrives."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

#: Accepted and stored, not with the broker yet.
RECEIVED = "received"
#: In the endpoint's queue.
WAITING = "waiting-for-ep"
RUNNING = "running"
SUCCESS = "success"
FAILED = "failed"

#: A page of what is to be sent again ends when it has so many bytes: one task may have 10 MiB.
PAGE_BYTES = 16 * 2**20

#: What a state that an endpoint reports makes of an unfinished task.
_REPORTED = {"execution-start": RUNNING, "execution-end": RUNNING, RUNNING: RUNNING} | {
    state: state for state in ("waiting-for-nodes", "waiting-for-launch")
}


def page(rows: sqlite3.Cursor, large: int) -> list[Any]:
    """Read rows up to a number of bytes, at least one; a column of them may be large."""
    read: list[Any] = []
    size = 0
    for row in rows:
        read.append(row)
        size += len(row[large])
        if size >= PAGE_BYTES:
            break
    rows.close()
    return read


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks that share a result queue."""

    id: str
    owner: str
    has_queue: bool
    created_at: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What the tasks of one submit share."""

    request_id: str
    task_group: str
    endpoint: str
    owner: str
    resource_specification: dict[str, Any] | None
    #: Import paths of strategies.
    result_serializers: list[str]
    user_runtime: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task of a submit."""

    id: str
    function: str
    #: Packed args and kwargs.
    payload: str


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """An unfinished task with all that its endpoint needs to run it."""

    seq: int
    id: str
    function: str
    payload: str
    endpoint: str
    resource_specification: dict[str, Any] | None
    result_serializers: list[str]


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """How a task stands. Times are Unix times in seconds."""

    id: str
    state: str
    endpoint: str
    received_at: float
    dispatched_at: float | None
    completed_at: float | None
    #: What the endpoint reported: state to time.
    transitions: dict[str, float]
    #: The endpoint's result message, once there is one.
    body: bytes | None


class Tasks:
    """The tables ``task_groups``, ``batches`` and ``tasks``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (self._last_batch,) = self._one("SELECT coalesce(max(seq), 0) FROM batches")
        #: The number of the last task; they are numbered here, so that a submit knows its numbers
        #: without asking back.
        (self.last,) = self._one("SELECT coalesce(max(seq), 0) FROM tasks")

    def _one(self, sql: str, *arguments: Any) -> Any:
        return self._connection.execute(sql, arguments).fetchone()

    # -- task groups ------------------------------------------------------------------------

    def find_group(self, task_group_id: str) -> TaskGroup | None:
        """Find a task group."""
        row = self._one(
            "SELECT id, owner, has_queue, created_at FROM task_groups WHERE id = ?", task_group_id
        )
        return None if row is None else TaskGroup(row[0], row[1], bool(row[2]), row[3])

    def keep_group(self, group: TaskGroup) -> None:
        """Add a task group; one that exists may gain a queue by it, and never loses it."""
        self._connection.execute(
            "INSERT INTO task_groups VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET has_queue = has_queue OR excluded.has_queue",
            (group.id, group.owner, group.has_queue, group.created_at),
        )

    def groups_with_queue(self) -> list[TaskGroup]:
        """Give the task groups that have a result queue, oldest first."""
        rows = self._connection.execute(
            "SELECT id, owner, has_queue, created_at FROM task_groups WHERE has_queue "
            "ORDER BY created_at"
        )
        return [TaskGroup(row[0], row[1], bool(row[2]), row[3]) for row in rows]

    def groups_in_flight(self) -> list[TaskGroup]:
        """Give those of them for which results are to come, or to be forwarded."""
        rows = self._connection.execute(
            "SELECT id, owner, has_queue, created_at FROM task_groups WHERE has_queue AND id IN ("
            "SELECT task_group FROM batches WHERE seq IN ("
            "SELECT batch FROM tasks WHERE completed_at IS NULL UNION "
            "SELECT batch FROM tasks WHERE seq IN (SELECT task FROM results WHERE forwarded = 0)"
            "))"
        )
        return [TaskGroup(row[0], row[1], bool(row[2]), row[3]) for row in rows]

    def in_group(self, task_group_id: str) -> list[tuple[str, float]]:
        """Give the tasks of a group in order of submission: id, and when it was received."""
        return self._connection.execute(
            "SELECT tasks.id, batches.received_at FROM batches JOIN tasks "
            "ON tasks.batch = batches.seq WHERE batches.task_group = ? ORDER BY tasks.seq",
            (task_group_id,),
        ).fetchall()

    # -- submits ----------------------------------------------------------------------------

    def add_batch(self, batch: Batch, tasks: Sequence[NewTask], now: float) -> range:
        """Add the tasks of a submit; give their numbers, in the same order."""
        self._last_batch += 1
        seqs = range(self.last + 1, self.last + 1 + len(tasks))
        self.last += len(tasks)
        self._connection.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._last_batch,
                batch.request_id,
                batch.task_group,
                batch.endpoint,
                batch.owner,
                json.dumps(batch.resource_specification),
                json.dumps(batch.result_serializers),
                json.dumps(batch.user_runtime),
                now,
            ),
        )
        self._connection.executemany(
            "INSERT INTO tasks (seq, id, batch, function, payload, state) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                (seq, task.id, self._last_batch, task.function, task.payload, RECEIVED)
                for seq, task in zip(seqs, tasks, strict=True)
            ],
        )
        return seqs

    def mark_dispatched(self, first: int, last: int, now: float) -> None:
        """Keep that the broker took the tasks with these numbers, both included."""
        self._connection.execute(
            "UPDATE tasks SET state = ?, dispatched_at = ? WHERE seq BETWEEN ? AND ? AND state = ?",
            (WAITING, now, first, last, RECEIVED),
        )

    def forget_dispatch(self, endpoint: str | None = None) -> None:
        """Keep that neither broker nor endpoint has the unfinished tasks any more.

        Args:
            endpoint: only those of an endpoint.
        """
        self._connection.execute(
            "UPDATE tasks SET state = :received, dispatched_at = NULL, transitions = NULL "
            "WHERE completed_at IS NULL AND (:endpoint IS NULL OR "
            "(SELECT endpoint FROM batches WHERE seq = batch) = :endpoint)",
            {"received": RECEIVED, "endpoint": endpoint},
        )

    def unfinished(
        self,
        *,
        after: int = 0,
        upto: int | None = None,
        endpoint: str | None = None,
        undispatched: bool = False,
        limit: int = 500,
    ) -> list[WaitingTask]:
        """Give unfinished tasks in order of submission, a page at a time.

        Args:
            after: number of the last task of the page before.
            upto: number of the last task of all pages.
            endpoint: only those of an endpoint.
            undispatched: only those that the broker has not taken.
            limit: length of a page; one with large payloads is shorter.
        """
        rows = self._connection.execute(
            "SELECT tasks.seq, tasks.id, function, payload, endpoint, resource_specification, "
            "result_serializers FROM tasks JOIN batches ON batches.seq = tasks.batch "
            "WHERE completed_at IS NULL AND tasks.seq > :after AND tasks.seq <= :upto "
            "AND (:endpoint IS NULL OR endpoint = :endpoint) "
            "AND (NOT :undispatched OR state = :received) ORDER BY tasks.seq LIMIT :limit",
            {
                "after": after,
                "upto": self.last if upto is None else upto,
                "endpoint": endpoint,
                "undispatched": undispatched,
                "received": RECEIVED,
                "limit": limit,
            },
        )
        return [
            WaitingTask(seq, id_, function, payload, to, json.loads(needs), json.loads(serializers))
            for seq, id_, function, payload, to, needs, serializers in page(rows, 3)
        ]

    def stranded(self) -> list[str]:
        """Give the deleted endpoints that have unfinished tasks."""
        rows = self._connection.execute(
            "SELECT id FROM endpoints WHERE deleted_at IS NOT NULL AND id IN ("
            "SELECT endpoint FROM batches WHERE seq IN ("
            "SELECT batch FROM tasks WHERE completed_at IS NULL))"
        )
        return [row[0] for row in rows]

    def count_loss(self, endpoint: str, most: int) -> list[str]:
        """Keep that an endpoint died with its unfinished tasks; give those it happened to so often.

        All of them are to be dispatched again.

        Args:
            endpoint: the endpoint.
            most: number of losses from which on a task is given.
        """
        self._connection.execute(
            "UPDATE tasks SET losses = losses + 1, state = ?, dispatched_at = NULL, "
            "transitions = NULL WHERE completed_at IS NULL "
            "AND batch IN (SELECT seq FROM batches WHERE endpoint = ?)",
            (RECEIVED, endpoint),
        )
        rows = self._connection.execute(
            "SELECT tasks.id FROM tasks JOIN batches ON batches.seq = tasks.batch "
            "WHERE completed_at IS NULL AND endpoint = ? AND losses >= ?",
            (endpoint, most),
        )
        return [row[0] for row in rows]

    # -- how tasks stand --------------------------------------------------------------------

    def record(self, task_id: str, owner: str) -> TaskRecord | None:
        """Tell how a task of an owner stands."""
        row = self._one(
            "SELECT tasks.id, state, endpoint, received_at, dispatched_at, completed_at, "
            "transitions, body FROM tasks JOIN batches ON batches.seq = tasks.batch "
            "LEFT JOIN results ON results.task = tasks.seq WHERE tasks.id = ? AND owner = ?",
            task_id,
            owner,
        )
        if row is None:
            return None
        id_, state, endpoint, received, dispatched, completed, transitions, body = row
        known = {} if transitions is None else json.loads(transitions)
        return TaskRecord(id_, state, endpoint, received, dispatched, completed, known, body)

    def report(self, endpoint: str, reports: Iterable[tuple[str, dict[str, float]]]) -> None:
        """Keep what an endpoint reports of its unfinished tasks: id, and state to time."""
        for task_id, transitions in reports:
            row = self._one(
                "SELECT tasks.seq, transitions FROM tasks JOIN batches "
                "ON batches.seq = tasks.batch "
                "WHERE tasks.id = ? AND endpoint = ? AND completed_at IS NULL",
                task_id,
                endpoint,
            )
            if row is None or not transitions:
                continue
            known = ({} if row[1] is None else json.loads(row[1])) | transitions
            latest = max(known, key=lambda state: known[state])
            self._connection.execute(
                "UPDATE tasks SET transitions = ?, state = coalesce(?, state) WHERE seq = ?",
                (json.dumps(known), _REPORTED.get(latest), row[0]),
            )

    def count(self, endpoint: str) -> dict[str, int]:
        """Count an endpoint's tasks by state."""
        return dict(
            self._connection.execute(
                "SELECT state, count(*) FROM tasks JOIN batches ON batches.seq = tasks.batch "
                "WHERE endpoint = ? GROUP BY state",
                (endpoint,),
            ).fetchall()
        )
