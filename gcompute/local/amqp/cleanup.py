"""Removes queues and exchanges from a broker, over a connection made for that.

It blocks, and uses nothing of the service: it runs last, when the service's own links are
closed, and it works where they had broken.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pika
from pika.exceptions import AMQPError

log = logging.getLogger(__name__)

_TIMEOUT_S = 5.0


def remove(url: str, queues: Iterable[str], exchanges: Iterable[str]) -> None:
    """Remove queues and exchanges; one that does not exist is fine.

    A broker that is away keeps them: that is logged, as nobody could do anything about it.
    """
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.blocked_connection_timeout = _TIMEOUT_S
    parameters.connection_attempts = 1
    try:
        connection = pika.BlockingConnection(parameters)
        channel = connection.channel()
        for queue in queues:
            channel.queue_delete(queue)
        for exchange in exchanges:
            channel.exchange_delete(exchange)
        connection.close()
    except (AMQPError, OSError) as error:
        log.warning("queues of this service stay at the broker: %r", error)
