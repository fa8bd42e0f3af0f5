"""Results and status reports on their way in, and results on their way to their users.

::

    broker: results ---> pending ---> one transaction ---> ack
                                            |
                                            +--> the group's queue --confirmed--> forwarded

All deliveries of one turn of the event loop are one batch: one transaction, one acknowledgement.
A result is acknowledged once it is stored, and stays marked as not forwarded until the broker
has confirmed it in the queue of its task group; :meth:`Results.recover` forwards it again after
a reconnection or a restart, and when a broker that took no more has room. A second result for a
task is acknowledged and dropped.

A broker confirms a result to its endpoint before it is here, and the endpoint's tasks are run again
if it never comes. So an orderly end takes in what the broker has, and so does whoever is about to
send tasks again: :meth:`Results.drain`.

What can fail: the store (a full disk). Then nothing is acknowledged, and the batch is tried
again after a pause.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from gcompute.messages import StatusReport

from . import routing
from .amqp import AmqpLink, ChannelRefused, Delivery, LinkError, LinkLost
from .names import Names
from .outbox import Outbox
from .store import Store
from .store.outcomes import Forward, Outcome, Verdict

log = logging.getLogger(__name__)

_PERSISTENT = 2
#: What a broker answers to a second exclusive consumer.
_IN_USE = 403
#: Unacknowledged messages that the broker may have sent ahead.
_PREFETCH = 1000
#: Tasks that are failed at a time.
_PAGE = 100
#: Pause after the store failed, in seconds.
_RETRY_S = 1.0


class Results:
    """Keeps and forwards results.

    Args:
        outlet: the link that forwards.
        names: the queues to read, and those to forward to.
        store: where results and reports are kept.
        result_lifetime: for how many seconds a result waits in the queue of its task group.
    """

    def __init__(
        self, outlet: AmqpLink, names: Names, store: Store, *, result_lifetime: float
    ) -> None:
        #: In milliseconds, as AMQP writes it.
        self._expiration = str(max(1, round(result_lifetime * 1000)))
        self._names = names
        self._store = store
        self._outbox = Outbox(outlet, self._forwarded, self.recover)
        #: Held by whoever forwards what is in the store, as two would forward it twice.
        self._recovering = asyncio.Lock()
        self._intake: AmqpLink | None = None
        #: Deliveries that no flush has looked at; one is due while there are any.
        self._pending: list[Delivery] = []
        self._flush_due: asyncio.Handle | None = None
        #: Each fails the tasks of an endpoint that did not start.
        self._endings: set[asyncio.Task[None]] = set()

    async def open(self, intake: AmqpLink) -> None:
        """Consume on a new connection. What came on a former one comes again on this.

        Raises:
            LinkLost: somebody consumes already. That is the former service, whose connection the
                broker has not missed yet: trying again helps.
        """
        self._intake = intake
        self._pending.clear()
        try:
            await intake.consume(
                self._names.result_queue, self._on_result, exclusive=True, prefetch=_PREFETCH
            )
            await intake.consume(self._names.heartbeat_queue, self._on_report, exclusive=True)
        except ChannelRefused as refusal:
            if refusal.code != _IN_USE:
                raise
            raise LinkLost(
                "the broker still has the connection of the service that was here before; it "
                f"misses that after a minute or two, or close it there ({refusal})"
            ) from refusal

    async def drain(self, timeout_s: float) -> None:
        """Take in the results and reports that endpoints have sent so far.

        Raises:
            LinkLost: the link broke; the next one brings what is left.
        """
        if self._intake is None:
            return
        try:
            async with asyncio.timeout(timeout_s):
                left = 1
                while left and not self._is_held_up:
                    left = await self._waiting(self._intake)
                    await self._intake.catch_up()
        except LinkLost:
            raise
        except (LinkError, TimeoutError) as error:
            log.warning("some tasks whose results are not here may run again: %r", error)

    async def _waiting(self, intake: AmqpLink) -> int:
        """Count the messages that the broker has not begun to deliver."""
        queues = (self._names.result_queue, self._names.heartbeat_queue)
        depths = [await intake.topology.declare_queue(queue, passive=True) for queue in queues]
        return sum(depth.messages for depth in depths)

    @property
    def _is_held_up(self) -> bool:
        """Whether results wait for the store, which has failed."""
        return isinstance(self._flush_due, asyncio.TimerHandle)

    def close(self) -> None:
        """Keep what came in, and the confirmations."""
        for ending in self._endings:
            ending.cancel()
        if self._flush_due is not None:
            self._flush_due.cancel()
            self._flush()
        self._outbox.flush()

    # -- results ----------------------------------------------------------------------------

    def _on_result(self, delivery: Delivery) -> None:
        self._pending.append(delivery)
        if self._flush_due is None:
            self._flush_due = asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = None
        if not self._pending:
            return
        deliveries = self._pending
        try:
            self.keep(_read(deliveries))
        except sqlite3.Error as error:
            log.error("%d results wait for the store: %s", len(deliveries), error)
            loop = asyncio.get_running_loop()
            self._flush_due = loop.call_later(_RETRY_S, self._flush)
            return
        self._pending = []
        assert self._intake is not None
        # The channel carries reports too: only what is handled may be acknowledged with it, and
        # reports are handled as they come.
        self._intake.ack(deliveries[-1].delivery_tag, multiple=True)

    def keep(self, outcomes: Sequence[Outcome]) -> None:
        """Store outcomes, and forward those that somebody waits for.

        Raises:
            sqlite3.Error: nothing is stored.
        """
        with self._store.transaction():
            verdicts, forwards = self._store.outcomes.keep(outcomes, time.time())
        for verdict, count in Counter(verdicts).items():
            if verdict is not Verdict.STORED:
                log.warning("dropped %d results: %s", count, verdict.value)
        for forward in forwards:
            if not self._outbox.takes:
                self._outbox.leave()
                return
            self._forward(forward)

    async def _fail_unfinished(self, endpoint: str, code: str, text: str) -> None:
        """Fail the tasks that an endpoint has not finished by now and will not run any more.

        A few at a time, between which others have their turn.

        Raises:
            sqlite3.Error: the rest stays as it is.
        """
        after, last = 0, self._store.tasks.last
        while tasks := self._store.tasks.unfinished(
            after=after, upto=last, endpoint=endpoint, limit=_PAGE
        ):
            after = tasks[-1].seq
            self.keep([routing.failed_outcome(task.id, endpoint, code, text) for task in tasks])
            await asyncio.sleep(0)

    async def fail_deleted(self, endpoint: str) -> None:
        """Fail the unfinished tasks of an endpoint that is deleted.

        Raises:
            sqlite3.Error: the rest stays as it is until the next start.
        """
        text = f"Endpoint {endpoint} was deleted before it ran this"
        await self._fail_unfinished(endpoint, "ENDPOINT_DELETED", text)

    async def fail_stranded(self) -> None:
        """Fail what endpoints had not finished that a former run deleted, and did not come to."""
        for endpoint in self._store.tasks.stranded():
            await self.fail_deleted(endpoint)

    def _forward(self, forward: Forward) -> asyncio.Future[None]:
        return self._outbox.publish(
            forward.seq,
            "",
            self._names.group_queue(forward.owner, forward.task_group),
            routing.forwarded_body(forward),
            _properties(forward, self._expiration),
        )

    def _forwarded(self, seqs: list[int]) -> None:
        try:
            with self._store.transaction():
                self._store.outcomes.mark_forwarded(seqs)
        except sqlite3.Error as error:
            log.error("%d results may come twice: %s", len(seqs), error)

    async def recover(self) -> None:
        """Forward results that their queues may not have."""
        async with self._recovering:
            after, count = 0, 0
            while forwards := self._store.outcomes.to_forward(after=after):
                after = forwards[-1].seq
                futures = []
                for forward in [f for f in forwards if f.seq not in self._outbox]:
                    await self._outbox.room()
                    futures.append(self._forward(forward))
                count += len(futures)
                await asyncio.gather(*futures, return_exceptions=True)
        if count:
            log.info("forwarded %d results", count)

    # -- status reports ---------------------------------------------------------------------

    def _on_report(self, delivery: Delivery) -> None:
        try:
            report = routing.read_report(delivery.body, delivery.routing_key)
            statuses = [(id_, routing.times(t)) for id_, t in report.task_statuses.items()]
        except routing.Unacceptable as reason:
            log.warning("dropped a status report: %s", reason)
        else:
            try:
                with self._store.transaction():
                    now = time.time()
                    self._store.endpoints.report(report.endpoint_id, report.global_state, now)
                    self._store.tasks.report(report.endpoint_id, statuses)
            except sqlite3.Error as error:
                # The next report says as much.
                log.error("a status report cannot be stored: %s", error)
            self._end_failed(report)
        assert self._intake is not None
        self._intake.ack(delivery.delivery_tag)

    def _end_failed(self, report: StatusReport) -> None:
        """Fail the tasks of an endpoint that reports why it cannot start."""
        reason = report.global_state.get("error")
        if not isinstance(reason, str):
            return
        ending = asyncio.create_task(self._end(report.endpoint_id, reason), name="gcompute-ending")
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _end(self, endpoint: str, reason: str) -> None:
        try:
            with self._store.transaction():
                self._store.endpoints.silence(endpoint)
            text = f"Endpoint {endpoint} did not start: {reason}"
            await self._fail_unfinished(endpoint, "ENDPOINT_NOT_STARTED", text)
        except sqlite3.Error as error:
            log.error("the tasks of endpoint %s cannot be failed: %s", endpoint, error)


def _read(deliveries: Iterable[Delivery]) -> list[Outcome]:
    outcomes = []
    for delivery in deliveries:
        try:
            outcomes.append(routing.read_result(delivery.body, delivery.routing_key))
        except routing.Unacceptable as reason:
            log.warning("dropped a result: %s", reason)
    return outcomes


def _properties(forward: Forward, expiration: str) -> dict[str, object]:
    properties: dict[str, object] = {
        "delivery_mode": _PERSISTENT,
        "expiration": expiration,
        # By which a consumer can tell that it has had this before.
        "message_id": forward.task_id,
        "timestamp": int(forward.completed_at),
    }
    if forward.high_assurance:
        properties["headers"] = {"high_assurance": True}
    return properties
