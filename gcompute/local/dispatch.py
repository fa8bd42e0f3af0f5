"""Tasks on their way out: from the store to the queues of their endpoints.

A submit stores its tasks, gives them to :meth:`Dispatcher.send` and answers its client; the
broker's confirmations come later and turn ``received`` into ``waiting-for-ep``. Whatever is not
confirmed (the broker was away, the service was killed), or not kept as such, is sent again by
:meth:`Dispatcher.recover`, which runs after each reconnection. So a task is sent at least once,
and an endpoint may see one twice. While the broker takes no more, tasks stay in the store.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence

from gcompute.messages import TaskMessage, encode

from .amqp import AmqpLink
from .names import Names
from .outbox import Outbox, ranges
from .store import Store
from .store.tasks import WaitingTask

log = logging.getLogger(__name__)

_PERSISTENT = 2


class Dispatcher:
    """Publishes tasks.

    Args:
        link: where to publish.
        names: the exchange of tasks.
        store: what tasks there are.
    """

    def __init__(self, link: AmqpLink, names: Names, store: Store) -> None:
        self._names = names
        self._store = store
        self._outbox = Outbox(link, self._confirmed, self.recover)
        #: Held by whoever sends what is in the store, as two would send it twice.
        self._recovering = asyncio.Lock()

    def send(self, tasks: Iterable[WaitingTask], buffers: Mapping[str, str]) -> None:
        """Publish tasks without waiting for the broker, or later if it takes no more now.

        Args:
            tasks: tasks that are stored.
            buffers: function id to the function as packed buffers.
        """
        for task in tasks:
            if not self._outbox.takes:
                self._outbox.leave()
                return
            self._publish(task, buffers[task.function])

    def _publish(self, task: WaitingTask, function_buffer: str) -> asyncio.Future[None]:
        headers = {
            "task_uuid": task.id,
            "function_uuid": task.function,
            "resource_specification": json.dumps(task.resource_specification),
            "result_serializers": task.result_serializers,
        }
        return self._outbox.publish(
            task.seq,
            self._names.task_exchange,
            task.endpoint,
            encode(TaskMessage(task.id, function_buffer + task.payload)),
            {"delivery_mode": _PERSISTENT, "headers": headers},
        )

    def _confirmed(self, seqs: list[int]) -> None:
        now = time.time()
        try:
            with self._store.transaction():
                for first, last in ranges(seqs):
                    self._store.tasks.mark_dispatched(first, last, now)
        except sqlite3.Error as error:
            log.error("%d tasks may be sent twice, and run twice: %s", len(seqs), error)

    async def recover(self, *, endpoint: str | None = None) -> None:
        """Publish tasks that the broker has not confirmed.

        Args:
            endpoint: only those of an endpoint whose queue was emptied, also those that are on
                their way now.
        """
        async with self._recovering:
            after, count = 0, 0
            while tasks := self._store.tasks.unfinished(
                after=after, endpoint=endpoint, undispatched=True
            ):
                after = tasks[-1].seq
                if endpoint is None:
                    tasks = [task for task in tasks if task.seq not in self._outbox]
                count += len(tasks)
                # A page at a time, so that a long queue is never in memory as a whole.
                await self._send_page(tasks)
        if count:
            log.info("sent %d unfinished tasks to the broker", count)

    async def _send_page(self, tasks: Sequence[WaitingTask]) -> None:
        buffers = self._buffers({task.function for task in tasks})
        futures = []
        for task in tasks:
            await self._outbox.room()
            futures.append(self._publish(task, buffers[task.function]))
        await asyncio.gather(*futures, return_exceptions=True)

    def _buffers(self, function_ids: Iterable[str]) -> dict[str, str]:
        found = (self._store.functions.find(id_, deleted=True) for id_ in function_ids)
        return {function.id: function.buffer for function in found if function is not None}

    def close(self) -> None:
        """Keep the confirmations that came in."""
        self._outbox.flush()
