"""Why there is no connection: nobody is there now, or we are not wanted."""

from __future__ import annotations

import pika
import pytest
from pika.exceptions import (
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    StreamLostError,
)

from gcompute.local.amqp.connection import _failure, describe
from gcompute.local.amqp.errors import LinkLost, LinkRefused

_LOST = StreamLostError("Stream connection lost: ConnectionResetError(104)")


@pytest.mark.parametrize(
    "error",
    [
        _LOST,
        ProbableAuthenticationError(repr(_LOST)),
        ProbableAccessDeniedError(repr(_LOST)),
        ConnectionClosedByBroker(320, "shutting down"),
        ProbableAccessDeniedError(repr(ConnectionClosedByBroker(506, "too many connections"))),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_line_that_breaks_in_a_handshake_is_no_refusal(error: Exception) -> None:
    """Whatever pika makes of it: to give up would end an agent for good."""
    assert isinstance(_failure(error, "broker"), LinkLost)


@pytest.mark.parametrize(
    "error",
    [
        ProbableAuthenticationError(repr(ConnectionClosedByBroker(403, "ACCESS_REFUSED"))),
        ProbableAccessDeniedError(repr(ConnectionClosedByBroker(530, "vhost not found"))),
        ConnectionClosedByBroker(403, "ACCESS_REFUSED"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_broker_refuses_is_a_refusal(error: Exception) -> None:
    """Trying again changes nothing."""
    assert isinstance(_failure(error, "broker"), LinkRefused)


def test_an_ipv6_address_is_told_from_its_port() -> None:
    """By brackets, as in a URL."""
    assert describe(pika.URLParameters("amqp://ann:pw@[::1]:5673/%2Flab")) == "[::1]:5673/lab"
