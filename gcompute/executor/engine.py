"""What runs behind one :class:`gcompute.Executor`: an outbox, a thread that sends, a count.

::

    submit()          sender's thread            the service
    caller's thread   ---------------                |
        |  outbox ->  register, submit  ---- HTTP -->|
        |                  |
        |           results of the client: task id -> future     (gcompute.executor.results)
        |                                      |
     future <----------------------------------+

The engine owns the outbox and the sender's thread; its lock guards the outbox and the counters,
and is never held during I/O, callbacks or while a future ends. The thread waits for an event,
and for a timer only where requests are scarce (:mod:`gcompute.executor.pacing`) or one that
failed is repeated.

It lives from the first submission until it was closed *and* every future has ended, whether or
not its Executor still exists: the source of its results keeps it alive. At interpreter exit
everything is still sent and waited for, as the standard library's executors do. In a process
that is forked from one in which it was running it is closed: its threads are not there.
"""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import logging
import os
import threading
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from gcompute.executor.callbacks import running_callbacks, waits_for_itself
from gcompute.executor.future import ComputeFuture
from gcompute.executor.outbox import Destination, Outbox, Submission
from gcompute.executor.pacing import Pace
from gcompute.executor.pending import AwaitedTask
from gcompute.executor.results import (
    ResultSource,
    ResultThreads,
    Transport,
    shared_by_executors,
)
from gcompute.executor.sender import Sender
from gcompute.serialize import ComputeSerializer
from gcompute.threads import join, spawn, wait_until

if TYPE_CHECKING:
    from gcompute.client import Client

log = logging.getLogger(__name__)

#: Bytes of payload in a request, well under what the service accepts.
_BATCH_BYTES = 5_000_000

#: Futures that are looked at one by one.
_FEW = 256

#: Seconds after which the interpreter's exit says what it waits for.
_EXIT_SILENCE_S = 5.0


class Engine:
    """Sends submissions and sees their futures end. Safe to use from many threads.

    Args:
        client: the service.
        transport: how results come.
        label: names the threads.
    """

    def __init__(
        self,
        client: Client,
        *,
        transport: Transport,
        label: str = "",
    ) -> None:
        self._client = client
        self._share = shared_by_executors(client)
        self._transport: Transport = transport
        self._label = f"-{label}" if label else ""
        #: Tasks in a request, at most; ``None`` for a fair share of what waits.
        self.batch_size: int | None = None
        #: The port of the result queues; ``None`` for the service's choice. Read at the start.
        self.amqp_port: int | None = None
        #: Guards what follows, up to the blank line. Entered as it is and not as the condition's:
        #: a Ctrl-C in there would leave it locked.
        self._lock = threading.RLock()
        #: Notified when any of it changes.
        self._changed = threading.Condition(self._lock)
        self._outbox = Outbox(max_bytes=_BATCH_BYTES)
        self._pace = Pace()
        self._closed = False
        #: Why submissions are refused, once they are.
        self.closed_because = "the executor is shut down"
        #: Whether what was not sent is not to be sent.
        self._cancelled = False
        #: Futures that have not ended.
        self._unfinished: set[ComputeFuture] = set()
        #: Task groups with tasks of this executor, by id, the oldest first.
        self._task_groups: dict[str, None] = {}
        #: Tasks that the service took.
        self.submitted = 0
        self._sender_thread: threading.Thread | None = None
        #: Where the results come from; set with the thread.
        self._source: ResultSource | None = None
        #: The results' threads, once they are about to end.
        self._ending: ResultThreads | None = None
        self._released = False

        self._on_future_end = partial(_future_ended, weakref.ref(self))

    @property
    def closed(self) -> bool:
        """Whether submissions are refused."""
        return self._closed

    @property
    def started(self) -> bool:
        """Whether anything was ever submitted."""
        return self._sender_thread is not None

    def submit(self, submission: Submission) -> None:
        """Take a submission in; returns at once.

        Raises:
            RuntimeError: the engine is closed, or the system has no more threads.
        """
        # Before it is in the outbox, as the sender may end it from then on. At each moment a
        # Ctrl-C may break this off: what nobody will end must not be counted.
        submission.future.add_done_callback(self._on_future_end)
        with self._lock:
            self._expect()
            if not self._outbox:
                self._changed.notify_all()
            self._outbox.add(submission)
            self._unfinished.add(submission.future)

    def reload(
        self,
        group: str,
        running: list[ComputeFuture],
        serializer: ComputeSerializer,
        endpoint_id: str,
    ) -> list[ComputeFuture]:
        """Await tasks that exist already; returns when those that have finished have ended.

        Args:
            group: their task group.
            running: a future a task.
            serializer: loads their results.
            endpoint_id: where they run; empty where that is not known.

        Returns:
            Their futures: of a task that is awaited already, the one that it has.

        Raises:
            RuntimeError: as for :meth:`submit`.
        """
        if not running:
            return []
        now = time.monotonic()
        tasks = [
            (
                str(future.task_id),
                AwaitedTask(future, serializer, asked_at=now, endpoint_id=endpoint_id),
            )
            for future in running
        ]
        with self._lock:
            source = self._expect()
            self._unfinished.update(running)
        futures = source.reload(group, tasks)
        for (_, task), future in zip(tasks, futures, strict=True):
            if future is task.future:
                future.add_done_callback(self._on_future_end)
            else:
                self._future_ended(task.future)
        finished = source.ask(group, [task_id for task_id, _ in tasks])
        if not self._in_own_thread():
            concurrent.futures.wait(finished)
        return futures

    def close(self, *, cancel: bool = False) -> None:
        """Refuse submissions from now on, and end the threads when every future has ended.

        Args:
            cancel: cancel what was not sent yet.
        """
        with self._lock:
            self._closed = True
            self._cancelled = self._cancelled or cancel
            cancelled = self._outbox.clear() if cancel else []
            self._changed.notify_all()
        futures = [submission.future for submission in cancelled]
        try:
            _cancel(futures)
        finally:
            with self._lock:  # none tells of its end where a Ctrl-C came before its callbacks
                self._unfinished.difference_update(futures)
                self._changed.notify_all()
            self._release_when_done()

    def wait(self) -> None:
        """Wait, after :meth:`close`, until every future and its callbacks have ended.

        The threads have ended then as well, those of the results when nobody else uses them.

        In a future's callback this returns at once: what it would wait for comes after it.
        """
        if self._sender_thread is None or self._in_own_thread():
            return
        if waits_for_itself(list(self._unfinished)):  # a callback of one that is cancelled
            return
        with self._lock:
            wait_until(self._changed, lambda: not self._unfinished and self._released)
            ending, source = self._ending, self._source
        join(self._sender_thread)
        if ending is not None:
            ending.join()
        elif source is not None:
            source.wait_for_callbacks()

    def finish(self) -> None:
        """Send everything and wait until every future has ended; at the interpreter's exit."""
        self.close()
        with self._lock:
            if not self._changed.wait_for(lambda: not self._unfinished, _EXIT_SILENCE_S):
                log.warning("%s", self._farewell())
            wait_until(self._changed, lambda: not self._unfinished)
        join(self._sender_thread)  # callbacks may still run here, or in the delivery's thread

    def _farewell(self) -> str:
        """Say what the interpreter's exit waits for, and how to do without; with the lock held."""
        count = len(self._unfinished)
        text = (
            f"waiting for {count} task{'s' * (count != 1)} before the interpreter exits; Ctrl-C "
            "leaves at once"
        )
        for group in self._task_groups:
            self._share.groups(self._transport).told(group)
        found = ", ".join(f"Executor.reload_tasks({group!r})" for group in self._task_groups)
        return f"{text}, and {found} finds the tasks again" if found else text

    def let_exit(self) -> None:
        """Have the interpreter's exit not wait for what is left: nobody needs it any more."""
        _running.discard(self)

    def abandon(self) -> None:
        """Be closed in a forked process: the threads, and all futures, are the parent's."""
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._outbox = Outbox(max_bytes=_BATCH_BYTES)
        self._closed = True
        self.closed_because = (
            "the executor was in use when this process was forked from another: make one here"
        )
        self._unfinished = set()
        self._sender_thread = None
        self._source = None

    def _expect(self) -> ResultSource:
        """Get ready for futures that are to end: start the threads; with the lock held."""
        if self._closed:
            raise RuntimeError(f"{self.closed_because}: no new tasks can be submitted")
        if self._source is None:
            self._source = self._start()
        return self._source

    def _start(self) -> ResultSource:
        source = self._share.source(self._transport, self.amqp_port)
        source.acquire(self, self._label)
        sender = Sender(
            self._client,
            source,
            self._share.groups(self._transport),
            pause=self._pause,
            on_sent=self._count_submitted,
        )
        try:
            self._sender_thread = spawn(f"sender{self._label}", partial(self._send_all, sender))
        except RuntimeError:  # the system has no more threads
            source.release(self)
            raise
        _running.add(self)
        return source

    def _in_own_thread(self) -> bool:
        """Tell whether the caller is a callback: what it might wait for comes after it."""
        return (
            threading.current_thread() is self._sender_thread
            or (self._source is not None and self._source.in_delivery())
            or (self._ending is not None and self._ending.in_delivery())
        )

    def awaits(self, future: concurrent.futures.Future[Any]) -> bool:
        """Tell whether a future is one of these, and has not ended."""
        return future in self._unfinished

    def _only_sender_ends(self, future: concurrent.futures.Future[Any]) -> bool:
        return self.awaits(future) and getattr(future, "task_id", None) is None

    def _send_all(self, sender: Sender) -> None:
        with running_callbacks(self._only_sender_ends):
            while batch := self._next_batch():
                sender.send(batch)
                del batch  # its futures, and their results, are the user's alone while this waits

    def _next_batch(self) -> list[Submission]:
        """Wait for something to send; empty when there never will be."""
        with self._lock:
            if not self._outbox:
                self._pace.nothing_waits()
            self._changed.wait_for(lambda: self._outbox or self._closed)
            self._gather()
            share = self._pace.share(len(self._outbox), self._client._requests_left())
            batch = self._outbox.take(self.batch_size or share)
            self._pace.went(len(batch), time.monotonic())
            return batch

    def _gather(self) -> None:
        """Wait for more tasks where requests are scarce; with the lock held."""
        before = None
        while not self._closed:
            waiting = len(self._outbox)
            if self.batch_size and waiting >= self.batch_size:
                return
            pause_s = self._pace.pause_s(
                waiting,
                before=before,
                under_way=self._under_way(waiting),
                left=self._client._requests_left(),
                now=time.monotonic(),
            )
            if not pause_s:
                return
            before = waiting
            self._changed.wait(min(pause_s, threading.TIMEOUT_MAX))

    def _under_way(self, waiting: int) -> int:
        """Count the tasks that were sent and have not ended; with the lock held."""
        if len(self._unfinished) > _FEW:
            return len(self._unfinished) - waiting
        # It matters whether it is none: one may just have ended, or have been cancelled.
        return sum(future.running() for future in self._unfinished)

    def _pause(self, seconds: float) -> bool:
        """Wait before a request is repeated; say whether it still should be."""
        with self._lock:
            return not self._changed.wait_for(lambda: self._cancelled, seconds)

    def _count_submitted(self, destination: Destination, count: int) -> None:
        with self._lock:
            self.submitted += count
            if destination.group.id is not None:
                self._task_groups[destination.group.id] = None
        try:
            self._client._warn_if_offline(destination.endpoint_id)
        except Warning as warning:  # where warnings are errors; the tasks are on their way
            log.warning("%s", warning)

    def _future_ended(self, future: ComputeFuture) -> None:
        with self._lock:
            self._unfinished.discard(future)
            if not self._unfinished:
                self._changed.notify_all()
        if self._closed:
            self._release_when_done()

    def _release_when_done(self) -> None:
        with self._lock:
            done = self._closed and not self._unfinished and self._sender_thread is not None
            if not done or self._released or self._source is None:
                return
            self._released = True
            self._ending = self._source.release(self)
            self._changed.notify_all()


def _cancel(futures: list[ComputeFuture]) -> None:
    """Cancel all of them; what is to end this thread meanwhile is raised after that.

    That is a Ctrl-C, or what a callback raises.
    """
    left = futures[::-1]
    leaving: BaseException | None = None
    while left:
        try:
            with running_callbacks(set(left).__contains__):
                while left:
                    if left[-1].cancel():
                        with contextlib.suppress(RuntimeError):  # a Ctrl-C came just after this
                            left[-1].set_running_or_notify_cancel()
                    left.pop()
        except BaseException as error:
            leaving = leaving or error
    if leaving is not None:
        raise leaving


def _future_ended(engine: weakref.ref[Engine], future: ComputeFuture) -> None:
    alive = engine()
    if alive is not None:
        alive._future_ended(future)


#: Engines whose threads have started; an engine that nobody holds any more leaves by itself.
_running: weakref.WeakSet[Engine] = weakref.WeakSet()


@atexit.register
def _finish_all() -> None:
    for engine in list(_running):
        engine.finish()


def _abandon_all() -> None:
    for engine in list(_running):
        engine.abandon()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
