"""What runs behind one :class:`gcompute.Executor`, from its first submission to its last result.

::

    submit()          sender's thread            the service
    caller's thread   ---------------                |
        |  outgoing -> register, submit -- HTTP ---->|
        |                  |
        |           results of the client: task id -> future     (gcompute.executor.results)
        |                                      |
     future <----------------------------------+

The engine starts what is needed with the first submission, and counts the futures that have not
ended. It lives until it was closed *and* every future has ended, whether or not its Executor
still exists: the source of its results keeps it alive. The end has three steps:

* :meth:`Engine.close` refuses what comes later, and returns at once.
* When the last future has ended, the source of the results is released, in whatever thread that
  happens.
* :meth:`Engine.wait` returns when both are done.

What the interpreter's exit and Ctrl-C do is in :mod:`gcompute.executor.leaving`. In a process that
is forked from one in which it was in use it is closed: its threads are not there.

Its lock guards the count and the flags, and is never held during I/O, callbacks or while a future
ends.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import threading
import time
import weakref
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from gcompute.executor import leaving
from gcompute.executor.callbacks import running_callbacks, waits_for_itself
from gcompute.executor.future import ComputeFuture
from gcompute.executor.outbox import Destination, Submission
from gcompute.executor.outgoing import Outgoing
from gcompute.executor.pending import AwaitedTask
from gcompute.executor.results import (
    ResultSource,
    ResultThreads,
    Transport,
    shared_by_executors,
)
from gcompute.executor.sender import Sender
from gcompute.forking import tell_of_forks
from gcompute.serialize import ComputeSerializer
from gcompute.threads import join, spawn, wait_until

if TYPE_CHECKING:
    from gcompute.client import Client

log = logging.getLogger(__name__)

#: Futures that are looked at one by one.
_FEW = 256


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
        #: The port of the result queues; ``None`` for the service's choice. Read at the start.
        self.amqp_port: int | None = None
        #: Guards what follows, up to the blank line. Entered as it is and not as the condition's:
        #: a Ctrl-C in there would leave it locked.
        self._lock = threading.RLock()
        #: Notified when the last future has ended, and when the source was released.
        self._changed = threading.Condition(self._lock)
        self._closed = False
        #: Why submissions are refused, once they are.
        self.closed_because = "the executor is shut down"
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

        #: What waits to be sent.
        self.outgoing = Outgoing(client._requests_left)
        self._on_future_end = partial(_future_ended, weakref.ref(self))
        tell_of_forks(self)

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
            self.outgoing.add(submission)
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
        for future in running:
            future.add_done_callback(self._on_future_end)
        with self._lock:
            source = self._expect()
            self._unfinished.update(running)
        try:
            futures = source.reload(group, tasks)
            self._forget(set(running).difference(futures))
            finished = source.ask(group, [task_id for task_id, _ in tasks])
            if not self._in_own_thread():
                concurrent.futures.wait(finished)
        except BaseException:  # a Ctrl-C: nobody has these futures
            self._forget(running)
            raise
        return futures

    def close(self, *, cancel: bool = False) -> None:
        """Refuse submissions from now on, and end the threads when every future has ended.

        Args:
            cancel: cancel what was not sent yet.
        """
        with self._lock:
            self._closed = True
            cancelled = self.outgoing.close(cancel=cancel)
        futures = [submission.future for submission in cancelled]
        try:
            _cancel(futures)
        finally:  # none tells of its end where a Ctrl-C came before its callbacks
            self._forget(futures)

    def wait(self) -> None:
        """Wait, after :meth:`close`, until every future and its callbacks have ended.

        The threads have ended then as well, those of the results when nobody else uses them.

        In a future's callback this returns at once: what it would wait for comes after it. After
        a Ctrl-C the interpreter's exit does not wait, either.
        """
        if self._sender_thread is None or self._in_own_thread():
            return
        if waits_for_itself(list(self._unfinished)):  # a callback of one that is cancelled
            return
        with leaving.left_by_ctrl_c(self):
            with self._lock:
                wait_until(self._changed, lambda: not self._unfinished and self._released)
                ending, source = self._ending, self._source
            join(self._sender_thread)
            if ending is not None:
                ending.join()
            elif source is not None:
                source.wait_for_callbacks()

    # What leaving needs.

    def wait_for_futures(self, timeout_s: float | None = None) -> bool:
        """Wait until every future has ended; tell whether all have."""
        with self._lock:
            return wait_until(self._changed, lambda: not self._unfinished, timeout_s)

    def wait_for_callbacks(self) -> None:
        """Wait, after :meth:`close`, until those that run in the sender's thread have ended."""
        join(self._sender_thread)

    def unfinished(self) -> int:
        """Count the futures that have not ended."""
        return len(self._unfinished)

    def tell_groups(self) -> list[str]:
        """Give the task groups of its tasks, the oldest first, which the user is told."""
        groups = list(self._task_groups)
        for group in groups:
            self._share.groups(self._transport).told(group)
        return groups

    def abandon(self) -> None:
        """Be usable in a forked process where it was not in use; else be closed there.

        The threads and all futures are the parent's, and whoever held a lock is not there.
        """
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        batch_size, self.outgoing = self.outgoing.batch_size, Outgoing(self._client._requests_left)
        self.outgoing.batch_size = batch_size
        leaving.let_exit(self)
        if self._unfinished or self._source is not None:
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
            pause=self.outgoing.pause,
            on_sent=self._count_submitted,
        )
        try:
            self._sender_thread = spawn(f"sender{self._label}", partial(self._send_all, sender))
        except RuntimeError:  # the system has no more threads
            source.release(self)
            raise
        leaving.wait_at_exit(self)
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
            while batch := self.outgoing.next_batch(self._under_way):
                sender.send(batch)
                del batch  # its futures, and their results, are the user's alone while this waits

    def _under_way(self, waiting: int) -> int:
        """Count the tasks that were sent and have not ended, where so many wait to be sent."""
        if len(self._unfinished) > _FEW:
            return len(self._unfinished) - waiting
        # It matters whether it is none: one may just have ended, or have been cancelled.
        return sum(future.running() for future in list(self._unfinished))

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

    def _forget(self, futures: Iterable[ComputeFuture]) -> None:
        """Wait for these no more, whether they have ended or not."""
        with self._lock:
            self._unfinished.difference_update(futures)
            self._changed.notify_all()
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
