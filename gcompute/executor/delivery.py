"""From messages to futures.

One thread takes deliveries off a queue, in order, and for each: reads the message, finds its
future, loads the result, ends the future (which runs the user's callbacks), and acknowledges,
several at once where several wait. A slow callback delays results behind it, but never the
connection. Whatever a message contains, the next one is handled; what was handled is
acknowledged before the thread ends.

After a reconnection, and after a message that cannot be read, it asks the service for the state
of every task that is still waited for, since a result may have been lost.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from typing import Any

from gcompute import messages
from gcompute.errors import (
    ComputeError,
    DeserializationError,
    MalformedMessage,
    ResultsUnavailable,
    TaskExecutionFailed,
)
from gcompute.executor.future import ComputeFuture, settle
from gcompute.executor.pending import PendingTasks
from gcompute.executor.stream import Delivery
from gcompute.outcomes import of_task, task_state
from gcompute.serialize import ComputeSerializer
from gcompute.threads import join, spawn

log = logging.getLogger(__name__)

#: Deliveries handled before they are acknowledged, when more are waiting.
_ACKNOWLEDGE_EVERY = 64

#: Tasks asked for in one request.
_STATUS_CHUNK = 500

#: Gives the service's view of tasks, by task id.
BatchStatus = Callable[[list[str]], dict[str, dict[str, Any]]]


class Result:
    """A result on its way to its future: read from a message, not loaded yet."""

    __slots__ = ("completed_at", "high_assurance", "message")

    def __init__(
        self, message: messages.ResultMessage, *, completed_at: int | None, high_assurance: bool
    ) -> None:
        self.message = message
        self.completed_at = completed_at
        self.high_assurance = high_assurance


class ResultDelivery:
    """Ends futures as results arrive. Its methods may be called from any thread.

    Args:
        pending: the futures.
        serializer: loads results.
        batch_status: asks the service for tasks' states.
        acknowledge: is given the token of the last of the deliveries that were handled.
        on_stopped: is called last, when everything handed in is done and acknowledged.
        label: names the thread.
    """

    def __init__(
        self,
        pending: PendingTasks[Result],
        serializer: ComputeSerializer,
        *,
        batch_status: BatchStatus,
        acknowledge: Callable[[tuple[int, int]], None],
        on_stopped: Callable[[], None],
        label: str = "",
    ) -> None:
        self._pending = pending
        self._serializer = serializer
        self._batch_status = batch_status
        self._acknowledge = acknowledge
        self._on_stopped = on_stopped
        self._inbox: queue.SimpleQueue[Callable[[], None] | Delivery | None] = queue.SimpleQueue()
        #: Whether a reconciliation waits in the inbox: one is enough.
        self._reconcile_queued = False
        self.thread = spawn(f"delivery{label}", self._run)

    def deliver(self, delivery: Delivery) -> None:
        """Hand in a message; returns at once."""
        self._inbox.put(delivery)

    def complete(self, future: ComputeFuture, result: Result) -> None:
        """Hand in a result whose future is known; returns at once."""
        self._inbox.put(lambda: self._end(future, result))

    def reconcile(self) -> None:
        """Ask for all tasks that are waited for, soon and once; returns at once."""
        if not self._reconcile_queued:
            self._reconcile_queued = True
            self._inbox.put(self._reconcile)

    def give_up(self, cause: ComputeError) -> None:
        """Fail all futures that wait for a result, since none can come; returns at once."""
        self._inbox.put(lambda: self._fail_pending(cause))

    def stop(self) -> None:
        """End the thread once everything handed in is done."""
        self._inbox.put(None)

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the thread to end, after :meth:`stop`."""
        join(self.thread, timeout_s)

    # From here on everything runs on the delivery's thread.

    def _run(self) -> None:
        handled: list[tuple[int, int]] = []  # tokens that are not acknowledged yet
        while (item := self._inbox.get()) is not None:
            try:
                if isinstance(item, Delivery):
                    handled.append(item.token)
                    self._handle(item)
                else:
                    item()
            except Exception:  # a defect of ours must not stop the results behind it
                log.exception("a result could not be delivered")
            if handled and (len(handled) >= _ACKNOWLEDGE_EVERY or self._inbox.empty()):
                self._acknowledge(handled[-1])
                handled.clear()
        if handled:
            self._acknowledge(handled[-1])
        self._on_stopped()

    def _handle(self, delivery: Delivery) -> None:
        try:
            message = messages.decode(delivery.body)
        except MalformedMessage as error:
            log.warning("dropped a message of a result queue: %s", error)
            self.reconcile()  # it may have been the result of a task that is waited for
            return
        if not isinstance(message, messages.ResultMessage):
            log.warning("dropped a message of a result queue: a %s", message.message_type)
            return
        result = Result(
            message,
            completed_at=delivery.completed_at,
            high_assurance=delivery.high_assurance,
        )
        future = self._pending.match(message.task_id, result)
        if future is not None:
            self._end(future, result)

    def _end(self, future: ComputeFuture, result: Result) -> None:
        task_id = result.message.task_id
        try:
            if result.high_assurance:
                self._end_from_service(task_id, future)
            elif result.message.error_details is not None:
                settle(future, error=_failure(result))
            else:
                settle(future, self._load(task_id, result.message.data))
        except BaseException as error:  # loading a result runs code of its sender
            settle(future, error=error)

    def _load(self, task_id: str, data: str) -> Any:
        try:
            return self._serializer.deserialize(data)
        except DeserializationError as error:
            raise of_task(task_id, error) from error.__cause__

    def _end_from_service(self, task_id: str, future: ComputeFuture) -> None:
        try:
            answers = self._batch_status([task_id])
        except ComputeError as error:
            raise ResultsUnavailable(
                f"task {task_id} has finished, and its result is only to be had from the "
                f"service, which did not give it: {error}; ask again with Client.get_result"
            ) from error
        state = task_state(task_id, answers.get(task_id), self._serializer)
        if state["pending"]:
            raise ResultsUnavailable(
                f"task {task_id} has finished, but the service gives no result for it "
                f"(status {state['status']}): ask again with Client.get_result"
            )
        _settle_from_state(future, state)

    def _fail_pending(self, cause: ComputeError) -> None:
        for future in self._pending.clear():
            error = ResultsUnavailable(
                f"the results of task {future.task_id} cannot be had: {cause}; the task itself "
                "may go on, Client.get_result asks for it"
            )
            error.__cause__ = cause
            settle(future, error=error)

    def _reconcile(self) -> None:
        self._reconcile_queued = False
        task_ids = self._pending.task_ids()
        for start in range(0, len(task_ids), _STATUS_CHUNK):
            chunk = task_ids[start : start + _STATUS_CHUNK]
            try:
                answers = self._batch_status(chunk)
            except ComputeError as error:
                log.warning("cannot ask for %d tasks after reconnecting: %s", len(chunk), error)
                return
            for task_id in chunk:
                state = task_state(task_id, answers.get(task_id), self._serializer)
                future = None if state["pending"] else self._pending.take(task_id)
                if future is not None:
                    _settle_from_state(future, state)


def _settle_from_state(future: ComputeFuture, state: dict[str, Any]) -> None:
    settle(future, state.get("result"), state.get("exception"))


def _failure(result: Result) -> TaskExecutionFailed:
    message = result.message
    assert message.error_details is not None
    return TaskExecutionFailed(
        message.data,
        None if result.completed_at is None else str(result.completed_at),
        message.details,
        task_id=message.task_id,
        error_code=message.error_details.code or None,
    )
