"""What runs behind an :class:`gcompute.Executor`: three threads, and who owns what.

::

    submit()          sender's thread            the service          connection's thread
    caller's thread   ---------------                |                -------------------
        |  outbox ->  register, submit  ---- HTTP -->|---- AMQP --->  receives, passes on
        |                  |                                                |
        |              pending: task id -> future                           v
        |                  ^                                          delivery's thread
     future <--------------+-------------------- match, load, end --- -----------------

The engine owns the outbox, the pending tasks and the threads; its lock guards the outbox and
the counters, and is never held during I/O, callbacks or while a future ends. A thread waits for
an event, never for a timer.

It lives from the first submission until it was closed *and* every future has ended, whether or
not its Executor still exists: the threads keep it alive, not the user. At interpreter exit what
is queued is still sent; results are then not waited for.
"""

from __future__ import annotations

import atexit
import sys
import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING

from gcompute.executor.delivery import Result, ResultDelivery
from gcompute.executor.future import ComputeFuture
from gcompute.executor.outbox import Outbox, Submission
from gcompute.executor.pending import PendingTasks
from gcompute.executor.sender import Sender
from gcompute.executor.stream import ResultStream
from gcompute.serialize import ComputeSerializer
from gcompute.threads import join, spawn

if TYPE_CHECKING:
    from gcompute.client import Client

#: Bytes of payload in a request, well under what the service accepts.
_BATCH_BYTES = 5_000_000

#: Tasks in a request, at most, while requests are plentiful.
_PLENTIFUL_TASKS = 128

#: Seconds that the interpreter's exit waits for what is queued to be sent.
_EXIT_TIMEOUT_S = 30.0


class Engine:
    """Sends submissions and ends their futures. Safe to use from many threads.

    Args:
        client: the service.
        batch_size: tasks in a request, at most. ``None`` for some while requests are plentiful,
            so that results come early, and as many as fit when they grow scarce.
        serializer: loads results.
        amqp_port: the port of the result queues, where it is not the service's choice.
        label: names the threads.
    """

    def __init__(
        self,
        client: Client,
        *,
        batch_size: int | None,
        amqp_port: int | None = None,
        label: str = "",
        serializer: ComputeSerializer,
    ) -> None:
        suffix = f"-{label}" if label else ""
        self._client = client
        self._serializer = serializer
        self._label = suffix
        #: Guards what follows, up to the blank line; notified when any of it changes.
        self._changed = threading.Condition()
        self._outbox = Outbox(max_tasks=batch_size or sys.maxsize, max_bytes=_BATCH_BYTES)
        self._sending = False
        self._closed = False
        #: Futures that have not ended.
        self._unfinished = 0
        self._sender_thread: threading.Thread | None = None
        #: The executor's own task group, once there is one.
        self.task_group_id: str | None = None

        self._pending: PendingTasks[Result] = PendingTasks()
        self._stream = ResultStream(
            client.get_result_amqp_url,
            on_delivery=lambda delivery: self._delivery.deliver(delivery),
            on_reopened=lambda: self._delivery.reconcile(),
            on_unavailable=lambda cause: self._delivery.give_up(cause),
            port=amqp_port,
            label=suffix,
        )
        self._sender = Sender(
            client,
            self._pending,
            on_taken=self._taken,
            on_early=lambda future, result: self._delivery.complete(future, result),
            task_group_id=lambda: self.task_group_id,
        )
        self._delivery: ResultDelivery

    @property
    def closed(self) -> bool:
        """Whether submissions are refused."""
        return self._closed

    def submit(self, submission: Submission) -> None:
        """Take a submission in; returns at once.

        Raises:
            RuntimeError: the engine is closed.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError("the executor is shut down: no new tasks can be submitted")
            if self._sender_thread is None:
                self._start()
            self._unfinished += 1
            self._outbox.add(submission)
            self._changed.notify_all()
        submission.future.add_done_callback(partial(_future_ended, weakref.ref(self)))

    def close(self, *, cancel: bool = False) -> None:
        """Refuse submissions from now on, and end the threads when every future has ended.

        Args:
            cancel: cancel what was not sent yet.
        """
        with self._changed:
            self._closed = True
            cancelled = self._outbox.clear() if cancel else []
            self._changed.notify_all()
        for submission in cancelled:
            submission.future.cancel()
            submission.future.set_running_or_notify_cancel()
        self._stop_when_done()

    def wait(self) -> None:
        """Wait, after :meth:`close`, until every future and thread has ended.

        In a future's callback this returns at once: what it would wait for comes after it.
        """
        if self._sender_thread is None:
            return
        if threading.current_thread() in (self._sender_thread, self._delivery.thread):
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._unfinished)
        join(self._sender_thread)
        self._delivery.join()
        self._stream.join()

    def flush(self, timeout_s: float) -> None:
        """Wait until everything queued has been sent."""
        with self._changed:
            self._changed.wait_for(lambda: not self._outbox and not self._sending, timeout_s)

    def _start(self) -> None:
        """Start the threads; with the lock held, once."""
        self._delivery = ResultDelivery(
            self._pending,
            self._serializer,
            batch_status=self._client._batch_status,
            acknowledge=self._stream.acknowledge,
            on_stopped=self._stream.stop,
            label=self._label,
        )
        self._stream.prepare()
        self._sender_thread = spawn(f"sender{self._label}", self._send_all)
        _running.add(self)

    def _send_all(self) -> None:
        while batch := self._next_batch():
            self._sender.send(batch)

    def _next_batch(self) -> list[Submission]:
        """Wait for something to send; empty when there never will be."""
        with self._changed:
            self._sending = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._outbox or self._closed)
            batch = self._outbox.take(self._at_most())
            self._sending = bool(batch)
            return batch

    def _at_most(self) -> int | None:
        return _PLENTIFUL_TASKS if self._client._requests_are_plentiful() else None

    def _taken(self, task_group_id: str) -> None:
        if self.task_group_id is None:
            self.task_group_id = task_group_id
        self._stream.watch(task_group_id)

    def _future_ended(self) -> None:
        with self._changed:
            self._unfinished -= 1
            self._changed.notify_all()
        self._stop_when_done()

    def _stop_when_done(self) -> None:
        with self._changed:
            done = self._closed and not self._unfinished and self._sender_thread is not None
        if done:
            self._delivery.stop()


def _future_ended(engine: weakref.ref[Engine], _future: ComputeFuture) -> None:
    alive = engine()
    if alive is not None:
        alive._future_ended()


#: Engines whose threads have started; an engine that nobody holds any more leaves by itself.
_running: weakref.WeakSet[Engine] = weakref.WeakSet()


@atexit.register
def _flush_all() -> None:
    for engine in list(_running):
        engine.flush(_EXIT_TIMEOUT_S)
