"""From messages to futures.

One thread takes what has arrived off an inbox, in order, and for each: reads the message, finds
its task, loads the result, ends the future (which runs the user's callbacks), and acknowledges,
several at once where several wait. A slow callback delays results behind it, but never the
connection. Large results that come meanwhile are left with the broker, and given back to it
when there is room, so that it sends them again. Whatever a message contains, the next one is
handled; what was handled is acknowledged before the thread ends.

A result whose task nobody here waits for is held until the submits that are under way have
their answers, and then given back for others who consume the queue (see
:mod:`gcompute.executor.strangers`). What a message cannot give is asked for over HTTP: a high
assurance result, and all of a group when one of its messages cannot be read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from gcompute import messages
from gcompute.errors import (
    ComputeError,
    DeserializationError,
    MalformedMessage,
    ResultsUnavailable,
    TaskExecutionFailed,
)
from gcompute.executor.callbacks import running_callbacks
from gcompute.executor.consuming import Delivery, Token
from gcompute.executor.future import settle
from gcompute.executor.inbox import Inbox
from gcompute.executor.pending import AwaitedTask, PendingTasks, Unmatched
from gcompute.executor.strangers import Strangers
from gcompute.executor.traces import without_values
from gcompute.outcomes import of_task, task_state
from gcompute.threads import join, spawn

log = logging.getLogger(__name__)

#: Deliveries handled before they are acknowledged, when more are waiting.
_ACKNOWLEDGE_EVERY = 64


class Result:
    """A result on its way to its future: read from a message, not loaded yet."""

    __slots__ = ("completed_at", "high_assurance", "message", "token")

    def __init__(self, message: messages.ResultMessage, delivery: Delivery) -> None:
        self.message = message
        self.completed_at = delivery.completed_at
        self.high_assurance = delivery.high_assurance
        self.token = delivery.token


class Broker(Protocol):
    """Who is told what became of deliveries: :class:`gcompute.executor.stream.ResultStream`."""

    def acknowledge(self, tokens: list[Token]) -> None:
        """Acknowledge deliveries."""

    def hold(self, token: Token) -> None:
        """Leave a delivery unacknowledged."""

    def release(self, token: Token, after_s: float) -> None:
        """Give it back after some seconds."""


class Service(Protocol):
    """What is asked over HTTP; see :class:`gcompute.executor.fetching.ResultFetching`."""

    def fetch(self, group: str, task_id: str) -> None:
        """Ask for one task that has finished."""

    def reconcile(self, group: str) -> None:
        """Ask for all awaited tasks of a group."""

    def shared(self, group: str) -> None:
        """Hear that others consume a group's queue too."""


class ResultDelivery:
    """Ends futures as results arrive. Its methods may be called from any thread.

    Args:
        pending: the awaited tasks.
        broker: is told what became of deliveries.
        service: is asked for what messages do not give.
        awaits: tells whether a future that has not ended is one that results may end.
        on_stopped: is called last, when everything handed in is done and acknowledged.
        label: names the thread.
    """

    def __init__(
        self,
        pending: PendingTasks[Result],
        *,
        broker: Broker,
        service: Service,
        awaits: Callable[[Future[Any]], bool],
        on_stopped: Callable[[], None],
        label: str = "",
    ) -> None:
        self._pending = pending
        self._broker = broker
        self._service = service
        self._awaits = awaits
        self._on_stopped = on_stopped
        self._inbox: Inbox[Callable[[], None] | Delivery, Token] = Inbox()
        self._strangers = Strangers()
        #: Deliveries that were handled and not acknowledged yet.
        self._handled: list[Token] = []
        self.thread = spawn(f"delivery{label}", self._run)

    def deliver(self, delivery: Delivery) -> None:
        """Hand in a message; returns at once, or soon where large ones wait.

        Call it on the connection's thread: one that finds no room is held there.
        """
        if not self._inbox.offer(delivery, len(delivery.body), delivery.token):
            self._broker.hold(delivery.token)

    def digest(self) -> None:
        """Wait for a moment until large messages are dealt with: then more take less memory."""
        self._inbox.digest()

    def interrupted(self, group: str) -> None:
        """Hear that a group's queue is not consumed: what was held goes back by itself."""
        self._inbox.forget(lambda token: token.consumer.group == group)

    def complete(self, task: AwaitedTask, result: Result) -> None:
        """Hand in a held result whose task is known now; returns at once."""
        self._inbox.put(lambda: self._complete(task, result))

    def estrange(self, results: list[Result]) -> None:
        """Hand in held results whose tasks never became known; returns at once."""
        self._inbox.put(lambda: self._give_back_all(results))

    def answer(self, task_id: str, task: AwaitedTask, answer: dict[str, Any]) -> None:
        """Hand in what the service says of a finished task; waits where large results do."""
        self._inbox.put(
            lambda: self._end_as_told(task_id, task, answer),
            len(answer.get("result") or ""),
            wait=threading.current_thread() is not self.thread,
        )

    def give_up(self, cause: ComputeError) -> None:
        """Fail all futures that wait for a result, since none can come; returns at once."""
        self._inbox.put(lambda: self._fail_pending(cause))

    def passed(self) -> threading.Event:
        """Give an event that is set once everything handed in by now is done."""
        event = threading.Event()
        self._inbox.put(event.set)
        return event

    def stop(self) -> None:
        """End the thread once everything handed in is done."""
        self._inbox.put(None)

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the thread to end, after :meth:`stop`."""
        join(self.thread, timeout_s)

    # From here on everything runs on the delivery's thread.

    def _run(self) -> None:
        with running_callbacks(self._awaits):
            self._deliver_all()
        self._on_stopped()

    def _deliver_all(self) -> None:
        while True:
            item, size = self._inbox.get()
            if item is None:
                break
            result = None
            try:
                if isinstance(item, Delivery):
                    result = self._read(item)
                    item = None  # a large body is gone before its value is loaded
                    if result is not None:
                        self._handle(result)
                else:
                    item()
            except Exception:  # a defect of ours must not stop the results behind it
                log.exception("a result could not be delivered")
            item = result = None  # its memory is the user's now, or nobody's
            for token in self._inbox.done(size):
                self._broker.release(token, 0.0)
            if len(self._handled) >= _ACKNOWLEDGE_EVERY or self._inbox.empty():
                self._acknowledge()
        self._acknowledge()
        self._inbox.close()

    def _acknowledge(self) -> None:
        if self._handled:
            self._broker.acknowledge(self._handled)
            self._handled = []

    def _read(self, delivery: Delivery) -> Result | None:
        """Read a message; one that holds no result is done with."""
        try:
            message = messages.decode(delivery.take_body())
        except MalformedMessage as error:
            log.warning("dropped a message of the queue of group %s: %s", delivery.group, error)
            self._handled.append(delivery.token)
            self._service.reconcile(delivery.group)  # it may have been a result that is awaited
            return None
        if not isinstance(message, messages.ResultMessage):
            log.warning("dropped a message of a result queue: a %s", message.message_type)
            self._handled.append(delivery.token)
            return None
        return Result(message, delivery)

    def _handle(self, result: Result) -> None:
        task = self._pending.match(result.token.consumer.group, result.message.task_id, result)
        if isinstance(task, AwaitedTask):
            self._complete(task, result)
        elif task is Unmatched.ENDED:
            self._handled.append(result.token)
        elif task is Unmatched.EARLY:
            self._broker.hold(result.token)
        elif isinstance(task, Result):  # an earlier copy
            self._broker.hold(result.token)
            self._handled.append(task.token)
        else:
            self._broker.hold(result.token)
            self._give_back(result)

    def _complete(self, task: AwaitedTask, result: Result) -> None:
        self._handled.append(result.token)
        if result.high_assurance:
            group, task_id = result.token.consumer.group, result.message.task_id
            self._pending.put_back(group, task_id, task)
            self._service.fetch(group, task_id)
        else:
            self._end(task, result)

    def _give_back_all(self, results: list[Result]) -> None:
        for result in results:
            self._give_back(result)

    def _give_back(self, result: Result) -> None:
        group, task_id = result.token.consumer.group, result.message.task_id
        hold_s = self._strangers.hold_s(task_id)
        if hold_s is None:
            log.info("nobody takes the result of task %s off its queue; it is dropped", task_id)
            self._handled.append(result.token)
        else:
            self._service.shared(group)
            self._broker.release(result.token, hold_s)

    def _end(self, task: AwaitedTask, result: Result) -> None:
        message = result.message
        try:
            if message.error_details is not None:
                settle(task.future, error=_failure(task, result))
            else:
                settle(task.future, _load(task, message))
        except BaseException as error:  # loading a result runs code of its sender
            without_values(error)
            settle(task.future, error=error)

    def _end_as_told(self, task_id: str, task: AwaitedTask, answer: dict[str, Any]) -> None:
        try:
            state = task_state(task_id, answer, task.serializer)
        except BaseException as error:  # as above
            without_values(error)
            settle(task.future, error=error)
            return
        failure = state.get("exception")
        if failure is not None:
            without_values(failure)
        settle(task.future, state.get("result"), failure)

    def _fail_pending(self, cause: ComputeError) -> None:
        for task in self._pending.clear():
            error = ResultsUnavailable(
                f"the results of task {task.future.task_id} cannot be had: {cause}; the task "
                "itself may go on, Client.get_result asks for it"
            )
            error.__cause__ = cause
            settle(task.future, error=error)


def _load(task: AwaitedTask, message: messages.ResultMessage) -> Any:
    try:
        return task.serializer.deserialize(message.data)
    except DeserializationError as error:
        raise of_task(message.task_id, error) from error.__cause__


def _failure(task: AwaitedTask, result: Result) -> TaskExecutionFailed:
    message = result.message
    assert message.error_details is not None
    return TaskExecutionFailed(
        message.data,
        None if result.completed_at is None else str(result.completed_at),
        message.details,
        task_id=message.task_id,
        endpoint_id=(message.details or {}).get("endpoint_id") or task.endpoint_id or None,
        error_code=message.error_details.code or None,
    )
