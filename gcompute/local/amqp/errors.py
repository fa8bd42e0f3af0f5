"""What can go wrong between a program and its AMQP broker; all below ``ComputeError``."""

from __future__ import annotations

from gcompute.errors import ComputeError


class LinkError(ComputeError):
    """Something went wrong between a program and its AMQP broker."""


class LinkLost(LinkError):
    """The link broke before the broker answered; the link is coming back by itself."""


class LinkRefused(LinkError):
    """The broker does not accept the credentials or the virtual host."""


class LinkUnreachable(LinkError):
    """No broker answered in the given time."""


class ChannelRefused(LinkError):
    """The broker closed the channel over what was asked; ``code`` is its reply code."""

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class QueueMissing(ChannelRefused):
    """There is no such queue (or exchange)."""


class Unroutable(LinkError):
    """The broker returned a mandatory message: no queue takes its routing key."""
