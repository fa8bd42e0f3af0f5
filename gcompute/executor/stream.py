"""The stream of results: one AMQP connection that stays up as long as it is needed.

In come access to the result queues (asked for over HTTP, afresh for each connection) and the
task groups to watch; out go deliveries, on the connection's thread, to a callback that must
only pass them on. Source: ``docs/wire.md#amqp-0-9-1``. This package's only importer of ``pika``.

One thread owns the connection, and everything of pika. What it does next is said by
:class:`~gcompute.executor.lifecycle.Lifecycle`; here is how. Each task group has a channel of
its own (:mod:`gcompute.executor.consuming`), so that a queue that went away, or that is not
ours, costs no other group anything.

Other threads only leave messages: :meth:`ResultStream.watch`, :meth:`acknowledge`,
:meth:`release` and :meth:`stop` put callbacks into the connection's loop. What they leave while
no connection is open is done by the next one, since watched groups are kept, and what was not
acknowledged is delivered again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from gcompute.backoff import Backoff
from gcompute.errors import (
    AuthenticationFailed,
    ComputeError,
    NotFound,
    PermissionDenied,
    VersionMismatch,
)
from gcompute.executor.consuming import PREFETCH, Delivery, QueueConsumer, Token
from gcompute.executor.lifecycle import Action, Event, Lifecycle, State
from gcompute.forking import no_fork
from gcompute.threads import join, spawn

if TYPE_CHECKING:
    import pika

log = logging.getLogger(__name__)

#: Seconds in which acknowledgements are gathered; each one costs a wake-up and a packet.
_ACKNOWLEDGE_DELAY_S = 0.02

#: Deliveries that are acknowledged at once: well before the broker sends no more of them.
_ACKNOWLEDGE_AT = PREFETCH // 4

#: Seconds without a sign of the broker that are one too many, unless it proposes fewer.
_HEARTBEAT_S = 30

#: Task groups that are consumed at once. Each takes a channel, of which a connection has some 2000.
_MOST_GROUPS = 1000

#: Seconds that a broker has to answer a close.
_CLOSE_TIMEOUT_S = 5

#: Answers that trying again does not change.
_PERMANENT = (AuthenticationFailed, PermissionDenied, NotFound, VersionMismatch)


class StreamListener(Protocol):
    """Who is told what happens to the stream; on the connection's thread, so it must not block."""

    def delivered(self, delivery: Delivery) -> None:
        """Take a message of a result queue."""

    def digest(self) -> None:
        """Deal with large messages that were delivered; this may block, but for a moment only."""

    def consuming(self, task_group_id: str) -> None:
        """Hear that a group's queue is consumed, now or again: results may have been missed."""

    def interrupted(self, task_group_id: str, reason: str) -> None:
        """Hear that a group's queue is not consumed, for now or for long."""

    def refused(self, error: ComputeError) -> None:
        """Hear that there is no access to the queues, and that this is the end of the stream."""


class ResultStream:
    """Consumes the result queues of task groups. Safe to use from many threads.

    Args:
        find_access: gives ``connection_url`` and ``queue_prefix``; may raise a
            :class:`~gcompute.errors.ComputeError`.
        listener: is told what comes of it.
        port: the port to use, in place of the one in ``connection_url``.
        label: names the thread.
    """

    def __init__(
        self,
        find_access: Callable[[], dict[str, str]],
        listener: StreamListener,
        *,
        port: int | None = None,
        label: str = "",
    ) -> None:
        self._find_access = find_access
        self._listener = listener
        self._port = port
        self._label = label
        #: Guards the attributes up to the blank line; held for assignments only.
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        #: Task groups to consume, the one that was watched longest ago first.
        self._groups: dict[str, None] = {}
        #: Deliveries that were handled; their acknowledgement is scheduled while there are any.
        self._handled: list[Token] = []
        #: The open or opening connection; ``None`` between two.
        self._connection: pika.SelectConnection | None = None

        # What follows belongs to the connection's thread.
        self._life = Lifecycle(Backoff())
        self._access: dict[str, str] = {}
        #: Why there is no access, once that is for good.
        self._refusal: ComputeError | None = None
        #: Task group to who consumes its queue.
        self._consumers: dict[str, QueueConsumer] = {}

    def prepare(self) -> None:
        """Start connecting, so that it is done when the first group is known."""
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._life = Lifecycle(Backoff())
                self._thread = spawn(f"results{self._label}", self._run)

    def watch(self, task_group_id: str) -> None:
        """Consume a task group's queue, now and after each reconnection.

        Where there are very many, the one that was watched longest ago is consumed no more.
        """
        with self._lock:
            known = task_group_id in self._groups
            self._groups.pop(task_group_id, None)
            self._groups[task_group_id] = None
            if len(self._groups) > _MOST_GROUPS:
                del self._groups[next(iter(self._groups))]
        self.prepare()
        if not known:
            self._in_loop(self._consume_all)

    def acknowledge(self, tokens: Iterable[Token]) -> None:
        """Acknowledge deliveries, soon: what comes in a moment goes together."""
        with self._lock:
            if self._connection is None:
                return  # what was delivered on an older connection is delivered again
            before = len(self._handled)
            self._handled.extend(tokens)
            now = len(self._handled)
        if not before:
            self._in_loop(self._schedule_acknowledgement)
        if before < _ACKNOWLEDGE_AT <= now:
            self._in_loop(self._acknowledge)

    def hold(self, token: Token) -> None:
        """Leave a delivery unacknowledged; call this before what came after it is handled."""
        token.consumer.hold(token.tag)

    def release(self, token: Token, after_s: float) -> None:
        """Give a held delivery back to the broker, after some seconds."""
        self._in_loop(lambda: self._release_later(token, after_s))

    def stop(self) -> None:
        """Close the connection and end the thread, soon."""
        self._stopping.set()
        self._in_loop(self._unneeded)

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the thread to end, after :meth:`stop`."""
        join(self._thread, timeout_s)

    def _in_loop(self, callback: Callable[[], None]) -> None:
        """Run something on the connection's thread, if there is a connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.ioloop.add_callback_threadsafe(callback)

    # From here on everything runs on the connection's thread.

    def _run(self) -> None:
        try:
            event: Event | None = Event.NEEDED
            while event is not None:
                action = self._tell(event)
                event = self._do(action) if action is not None else None
        except Exception as error:  # a defect of ours: those who wait must hear of it
            if self._stopping.is_set():  # pika fails an assertion when it is closed while it opens
                log.debug("the stream of results broke while it was stopped: %r", error)
                return
            log.exception("the stream of results broke")
            self._end(ComputeError(f"the stream of results broke: {error!r}"))

    def _tell(self, event: Event) -> Action | None:
        return self._life.handle(event, time.monotonic())

    def _do(self, action: Action) -> Event | None:
        """Do what takes its time, and give what came of it."""
        if action is Action.ASK:
            return Event.UNNEEDED if self._stopping.is_set() else self._ask()
        if action is Action.CONNECT:
            return self._session()
        if action is Action.BACK_OFF:
            return Event.UNNEEDED if self._stopping.wait(self._life.wait_s) else Event.WAITED
        if action is Action.GIVE_UP and self._refusal is not None:
            self._end(self._refusal)
        return None

    def _ask(self) -> Event:
        try:
            self._access = self._find_access()
        except _PERMANENT as error:
            self._refusal = error
            return Event.REFUSED
        except ComputeError as error:
            log.info("no access to the result queues yet, trying again: %s", error)
            self._interrupted(str(error))
            return Event.NOT_GRANTED
        return Event.GRANTED

    def _end(self, error: ComputeError) -> None:
        with self._lock:
            self._thread = None  # whoever needs results later starts over
        self._listener.refused(error)

    def _session(self) -> Event:
        """Connect and consume until the connection is lost."""
        with no_fork:
            import pika

        parameters = pika.URLParameters(self._access["connection_url"])
        if self._port is not None:
            parameters.port = self._port
        parameters.connection_attempts = 1
        parameters.heartbeat = lambda _connection, proposed: min(
            proposed or _HEARTBEAT_S, _HEARTBEAT_S
        )
        parameters.client_properties = {"connection_name": f"gcompute results{self._label}"}
        connection = pika.SelectConnection(
            parameters,
            on_open_callback=lambda _connection: self._opened(),
            on_open_error_callback=self._lost,
            on_close_callback=self._lost,
        )
        with self._lock:
            self._connection = connection
        if self._stopping.is_set():  # stop() came before there was a connection to close
            connection.ioloop.call_later(0, self._unneeded)
        try:
            connection.ioloop.start()
        finally:
            self._forget_connection()
            connection.ioloop.close()
        return Event.LOST

    def _forget_connection(self) -> None:
        with self._lock:
            self._connection = None
            self._handled.clear()
        self._consumers.clear()

    def _opened(self) -> None:
        again = self._life.openings > 0
        if self._tell(Event.OPENED) is Action.CLOSE:
            self._close()
            return
        if again:
            log.info("connected to the result queues again")
        self._consume_all()

    def _consume_all(self) -> None:
        if self._life.state is not State.CONSUMING or self._connection is None:
            return
        wanted = self._wanted()
        for group in self._consumers.keys() - wanted:
            self._consumers.pop(group).close()
            self._listener.interrupted(group, f"more than {_MOST_GROUPS} task groups are in use")
        for group in wanted:
            if group not in self._consumers:
                self._consumers[group] = QueueConsumer(
                    self._connection, self._access["queue_prefix"], group, self._listener
                )

    def _wanted(self) -> list[str]:
        with self._lock:
            return list(self._groups)

    def _schedule_acknowledgement(self) -> None:
        if self._connection is not None:
            self._connection.ioloop.call_later(_ACKNOWLEDGE_DELAY_S, self._acknowledge)

    def _acknowledge(self) -> None:
        with self._lock:
            tokens, self._handled = self._handled, []
        for token in tokens:
            token.consumer.handled(token.tag)
        for consumer in {token.consumer for token in tokens}:  # of a group there may be several
            consumer.acknowledge()

    def _release_later(self, token: Token, after_s: float) -> None:
        if self._connection is not None:
            self._connection.ioloop.call_later(after_s, lambda: token.consumer.release(token.tag))

    def _lost(self, connection: pika.SelectConnection, reason: object) -> None:
        if not self._stopping.is_set():
            log.info("the connection to the result queues was lost: %s", reason)
            self._interrupted(f"{reason!r}")
        connection.ioloop.stop()

    def _interrupted(self, reason: str) -> None:
        for group in self._wanted():
            self._listener.interrupted(group, reason)

    def _unneeded(self) -> None:
        if self._tell(Event.UNNEEDED) is Action.CLOSE:
            self._close()

    def _close(self) -> None:
        connection = self._connection
        if connection is None:
            return
        self._acknowledge()
        connection.ioloop.call_later(_CLOSE_TIMEOUT_S, connection.ioloop.stop)
        if connection.is_closed:
            connection.ioloop.stop()
        elif not connection.is_closing:
            connection.close()
