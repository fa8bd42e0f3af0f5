"""The link of an asyncio program to an AMQP broker, for the service and the agent alike.

::

    link.py          AmqpLink: one connection that comes back by itself
      connection.py    connect, disconnect, and why it did not work
      channel.py       one channel as futures
      topology.py      exchanges and queues: made, checked, deleted
      publishing.py    messages with confirms, as futures
        confirms.py      which numbers are confirmed: pure
      errors.py        LinkError and what is below it
    cleanup.py       take queues off a broker, for a program that has no link
"""

from __future__ import annotations

from .channel import Delivery, QueueDepth
from .errors import (
    ChannelRefused,
    LinkError,
    LinkLost,
    LinkRefused,
    LinkUnreachable,
    QueueMissing,
    Unroutable,
)
from .link import AmqpLink

__all__ = [
    "AmqpLink",
    "ChannelRefused",
    "Delivery",
    "LinkError",
    "LinkLost",
    "LinkRefused",
    "LinkUnreachable",
    "QueueDepth",
    "QueueMissing",
    "Unroutable",
]
