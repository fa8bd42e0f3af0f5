"""The arguments of `queue.declare`: what they ask for, and whether two declarations agree.

In: argument tables as they were decoded. Out: `Limits`, or a `ChannelFault` 406 for a value that
makes no sense, one that differs from the queue that exists, or a feature of RabbitMQ that this
broker does not have: to accept a dead-letter exchange and then to lose messages would be worse
than to refuse. Arguments that RabbitMQ does not know either are ignored, as it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .faults import PRECONDITION_FAILED, ChannelFault
from .queue import Limits

#: Argument to the smallest value that it may have.
_MINIMUM = {"x-expires": 1, "x-message-ttl": 0, "x-max-length": 0, "x-max-length-bytes": 0}
#: Argument to the one value that asks for what this broker does anyway.
_ONLY = {"x-queue-type": "classic", "x-overflow": "drop-head"}
_UNSUPPORTED = frozenset(
    (
        "x-dead-letter-exchange",
        "x-dead-letter-routing-key",
        "x-max-priority",
        "x-single-active-consumer",
    )
)


def check_equivalent(what: str, argument: str, received: object, current: object) -> None:
    """Raise `ChannelFault` 406 unless two declarations give an argument the same value."""
    if received != current:
        text = f"inequivalent arg '{argument}' for {what}: "
        text += f"received {_shown(received)} but current is {_shown(current)}"
        raise ChannelFault(PRECONDITION_FAILED, text)


def read_limits(
    what: str, arguments: Mapping[str, Any], *, current: Mapping[str, Any] | None = None
) -> Limits:
    """Return the limits that the arguments of a declaration set.

    Args:
        what: the queue as error texts name it.
        arguments: the argument table.
        current: the table of the queue that exists already, which must agree.

    Raises:
        ChannelFault: 406.
    """
    for name, value in arguments.items():
        least = _MINIMUM.get(name)
        if least is not None and not (_is_integer(value) and value >= least):
            raise _invalid(what, name, value)
        if name in _UNSUPPORTED or value != _ONLY.get(name, value):
            raise _invalid(what, name, value)
    for name in _MINIMUM if current is not None else ():
        check_equivalent(what, name, arguments.get(name), (current or {}).get(name))
    expires_ms, ttl_ms = arguments.get("x-expires"), arguments.get("x-message-ttl")
    return Limits(
        expires_s=None if expires_ms is None else expires_ms / 1000,
        message_ttl_s=None if ttl_ms is None else ttl_ms / 1000,
        max_length=arguments.get("x-max-length"),
        max_bytes=arguments.get("x-max-length-bytes"),
    )


def honoured(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that two declarations must agree on; the others need not be kept."""
    return {name: arguments[name] for name in _MINIMUM if name in arguments}


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _invalid(what: str, name: str, value: object) -> ChannelFault:
    text = f"invalid or unsupported arg '{name}' for {what}: {str(value)[:50]}"
    return ChannelFault(PRECONDITION_FAILED, text)


def _shown(value: object) -> str:
    return "none" if value is None else f"'{str(value).lower()}'"
