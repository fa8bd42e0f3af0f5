"""From deliveries to tasks, and which deliveries may be acknowledged. Pure.

A delivery of the task queue goes in; a :class:`Task` comes out, or :class:`TaskRejected` when it
can never run. Deliveries are acknowledged many at a time: :class:`Acks` gives the tag up to
which every delivery has been settled.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gcompute.errors import MalformedMessage
from gcompute.messages import TaskMessage, decode

#: Error code of a task that cannot be run as it was sent.
INVALID_TASK = "InvalidTask"


# Compared by identity: a broker may deliver the same task twice.
@dataclass(slots=True, eq=False)
class Task:
    """A task on its way through the agent."""

    task_id: str
    function_id: str
    delivery_tag: int
    #: The task message as it came.
    body: bytes
    result_serializers: list[str]
    #: Unix time in ns.
    received_ns: int = field(default_factory=time.time_ns)
    #: When a worker got it, Unix time in ns.
    started_ns: int | None = None
    #: How many of its transitions have been reported.
    reported: int = 0


class TaskRejected(Exception):
    """A delivery that is no task, or one that cannot run here; ``task_id`` where it is known."""

    def __init__(self, reason: str, task_id: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.task_id = task_id


def read_task(
    headers: Mapping[str, Any], body: bytes, delivery_tag: int, *, engine_type: str
) -> Task:
    """Make a task of a delivery; the body is left to the worker.

    Source: ``docs/wire.md#amqp-0-9-1`` for the headers.

    Args:
        headers: of the message.
        body: of the message.
        delivery_tag: what to acknowledge.
        engine_type: what is to run the task, for a refusal.

    Raises:
        TaskRejected: it can never run; the reason is for the user.
    """
    task_id = _uuid(headers.get("task_uuid"))
    if task_id is None:
        raise TaskRejected(
            "the task message has no valid task_uuid in its headers", _task_id_within(body)
        )
    function_id = _uuid(headers.get("function_uuid"))
    if function_id is None:
        raise TaskRejected("the task message has no valid function_uuid in its headers", task_id)
    _check_resources(headers.get("resource_specification"), task_id, engine_type)
    serializers = headers.get("result_serializers") or []
    if not isinstance(serializers, list) or not all(isinstance(s, str) for s in serializers):
        raise TaskRejected("result_serializers must be a list of import paths", task_id)
    return Task(task_id, function_id, delivery_tag, body, serializers)


def _uuid(value: object) -> str | None:
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _task_id_within(body: bytes) -> str | None:
    try:
        message = decode(body)
    except MalformedMessage:
        return None
    return message.task_id if isinstance(message, TaskMessage) else None


def _check_resources(text: object, task_id: str, engine_type: str) -> None:
    try:
        specification = json.loads(text or "null") if isinstance(text, str) else text
    except ValueError:
        raise TaskRejected(f"resource_specification is no JSON: {text!r:.80}", task_id) from None
    if specification:
        raise TaskRejected(
            f"resource_specification is not supported on {engine_type}: this endpoint runs each "
            "task in one process; submit without it, or to an endpoint that runs MPI programs",
            task_id,
        )


class Acks:
    """Which deliveries of a channel are settled.

    Deliveries are added in order and settled in any order; what may be acknowledged with
    ``multiple`` is everything before the first that is not settled.
    """

    def __init__(self) -> None:
        #: Delivery tag to whether it is settled, in order.
        self._open: OrderedDict[int, bool] = OrderedDict()

    def add(self, tag: int) -> None:
        """Note a delivery."""
        self._open[tag] = False

    def settle(self, tag: int) -> None:
        """Note that a delivery is dealt with; unknown tags (of a lost connection) are ignored."""
        if tag in self._open:
            self._open[tag] = True

    def discard(self, tag: int) -> None:
        """Forget a delivery that went back to the broker on its own."""
        self._open.pop(tag, None)

    def take(self) -> int | None:
        """Give the tag up to which to acknowledge now, if there is anything new."""
        last = None
        for tag, settled in self._open.items():
            if not settled:
                break
            last = tag
        while self._open and last is not None and next(iter(self._open)) <= last:
            self._open.popitem(last=False)
        return last

    def clear(self) -> None:
        """Forget everything: the connection is lost, and its deliveries are the broker's."""
        self._open.clear()
