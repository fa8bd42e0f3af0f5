"""Who may log in at the broker: users with rights of their own, or one account for everybody.

In go the broker's user and what he may do; out comes the URL that he logs in with. Each grant
makes a fresh password and leaves open connections alone, and what a user may do is limited to the
names in his permissions: with the embedded broker, and with a RabbitMQ whose management the
service may use (:mod:`~gcompute.local.managed_accounts`). With a RabbitMQ that is only known by
its URL all get that URL's own credentials.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .broker import Broker

log = logging.getLogger(__name__)


class Accounts(Protocol):
    """Makes and revokes users of the broker. What can fail: ``LinkError``, it does not answer."""

    #: Whether queues and what is in them are gone after a restart of the service.
    volatile: bool

    def administrator(self) -> str:
        """Give the URL of the service's own account."""

    async def grant(self, name: str, *, write: str = "", read: str = "") -> str:
        """Let a user in who may do only so much; give his URL.

        Args:
            name: his name; one that exists gets a fresh password and these permissions.
            write: pattern of the exchanges that he may publish to.
            read: pattern of the queues that he may consume.
        """

    async def revoke(self, name: str) -> None:
        """Shut a user out, and drop his connections; one that does not exist is fine."""


class EmbeddedAccounts:
    """The users of the embedded broker."""

    volatile = True

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def administrator(self) -> str:
        """Make an account that may do everything."""
        return self._url("service", configure=".*", write=".*", read=".*")

    async def grant(self, name: str, *, write: str = "", read: str = "") -> str:
        """Let a user in, with a fresh password."""
        return self._url(name, configure="", write=write, read=read)

    async def revoke(self, name: str) -> None:
        """Shut a user out, and drop his connections."""
        self._broker.remove_user(name)
        self._broker.close_connections(name, "access was revoked")

    def _url(self, name: str, *, configure: str, write: str, read: str) -> str:
        password = secrets.token_urlsafe(24)
        self._broker.add_user(name, password, configure=configure, write=write, read=read)
        return self._broker.url(name)


class SharedAccount:
    """The one account that a URL names, for everybody."""

    volatile = False

    def __init__(self, url: str) -> None:
        self._shared = url
        log.warning(
            "users and endpoints are not separated at the broker: all log in with the credentials "
            "of its URL; pass broker_management to give each an account of its own"
        )

    def administrator(self) -> str:
        """Give the URL."""
        return self._shared

    async def grant(self, name: str, *, write: str = "", read: str = "") -> str:
        """Give the URL: there are no separate users."""
        return self._shared

    async def revoke(self, name: str) -> None:
        """Do nothing: whoever has the URL may stay."""
