"""Results of tasks, from their arrival to the moment when the user's queue has them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from .tasks import FAILED, SUCCESS, page

#: How far a result has come on its way to its user: values of the column ``forwarded``.
_NOT_FORWARDED, _QUEUED, _CONSUMED = 0, 1, 2


class Verdict(Enum):
    """What became of a result that arrived."""

    STORED = "stored"
    #: The task has a result already; the first one counts.
    DUPLICATE = "duplicate"
    #: There is no such task.
    UNKNOWN = "unknown"
    #: The task belongs to another endpoint than the one that sent this.
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result that arrived."""

    task_id: str
    #: The endpoint that sent it.
    endpoint: str
    success: bool
    #: The message as it arrived.
    body: bytes
    #: What the endpoint reported of the task: state to Unix time in seconds.
    transitions: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forward:
    """A result on its way to the queue of its task group."""

    seq: int
    task_id: str
    task_group: str
    owner: str
    body: bytes
    #: Unix time in seconds.
    completed_at: float
    #: From a high-assurance endpoint: the queue must not carry the value.
    high_assurance: bool


class Outcomes:
    """The table ``results``, and what results change in ``tasks``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def keep(self, outcomes: Iterable[Outcome], now: float) -> tuple[list[Verdict], list[Forward]]:
        """Keep results.

        Returns:
            A verdict for each, in order, and what is to be forwarded: the stored ones whose
            task group has a queue.
        """
        verdicts: list[Verdict] = []
        forwards: list[Forward] = []
        for outcome in outcomes:
            verdict, forward = self._keep(outcome, now)
            verdicts.append(verdict)
            if forward is not None:
                forwards.append(forward)
        return verdicts, forwards

    def _keep(self, outcome: Outcome, now: float) -> tuple[Verdict, Forward | None]:
        row = self._connection.execute(
            "SELECT tasks.seq, completed_at, transitions, endpoint, task_group, "
            "batches.owner, has_queue, high_assurance "
            "FROM tasks JOIN batches ON batches.seq = tasks.batch "
            "JOIN task_groups ON task_groups.id = task_group "
            "JOIN endpoints ON endpoints.id = endpoint WHERE tasks.id = ?",
            (outcome.task_id,),
        ).fetchone()
        if row is None:
            return Verdict.UNKNOWN, None
        seq, completed_at, known, endpoint, group, owner, has_queue, high_assurance = row
        if endpoint != outcome.endpoint:
            return Verdict.FOREIGN, None
        if completed_at is not None:
            return Verdict.DUPLICATE, None
        transitions = ({} if known is None else json.loads(known)) | outcome.transitions
        self._connection.execute(
            "UPDATE tasks SET state = ?, completed_at = ?, transitions = ?, payload = NULL "
            "WHERE seq = ?",
            (SUCCESS if outcome.success else FAILED, now, json.dumps(transitions), seq),
        )
        # A group without a queue has nothing to forward to.
        self._connection.execute(
            "INSERT INTO results VALUES (?, ?, ?)", (seq, outcome.body, not has_queue)
        )
        if not has_queue:
            return Verdict.STORED, None
        return Verdict.STORED, Forward(
            seq, outcome.task_id, group, owner, outcome.body, now, bool(high_assurance)
        )

    def mark_forwarded(self, seqs: Iterable[int]) -> None:
        """Keep that the queues have these results."""
        self._connection.executemany(
            # Whoever consumes a result may be quicker than the broker's confirmation.
            f"UPDATE results SET forwarded = {_QUEUED} "  # noqa: S608 - constants
            f"WHERE task = ? AND forwarded = {_NOT_FORWARDED}",
            [(seq,) for seq in seqs],
        )

    def mark_consumed(self, task_ids: Iterable[str]) -> None:
        """Keep that clients have had the results of these tasks from their queues."""
        self._connection.executemany(
            f"UPDATE results SET forwarded = {_CONSUMED} "  # noqa: S608 - constants
            "WHERE task = (SELECT seq FROM tasks WHERE id = ?)",
            [(task_id,) for task_id in task_ids],
        )

    def forget_forwarding(self, finished_since: float) -> None:
        """Keep that no queue has the results of tasks that finished since a Unix time in s.

        Those that clients have had stay away.
        """
        self._connection.execute(
            f"UPDATE results SET forwarded = {_NOT_FORWARDED} "  # noqa: S608 - constants
            f"WHERE forwarded = {_QUEUED} AND task IN ("
            "SELECT tasks.seq FROM tasks JOIN batches ON batches.seq = tasks.batch "
            "JOIN task_groups ON task_groups.id = task_group "
            "WHERE has_queue AND completed_at >= ?)",
            (finished_since,),
        )

    def to_forward(self, *, after: int = 0, limit: int = 500) -> list[Forward]:
        """Give results whose queue may not have them, in order of submission, a page at a time.

        Args:
            after: number of the last task of the page before.
            limit: length of a page; one with large results is shorter.
        """
        rows = self._connection.execute(
            "SELECT tasks.seq, tasks.id, task_group, batches.owner, body, completed_at, "
            "high_assurance FROM results JOIN tasks ON tasks.seq = task "
            "JOIN batches ON batches.seq = tasks.batch "
            "JOIN endpoints ON endpoints.id = endpoint "
            "WHERE forwarded = 0 AND task > ? ORDER BY task LIMIT ?",
            (after, limit),
        )
        return [
            Forward(seq, id_, group, owner, body, completed_at, bool(high_assurance))
            for seq, id_, group, owner, body, completed_at, high_assurance in page(rows, 4)
        ]
