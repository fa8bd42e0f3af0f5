"""The steps of a connection before it is open, as rules: who logs in, and what is agreed on.

In: the client's methods. Out: what they say, or a `ConnectionFault` with RabbitMQ's reply code.
Source: AMQP 0-9-1 specification, section 4.2.3; RabbitMQ's client capabilities.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .codec import spec
from .faults import COMMAND_INVALID, NOT_ALLOWED, ConnectionFault
from .limits import BrokerLimits

_SERVER_PROPERTIES = {
    "product": "gcompute",
    "platform": "Python",
    "information": "AMQP 0-9-1 in memory, for one machine and one user",
    "capabilities": {
        "publisher_confirms": True,
        "exchange_exchange_bindings": False,
        "basic.nack": True,
        "consumer_cancel_notify": True,
        "connection.blocked": False,
        "authentication_failure_close": True,
        "per_consumer_qos": True,
    },
}


class Client(NamedTuple):
    """What a client says of itself: what it wants to be told, and in which way."""

    #: Whether to tell it when the broker cancels its consumer.
    notify_cancel: bool
    #: Whether to tell it that its login is refused, in place of a closed socket.
    closes_on_refusal: bool


def start() -> Any:
    """Return the broker's greeting."""
    return spec.Connection.Start(server_properties=_SERVER_PROPERTIES)


def read_client(start_ok: Any) -> Client:
    """Read the client's greeting.

    Raises:
        ConnectionFault: 503, it wants to log in in a way that is not known here.
    """
    if start_ok.mechanism != "PLAIN":
        text = f"unknown authentication mechanism '{start_ok.mechanism}'"
        raise ConnectionFault(COMMAND_INVALID, text)
    capabilities = (start_ok.client_properties or {}).get("capabilities")
    capabilities = capabilities if isinstance(capabilities, dict) else {}
    return Client(
        notify_cancel=capabilities.get("consumer_cancel_notify") is True,
        closes_on_refusal=capabilities.get("authentication_failure_close") is True,
    )


def tune(limits: BrokerLimits) -> Any:
    """Return what the broker proposes."""
    return spec.Connection.Tune(limits.channel_max, limits.frame_max, limits.heartbeat_s)


def check_tuning(tune_ok: Any, limits: BrokerLimits) -> None:
    """Check what the client makes of it.

    Raises:
        ConnectionFault: 530, it wants more than there is, or less than must be.
    """
    for name, value, most in (
        ("frame_max", tune_ok.frame_max, limits.frame_max),
        ("channel_max", tune_ok.channel_max, limits.channel_max),
    ):
        if not 0 < value <= most:
            text = f"negotiated {name} = {value} is not between 1 and {most}"
            raise ConnectionFault(NOT_ALLOWED, text)
    if tune_ok.frame_max < spec.FRAME_MIN_SIZE:
        text = f"negotiated frame_max = {tune_ok.frame_max} is below {spec.FRAME_MIN_SIZE}"
        raise ConnectionFault(NOT_ALLOWED, text)
