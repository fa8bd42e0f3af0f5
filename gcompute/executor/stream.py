"""The stream of results: one AMQP connection that stays up as long as it is needed.

In come access to the result queues (asked for over HTTP, afresh for each connection) and the
task groups to watch; out go deliveries, on the connection's thread, to a callback that must
only pass them on. Source: ``docs/wire.md#amqp-0-9-1``. This is the only module of the client
that imports ``pika``.

One thread owns the connection and everything of pika::

    run:  ask for access -> connect -> open a channel -> consume each watched queue
          ^                                                   |
          +---- back off <---- connection or channel lost ----+

Other threads only leave messages for it: :meth:`ResultStream.watch`, :meth:`acknowledge` and
:meth:`stop` put callbacks into its loop. What they leave while no connection is open is done by
the next one, since watched groups are kept, and what was not acknowledged is delivered again.

What can fail: access refused for good (a wrong token) ends the stream with ``on_unavailable``.
Everything else (no network, a broker that restarts, a queue that went away) is tried again, for
as long as somebody needs results.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gcompute.backoff import Backoff
from gcompute.errors import (
    AuthenticationFailed,
    ComputeError,
    NotFound,
    PermissionDenied,
    VersionMismatch,
)
from gcompute.threads import join, spawn

if TYPE_CHECKING:
    import pika
    from pika.channel import Channel

log = logging.getLogger(__name__)

#: Deliveries that may be on their way to a future at once; bounds the memory they take.
_PREFETCH = 512

#: Seconds in which acknowledgements are gathered; each one costs a wake-up and a packet.
_ACKNOWLEDGE_DELAY_S = 0.02

#: Seconds that a broker has to answer a close.
_CLOSE_TIMEOUT_S = 5

#: Answers that trying again does not change.
_PERMANENT = (AuthenticationFailed, PermissionDenied, NotFound, VersionMismatch)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of a result queue.

    Attributes:
        token: what to give to :meth:`ResultStream.acknowledge`.
        body: the message (see :mod:`gcompute.messages`).
        completed_at: when the task finished, Unix time in seconds, where the service says so.
        high_assurance: the result itself must be fetched over HTTP.
    """

    token: tuple[int, int]
    body: bytes
    completed_at: int | None
    high_assurance: bool


class ResultStream:
    """Consumes the result queues of task groups. Safe to use from many threads.

    Args:
        find_access: gives ``connection_url`` and ``queue_prefix``; may raise a
            :class:`~gcompute.errors.ComputeError`.
        on_delivery: is given each message, on the connection's thread; must not block.
        on_reopened: is called after each connection but the first: messages may have been lost.
        on_unavailable: is given the error when results cannot be had at all.
        port: the port to use, in place of the one in ``connection_url``.
        label: names the thread.
    """

    def __init__(
        self,
        find_access: Callable[[], dict[str, str]],
        *,
        on_delivery: Callable[[Delivery], None],
        on_reopened: Callable[[], None],
        on_unavailable: Callable[[ComputeError], None],
        port: int | None = None,
        label: str = "",
    ) -> None:
        self._find_access = find_access
        self._on_delivery = on_delivery
        self._on_reopened = on_reopened
        self._on_unavailable = on_unavailable
        self._port = port
        self._label = label
        #: Guards the attributes up to the blank line; held for assignments only.
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        #: Task groups to consume, in the order in which they came.
        self._groups: dict[str, None] = {}
        #: The last delivery that was handled and not acknowledged yet; an acknowledgement is
        #: scheduled as long as there is one.
        self._handled: tuple[int, int] | None = None
        #: The open or opening connection; ``None`` between two.
        self._connection: pika.SelectConnection | None = None

        # What follows belongs to the connection's thread.
        self._channel: Channel | None = None
        self._prefix = ""
        #: Counts connections: a token of an older one cannot be acknowledged any more.
        self._epoch = 0
        self._consuming: set[str] = set()
        #: When the connection became good, on the monotonic clock; ``None`` before.
        self._opened_at: float | None = None

    def prepare(self) -> None:
        """Start connecting, so that it is done when the first group is known."""
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = spawn(f"results{self._label}", self._run)

    def watch(self, task_group_id: str) -> None:
        """Consume a task group's queue, now and after each reconnection."""
        with self._lock:
            self._groups[task_group_id] = None
        self.prepare()
        self._in_loop(self._consume_all)

    def acknowledge(self, token: tuple[int, int]) -> None:
        """Acknowledge a delivery and all before it, soon: what comes in a moment goes together."""
        with self._lock:
            if self._connection is None:
                return  # what was delivered on an older connection is delivered again
            scheduled, self._handled = self._handled is not None, token
        if not scheduled:
            self._in_loop(self._schedule_acknowledgement)

    def stop(self) -> None:
        """Close the connection and end the thread, soon."""
        self._stopping.set()
        self._in_loop(self._close)

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
        backoff = Backoff()
        try:
            while not self._stopping.is_set():
                good_for_s = 0.0
                try:
                    good_for_s = self._session(self._find_access())
                except _PERMANENT as error:
                    self._end(error)
                    return
                except ComputeError as error:
                    log.warning("no access to the result queues yet, trying again: %s", error)
                self._stopping.wait(backoff.next_s(good_for_s))
        except Exception as error:  # a defect of ours: those who wait must hear of it
            if self._stopping.is_set():  # pika fails an assertion when it is closed while it opens
                log.debug("the stream of results broke while it was stopped: %r", error)
                return
            log.exception("the stream of results broke")
            self._end(ComputeError(f"the stream of results broke: {error!r}"))

    def _end(self, error: ComputeError) -> None:
        with self._lock:
            self._thread = None  # whoever needs results later starts over
        self._on_unavailable(error)

    def _session(self, access: dict[str, str]) -> float:
        """Connect and consume until the connection is lost; say how long it was good, in s."""
        import pika

        parameters = pika.URLParameters(access["connection_url"])
        if self._port is not None:
            parameters.port = self._port
        parameters.connection_attempts = 1
        parameters.client_properties = {"connection_name": f"gcompute results{self._label}"}
        self._opened_at = None
        self._prefix = access["queue_prefix"]
        connection = pika.SelectConnection(
            parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
        )
        with self._lock:
            self._connection = connection
        if self._stopping.is_set():  # stop() came before there was a connection to close
            connection.ioloop.call_later(0, self._close)
        try:
            connection.ioloop.start()
        finally:
            with self._lock:
                self._connection = None
                self._handled = None
            self._channel = None
            self._consuming.clear()
            connection.ioloop.close()
        return 0.0 if self._opened_at is None else time.monotonic() - self._opened_at

    def _on_open(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._on_channel_open)

    def _on_channel_open(self, channel: Channel) -> None:
        self._epoch += 1
        self._opened_at = time.monotonic()
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_cancel_callback(self._on_cancelled)
        channel.basic_qos(prefetch_count=_PREFETCH)
        self._consume_all()
        if self._epoch > 1:
            log.info("connected to the result queues again")
            self._on_reopened()

    def _consume_all(self) -> None:
        if self._channel is None or not self._channel.is_open:
            return
        for group in list(self._groups):
            if group not in self._consuming:
                self._consuming.add(group)
                self._channel.basic_consume(f"{self._prefix}{group}", self._on_message)

    def _on_message(self, _channel: Channel, method: Any, properties: Any, body: bytes) -> None:
        headers = properties.headers or {}
        self._on_delivery(
            Delivery(
                token=(self._epoch, method.delivery_tag),
                body=body,
                completed_at=properties.timestamp,
                high_assurance=bool(headers.get("high_assurance")),
            )
        )

    def _schedule_acknowledgement(self) -> None:
        if self._connection is not None:
            self._connection.ioloop.call_later(_ACKNOWLEDGE_DELAY_S, self._acknowledge)

    def _acknowledge(self) -> None:
        with self._lock:
            token, self._handled = self._handled, None
        epoch, tag = token or (0, 0)
        if epoch == self._epoch and self._channel is not None and self._channel.is_open:
            self._channel.basic_ack(tag, multiple=True)

    def _on_cancelled(self, _frame: object) -> None:
        log.warning("the broker cancelled a result queue's consumer; connecting again")
        self._close()

    def _on_channel_closed(self, _channel: Channel, reason: Exception) -> None:
        if not self._stopping.is_set():
            log.warning("the channel of the result queues was closed: %s", reason)
        self._close()

    def _on_lost(self, connection: pika.SelectConnection, reason: object) -> None:
        if not self._stopping.is_set():
            log.warning("the connection to the result queues was lost: %s", reason)
        connection.ioloop.stop()

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
