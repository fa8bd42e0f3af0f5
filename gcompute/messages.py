"""The messages that travel over AMQP between client, service and endpoint, as bytes and back.

A message is one version byte ``0x01`` and one UTF-8 JSON object
``{"message_type": ..., "data": {...}}`` without newlines. Source: the wire facts in
``docs/wire.md#messages``. Pure: no sockets, no threads, no clock.

What comes in is liberal: unknown fields are ignored, optional fields may be missing or null.
What goes out has exactly the documented fields. What cannot be read raises
:class:`~gcompute.errors.MalformedMessage`, never anything else.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from .errors import MalformedMessage

VERSION_BYTE = b"\x01"

#: How a UUID is usually written; other ways are read as well, and take longer.
_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """A task on its way to an endpoint."""

    message_type: ClassVar[str] = "task"

    task_id: str
    #: Packed buffers: function, args, kwargs.
    task_buffer: str

    def to_data(self) -> dict[str, Any]:
        """Give the ``data`` object of the message."""
        return {"task_id": self.task_id, "task_buffer": self.task_buffer}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> TaskMessage:
        """Read the ``data`` object of a message."""
        return cls(_uuid(data, "task_id"), _text(data, "task_buffer"))


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """Why a task failed: an error code of the endpoint, and a text for the user."""

    code: str
    user_message: str


class Transition(NamedTuple):
    """A state that a task entered: when (Unix time in ns), which, and who says so."""

    timestamp: int
    state: str
    actor: str


@dataclass(frozen=True, slots=True)
class ResultMessage:
    """The outcome of a task: a success, unless there are ``error_details``."""

    message_type: ClassVar[str] = "result"

    task_id: str
    #: The serialized value, or the error text of a failure.
    data: str
    error_details: ErrorDetails | None = None
    #: The worker's environment: ``os``, ``python_version``, ``dill_version``, ...
    details: dict[str, Any] | None = None
    task_statuses: tuple[Transition, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Give the ``data`` object of the message."""
        error = self.error_details
        return {
            "task_id": self.task_id,
            "data": self.data,
            "details": self.details,
            "error_details": error and {"code": error.code, "user_message": error.user_message},
            "task_statuses": [
                {"timestamp": t.timestamp, "state": t.state, "actor": t.actor}
                for t in self.task_statuses
            ],
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> ResultMessage:
        """Read the ``data`` object of a message."""
        error = _mapping(data, "error_details")
        return cls(
            task_id=_uuid(data, "task_id"),
            data=_text(data, "data"),
            error_details=None
            if error is None
            else ErrorDetails(str(error.get("code") or ""), str(error.get("user_message") or "")),
            details=_mapping(data, "details"),
            task_statuses=_transitions(data.get("task_statuses")),
        )


@dataclass(frozen=True, slots=True)
class StatusReport:
    """An endpoint's heartbeat."""

    message_type: ClassVar[str] = "ep_status_report"

    endpoint_id: str
    #: ``active``, ``heartbeat_period`` (s; 0 means shutting down), ``total_workers``, ...
    global_state: dict[str, Any] = field(default_factory=dict)
    #: Task id to the states it entered since the last report.
    task_statuses: dict[str, tuple[Transition, ...]] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """Give the ``data`` object of the message."""
        return {
            "endpoint_id": self.endpoint_id,
            "global_state": self.global_state,
            "task_statuses": {
                task_id: [
                    {"timestamp": t.timestamp, "state": t.state, "actor": t.actor} for t in states
                ]
                for task_id, states in self.task_statuses.items()
            },
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> StatusReport:
        """Read the ``data`` object of a message; ``ep_status_report`` is the older field name."""
        state = _mapping(data, "global_state")
        if state is None:
            state = _mapping(data, "ep_status_report") or {}
        statuses = _mapping(data, "task_statuses") or {}
        return cls(
            endpoint_id=_uuid(data, "endpoint_id"),
            global_state=state,
            task_statuses={task_id: _transitions(s) for task_id, s in statuses.items()},
        )


Message = TaskMessage | ResultMessage | StatusReport

_TYPES: dict[str, type[TaskMessage] | type[ResultMessage] | type[StatusReport]] = {
    cls.message_type: cls for cls in (TaskMessage, ResultMessage, StatusReport)
}


def encode(message: Message) -> bytes:
    """Turn a message into the bytes of an AMQP body."""
    envelope = {"message_type": message.message_type, "data": message.to_data()}
    return VERSION_BYTE + json.dumps(envelope, separators=(",", ":")).encode()


def decode(body: bytes) -> Message:
    """Turn the bytes of an AMQP body into a message.

    Raises:
        MalformedMessage: the bytes are no message of a known version and type.
    """
    if body[:1] != VERSION_BYTE:
        raise MalformedMessage(
            f"expected version byte 0x01, got {body[:1].hex() or 'nothing'} in {len(body)} bytes"
        )
    size = len(body)
    try:
        text = str(memoryview(body)[1:], "utf-8")
        del body  # where nobody else holds it, a large one is gone before its parts are made
        envelope = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"the {size} bytes after the version are no JSON") from error
    if not isinstance(envelope, dict) or not isinstance(envelope.get("data"), dict):
        raise MalformedMessage("a message is an object with message_type and data")
    message_type = envelope.get("message_type")
    cls = _TYPES.get(message_type) if isinstance(message_type, str) else None
    if cls is None:
        raise MalformedMessage(f"unknown message type {_brief(message_type)}")
    return cls.from_data(envelope["data"])


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise MalformedMessage(f"{name} must be text, got {type(value).__name__}")
    return value


def _uuid(data: dict[str, Any], name: str) -> str:
    text = data.get(name)
    if isinstance(text, str) and _CANONICAL_UUID.fullmatch(text):
        return text
    try:
        return str(uuid.UUID(_text(data, name)))
    except ValueError as error:
        raise MalformedMessage(f"{name} is no UUID: {_brief(data[name])}") from error


def _brief(value: object) -> str:
    """Quote a foreign value in a message about it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _mapping(data: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = data.get(name)
    if value is not None and not isinstance(value, dict):
        raise MalformedMessage(f"{name} must be an object or null, got {type(value).__name__}")
    return value


def _transitions(value: object) -> tuple[Transition, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise MalformedMessage(f"task_statuses must be a list, got {type(value).__name__}")
    try:
        return tuple(
            Transition(int(item["timestamp"]), str(item["state"]), str(item["actor"]))
            for item in value
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MalformedMessage("a task status has timestamp, state and actor") from error
