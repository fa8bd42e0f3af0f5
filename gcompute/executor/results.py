"""Where the results of a client's tasks come from, for all of its executors.

::

    senders ---- tasks that were taken ----> pending: task group, task id -> future
                                                 |
    connection's thread --- deliveries ---> delivery's thread --- ends ---> futures
                                                 ^    |
    fetching's thread ----- answers ------------ +    +--> acknowledge, hold, release
         ^                                                 (connection's thread)
         +--- watched, consuming, interrupted

One AMQP connection with a consumer for each task group (:mod:`.stream`), one thread that ends
futures (:mod:`.delivery`), one that asks over HTTP for what the connection does not give
(:mod:`.fetching`). They start with the first executor that submits, and end when the last one
is closed and has all its results; another executor starts them again.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from gcompute.errors import ComputeError
from gcompute.executor.consuming import Delivery
from gcompute.executor.delivery import Result, ResultDelivery
from gcompute.executor.fetching import ResultFetching
from gcompute.executor.future import ComputeFuture
from gcompute.executor.groups import TaskGroups
from gcompute.executor.pending import AwaitedTask, PendingTasks
from gcompute.executor.stream import ResultStream
from gcompute.forking import no_fork, tell_of_forks
from gcompute.threads import wait_for

if TYPE_CHECKING:
    from gcompute.client import Client

#: How results come: over AMQP, by asking over HTTPS, or whichever works.
Transport = Literal["auto", "amqp", "https"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)

#: Seconds for which an access to the result queues that was refused is not asked for again.
_REFUSED_S = 300.0

#: Seconds in which a thread that is not in a request has ended.
_END_S = 6.0


class ResultThreads:
    """The threads of a source, from the first use to the last.

    Args:
        client: the service.
        pending: the awaited tasks.
        groups: the task groups of the client's executors.
        transport: how results come.
        port: the port of the result queues, where it is not the service's choice.
        awaits: tells whether a future is one of those that wait for these results.
        label: names the threads.
    """

    def __init__(
        self,
        client: Client,
        pending: PendingTasks[Result],
        groups: TaskGroups,
        *,
        transport: Transport,
        port: int | None,
        awaits: Callable[[Future[Any]], bool],
        label: str,
    ) -> None:
        self._groups = groups
        self._transport = transport
        #: From when on the stream is worth an attempt, on the monotonic clock.
        self._stream_from = float("-inf")
        self.stream = ResultStream(client.get_result_amqp_url, self, port=port, label=label)
        self.fetching: ResultFetching[Result] = ResultFetching(
            pending,
            batch_status=client._batch_status,
            plentiful=client._requests_are_plentiful,
            on_answer=lambda task_id, task, answer: self.delivery.answer(task_id, task, answer),
            on_refused=lambda error: self.delivery.give_up(error),
            streams=transport != "https",
            polls=transport != "amqp",
            label=label,
        )
        try:
            self.delivery = ResultDelivery(
                pending,
                broker=self.stream,
                service=self,
                awaits=awaits,
                on_stopped=self._stop_sources,
                label=label,
            )
            if transport != "https":
                self.stream.prepare()
        except RuntimeError:  # the system has no more threads
            self._stop_sources()
            raise

    def watch(self, group: str) -> None:
        """Expect results of a task group."""
        self.fetching.watched(group)
        if self._transport != "https" and time.monotonic() >= self._stream_from:
            self.stream.watch(group)

    def _stop_sources(self) -> None:
        self.stream.stop()
        self.fetching.stop()

    def in_delivery(self) -> bool:
        """Tell whether the caller is the thread that ends futures: a callback of a user."""
        return threading.current_thread() is self.delivery.thread

    def join(self) -> None:
        """Wait for the threads to end, after the delivery was stopped.

        One that waits for an answer of the service, which nobody needs any more, ends later.
        """
        self.delivery.join()
        self.stream.join(_END_S)
        self.fetching.join(_END_S)

    # What the delivery asks for.

    def fetch(self, group: str, task_id: str) -> None:
        """Ask for one task that has finished."""
        self.fetching.fetch(group, task_id)

    def reconcile(self, group: str) -> None:
        """Ask for all awaited tasks of a group."""
        self.fetching.reconcile(group)

    def shared(self, group: str) -> None:
        """Hear that others consume a group's queue too."""
        self._groups[group].ours_alone = False
        self.fetching.shared(group)

    # What the stream tells.

    def delivered(self, delivery: Delivery) -> None:
        """Take a message of a result queue."""
        self.delivery.deliver(delivery)

    def digest(self) -> None:
        """Deal with large messages, for a moment."""
        self.delivery.digest()

    def consuming(self, task_group_id: str) -> None:
        """Hear that a group's queue is consumed, now or again."""
        self.fetching.consuming(task_group_id)

    def interrupted(self, task_group_id: str, reason: str) -> None:
        """Hear that a group's queue is not consumed."""
        self.delivery.interrupted(task_group_id)
        self.fetching.interrupted(task_group_id, reason)

    def refused(self, error: ComputeError) -> None:
        """Hear that there is no access to the queues."""
        if self._transport == "amqp":
            self.delivery.give_up(error)
        else:
            self._stream_from = time.monotonic() + _REFUSED_S
            self.fetching.give_up_on_stream(error)


class ResultUser(Protocol):
    """Who uses a source; see :class:`gcompute.executor.engine.Engine`."""

    def awaits(self, future: Future[Any]) -> bool:
        """Tell whether a future is its own, and has not ended."""


class ResultSource:
    """Gets the results of a client's tasks. Safe to use from many threads.

    Args:
        client: the service.
        groups: the task groups of the client's executors.
        transport: how results come.
        port: the port of the result queues, where it is not the service's choice.
    """

    def __init__(
        self, client: Client, groups: TaskGroups, *, transport: Transport, port: int | None
    ) -> None:
        self._client = client
        self._groups = groups
        self._transport = transport
        self._port = port
        self._pending: PendingTasks[Result] = PendingTasks()
        #: Guards what follows; held while threads start, never while they run. An executor that
        #: is garbage is closed in whatever thread finds it, which may have the lock already.
        self._lock = threading.RLock()
        #: Who has submitted and not ended. They are kept alive by this: the user may have
        #: forgotten an executor whose futures he waits for.
        self._users: set[ResultUser] = set()
        self._threads: ResultThreads | None = None
        #: Those that were told to stop last, while they run.
        self._stopped: Callable[[], ResultThreads | None] = lambda: None
        tell_of_forks(self)

    def acquire(self, user: ResultUser, label: str) -> None:
        """Be used by one more; the first starts the threads, named after it."""
        with self._lock:
            self._users.add(user)  # from now on no other release ends the threads
            try:
                self._threads = self._threads or ResultThreads(
                    self._client,
                    self._pending,
                    self._groups,
                    transport=self._transport,
                    port=self._port,
                    awaits=self._awaits,
                    label=label,
                )
            except BaseException:
                self._users.discard(user)
                raise

    def release(self, user: ResultUser) -> ResultThreads | None:
        """Be used by one less; after the last the threads end, and are given to be joined."""
        with self._lock:
            self._users.discard(user)
            threads = self._threads
            if self._users or threads is None:
                return None
            threads.fetching.retire()  # before others can await anything
            self._threads, self._stopped = None, weakref.ref(threads)
            _ending.add(threads)
        threads.delivery.stop()
        return threads

    def wait_for_callbacks(self) -> None:
        """Wait until the callbacks of all futures that ended by now have returned."""
        with self._lock:
            threads, stopped = self._threads, self._stopped()
            passed = threads.delivery.passed() if threads is not None else None
        if passed is not None:
            wait_for(passed)
        if stopped is not None:
            stopped.delivery.join()

    def in_delivery(self) -> bool:
        """Tell whether the caller is the thread that ends futures: a callback of a user."""
        threads = self._threads
        return threads is not None and threads.in_delivery()

    def _awaits(self, future: Future[Any]) -> bool:
        return any(user.awaits(future) for user in list(self._users))

    def submit_starts(self) -> int:
        """Hear that a submit is under way: its results may come before its answer; number it."""
        return self._pending.submit_starts()

    def submit_ends(self, number: int, group: str, taken: list[tuple[str, AwaitedTask]]) -> None:
        """Hear which tasks it made; none where it failed."""
        ready, strangers = self._pending.submit_ends(number, group, taken)
        threads = self._threads
        if threads is None:
            return
        if taken:
            # Only now: should the results be unavailable, these futures must hear of it.
            threads.watch(group)
        for task, result in ready:
            threads.delivery.complete(task, result)
        if strangers:
            threads.delivery.estrange(strangers)

    def reload(self, group: str, tasks: list[tuple[str, AwaitedTask]]) -> list[ComputeFuture]:
        """Await tasks that were submitted elsewhere or before.

        Returns:
            Their futures; of a task that is awaited already, the one that it has.
        """
        futures = self._pending.add(group, tasks)
        threads = self._threads
        if threads is not None:
            threads.watch(group)
        return futures

    def ask(self, group: str, task_ids: list[str]) -> list[ComputeFuture]:
        """Ask for tasks now, in the caller's thread.

        Returns:
            The futures of those that have finished, which end soon.
        """
        threads = self._threads
        return [] if threads is None else threads.fetching.ask(group, task_ids)

    def abandon(self) -> None:
        """Be unused in a forked process: the threads, and all futures, are the parent's."""
        self._lock = threading.RLock()
        self._pending = PendingTasks()
        self._users = set()
        self._threads = None
        self._stopped = lambda: None


class ExecutorsShare:
    """What the executors of one client share."""

    def __init__(self, client: Client) -> None:
        self._client = weakref.ref(client)
        self._lock = threading.Lock()
        #: Executors that get their results in different ways share no group by themselves: one
        #: would take the results of another off the group's queue.
        self._groups: dict[Transport, TaskGroups] = {way: TaskGroups() for way in TRANSPORTS}
        self._sources: dict[tuple[Transport, int | None], ResultSource] = {}
        tell_of_forks(self)

    def abandon(self) -> None:
        """Be usable in a forked process: whoever held the lock is not there."""
        self._lock = threading.Lock()

    def groups(self, transport: Transport) -> TaskGroups:
        """Give the task groups of the executors that get their results in one way."""
        return self._groups[transport]

    def source(self, transport: Transport, port: int | None) -> ResultSource:
        """Give the source of results for a way to get them."""
        client = self._client()
        assert client is not None  # who asks has it
        with self._lock:
            if (transport, port) not in self._sources:
                self._sources[transport, port] = ResultSource(
                    client, self._groups[transport], transport=transport, port=port
                )
            return self._sources[transport, port]


def shared_by_executors(client: Client) -> ExecutorsShare:
    """Give what the executors of a client share; made at the first call."""
    with no_fork:  # a lock of its own would stay locked in a process that is forked meanwhile
        if client._executors_share is None:
            client._executors_share = ExecutorsShare(client)
        share: ExecutorsShare = client._executors_share
        return share


#: Threads that were told to stop, for as long as they run.
_ending: weakref.WeakSet[ResultThreads] = weakref.WeakSet()


def wait_for_last_callbacks() -> None:
    """Wait for all that was told to stop: the callbacks of its last futures may still run."""
    for threads in list(_ending):
        threads.delivery.join()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ending.clear)
