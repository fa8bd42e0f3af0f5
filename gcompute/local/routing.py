"""What an endpoint's messages mean for the service. Pure: no sockets, no store, no clock.

In goes the body of a message with the routing key that signs it; out comes an
:class:`~gcompute.local.store.outcomes.Outcome` to keep, or a report, or :class:`Unacceptable`
with the reason. A result over the limit becomes a failure of its task.
"""

from __future__ import annotations

from collections.abc import Iterable

from gcompute.errors import MalformedMessage, MaxResultSizeExceeded
from gcompute.messages import (
    ErrorDetails,
    Message,
    ResultMessage,
    StatusReport,
    Transition,
    decode,
    encode,
)
from gcompute.protocol import MAX_RESULT_BYTES

from .names import sender
from .store.outcomes import Forward, Outcome

_NS_IN_S = 1e-9


class Unacceptable(Exception):
    """A message that cannot be kept; the text says why."""


def read_result(body: bytes, routing_key: str) -> Outcome:
    """Read a result message.

    Raises:
        Unacceptable: it is no result message.
    """
    message = _decode(body)
    if not isinstance(message, ResultMessage):
        raise Unacceptable(f"expected a result, got the type {message.message_type!r}")
    # A body is longer than the value in it, so most need not be measured.
    size = len(message.data.encode()) if len(body) > MAX_RESULT_BYTES else 0
    if size > MAX_RESULT_BYTES:
        error = MaxResultSizeExceeded(size, MAX_RESULT_BYTES)
        message = failure(message.task_id, type(error).__name__, f"{type(error).__name__}: {error}")
        body = encode(message)
    return Outcome(
        task_id=message.task_id,
        endpoint=sender(routing_key),
        success=message.error_details is None,
        body=body,
        transitions=times(message.task_statuses),
    )


def read_report(body: bytes, routing_key: str) -> StatusReport:
    """Read a status report.

    Raises:
        Unacceptable: it is none, or speaks of another endpoint than the one that sent it.
    """
    message = _decode(body)
    if not isinstance(message, StatusReport):
        raise Unacceptable(f"expected a status report, got the type {message.message_type!r}")
    if message.endpoint_id != sender(routing_key):
        raise Unacceptable(
            f"endpoint {sender(routing_key)} sent a report for {message.endpoint_id}"
        )
    return message


def times(transitions: Iterable[Transition]) -> dict[str, float]:
    """Give the Unix time in seconds at which each state was entered first.

    Raises:
        Unacceptable: a time is beyond all times.
    """
    entered: dict[str, float] = {}
    for transition in transitions:
        try:
            at = transition.timestamp * _NS_IN_S
        except OverflowError as error:
            raise Unacceptable(f"{transition.state} has no possible time") from error
        entered[transition.state] = min(at, entered.get(transition.state, at))
    return entered


def failure(task_id: str, code: str, text: str) -> ResultMessage:
    """Make the result of a task that failed without having run to its end."""
    return ResultMessage(task_id=task_id, data=text, error_details=ErrorDetails(code, text))


def failed_outcome(task_id: str, endpoint: str, code: str, text: str) -> Outcome:
    """Make an outcome in the name of an endpoint that cannot send one."""
    return Outcome(task_id, endpoint, False, encode(failure(task_id, code, text)))


def forwarded_body(forward: Forward) -> bytes:
    """Give what the user's queue gets: the message as it came, without the value where the
    endpoint is high-assurance."""
    if not forward.high_assurance:
        return forward.body
    return encode(ResultMessage(task_id=forward.task_id, data=""))


def _decode(body: bytes) -> Message:
    try:
        return decode(body)
    except MalformedMessage as error:
        raise Unacceptable(str(error)) from error


def read_stored(body: bytes) -> ResultMessage:
    """Read a result message that :func:`read_result` accepted before."""
    message = _decode(body)
    assert isinstance(message, ResultMessage), "only results are stored"
    return message
