"""Which results their users have had, so that a restart does not forward them again.

The embedded broker loses its queues with the service, and what was in them is forwarded anew. It
tells of each message that a client has had, by the queue and the message's id, which is the
task's; all that one turn of the event loop brings is kept in one transaction. So a result comes
twice only where the service ended before it read, or kept, the acknowledgement.

What can fail: the store (a full disk). Then results may come twice.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from .names import Names
from .store import Store

log = logging.getLogger(__name__)


class Consumed:
    """Keeps what the broker tells.

    Args:
        names: which queues are those of task groups; other messages are no results for users.
        store: where it is kept.
    """

    def __init__(self, names: Names, store: Store) -> None:
        self._names = names
        self._store = store
        #: Tasks whose results were consumed, and are not kept as such; a flush is due while there
        #: are any.
        self._task_ids: list[str] = []

    def add(self, queue: str, message_id: str) -> None:
        """Note that a client has had a message."""
        if not self._names.is_group_queue(queue):
            return
        if not self._task_ids:
            asyncio.get_running_loop().call_soon(self.flush)
        self._task_ids.append(message_id)

    def flush(self) -> None:
        """Keep what was noted."""
        task_ids, self._task_ids = self._task_ids, []
        if not task_ids:
            return
        try:
            with self._store.transaction():
                self._store.outcomes.mark_consumed(task_ids)
        except sqlite3.Error as error:
            log.warning("%d results may come twice after a restart: %s", len(task_ids), error)
