"""What has become old, in all tables: tasks with their results, submits, and task groups.

Everything is deleted a page at a time, so that no transaction is long. Pages are found from the
oldest submit on, without an index of their own: submits and tasks are numbered in the order in
which they came, so whatever is old is in front.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

#: Tasks that one transaction deletes at most.
_PAGE = 500

#: When something last happened to a task. What an endpoint reports counts while it runs.
_ACTIVE_AT = """
    coalesce(completed_at, max(
        received_at,
        coalesce(dispatched_at, 0),
        coalesce((SELECT max(value) FROM json_each(transitions)), 0)
    ))
"""


@dataclass(frozen=True, slots=True)
class Page:
    """What one transaction has deleted."""

    tasks: int
    #: Task groups that have no tasks any more, and are gone too: owner and id.
    groups: list[tuple[str, str]]
    #: Number of the last task that was looked at; ``None`` where that was the last one of all.
    last: int | None


class History:
    """What is old in the tables of tasks."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def forget(self, idle_since: float, *, after: int = 0) -> Page:
        """Delete a page of the tasks to which nothing has happened since a Unix time in s.

        Args:
            idle_since: the time.
            after: number of the last task of the page before.
        """
        seqs = self._oldest(idle_since, after)
        if not seqs:
            return Page(0, [], None)
        rows = self._connection.execute(
            f"SELECT tasks.seq, batch, task_group FROM tasks "  # noqa: S608 - constants
            "JOIN batches ON batches.seq = batch "
            f"WHERE tasks.seq BETWEEN ? AND ? AND {_ACTIVE_AT} < ?",
            (seqs[0], seqs[-1], idle_since),
        ).fetchall()
        tasks = [(seq,) for seq, _, _ in rows]
        self._connection.executemany("DELETE FROM results WHERE task = ?", tasks)
        self._connection.executemany("DELETE FROM tasks WHERE seq = ?", tasks)
        self._connection.executemany(
            "DELETE FROM batches WHERE seq = ? "
            "AND NOT EXISTS (SELECT 1 FROM tasks WHERE batch = batches.seq)",
            {(batch,) for _, batch, _ in rows},
        )
        groups = self._forget_groups({group for _, _, group in rows})
        return Page(len(rows), groups, seqs[-1])

    def _oldest(self, idle_since: float, after: int) -> list[int]:
        """Give a page of the tasks that were received before a time, in order."""
        rows = self._connection.execute(
            # The first task that is too young; a submit has one at least.
            "WITH young AS (SELECT coalesce("
            "(SELECT min(seq) FROM tasks WHERE batch = ("
            "SELECT seq FROM batches WHERE received_at >= ? ORDER BY seq LIMIT 1"
            ")), (SELECT max(seq) + 1 FROM tasks)) AS first) "
            "SELECT seq FROM tasks, young WHERE seq > ? AND seq < young.first ORDER BY seq LIMIT ?",
            (idle_since, after, _PAGE),
        )
        return [row[0] for row in rows.fetchall()]

    def _forget_groups(self, groups: set[str]) -> list[tuple[str, str]]:
        gone = []
        for group in groups:
            gone += self._connection.execute(
                "DELETE FROM task_groups WHERE id = ? AND NOT EXISTS ("
                "SELECT 1 FROM batches WHERE task_group = task_groups.id) RETURNING owner, id",
                (group,),
            ).fetchall()
        return gone
