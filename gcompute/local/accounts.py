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
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from .store.logins import Login, Logins

if TYPE_CHECKING:
    from .broker import Broker

log = logging.getLogger(__name__)

#: The service's own user of the embedded broker.
_SERVICE = "service"


class Accounts(Protocol):
    """Makes and revokes users of the broker. What can fail: ``LinkError``, it does not answer."""

    #: Whether queues and what is in them are gone after a restart of the service.
    volatile: bool

    def administrator(self) -> str:
        """Give the URL of the service's own account."""

    async def open(self) -> str:
        """Let users in, as all is in place that they need; give the broker's address for them.

        The address is without credentials.
        """

    def shut_endpoints_out(self) -> None:
        """Let nobody publish any more, as the broker is about to end; others' brokers do not."""

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
    """The users of the embedded broker, which the state remembers for it.

    Args:
        broker: a running broker.
        logins: the users of the last time, who may come back.
        listener: where users are to find the broker.
        holder_of: tells whose an account is; one user's share what he may have of connections.
        tls: the certificate that they see there; ``None`` for no TLS.
    """

    volatile = True

    def __init__(
        self,
        broker: Broker,
        logins: Logins,
        listener: socket.socket,
        holder_of: Callable[[str], str],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._broker = broker
        self._tls = tls
        self._logins = logins
        self._listener = listener
        self._holder_of = holder_of
        for login in logins.all():
            self._admit(login)

    def administrator(self) -> str:
        """Make an account that may do everything."""
        everything = ".*"
        self._broker.add_user(
            _SERVICE, new_password(), configure=everything, write=everything, read=everything
        )
        return self._broker.url(_SERVICE)

    async def open(self) -> str:
        """Have the broker listen to users as well."""
        await self._broker.open(self._listener, self._tls)
        return without_credentials(self._broker.url(_SERVICE))

    def shut_endpoints_out(self) -> None:
        """Take no more connections, and drop those of all others who may publish."""
        self._broker.shut("the service is stopping", publishers_but=_SERVICE)

    async def grant(self, name: str, *, write: str = "", read: str = "") -> str:
        """Let a user in, with a fresh password."""
        login = Login(name, new_password(), write, read)
        self._logins.keep(login)
        self._admit(login)
        return self._broker.url(name)

    async def revoke(self, name: str) -> None:
        """Shut a user out, and drop his connections."""
        self._logins.forget(name)
        self._broker.remove_user(name)
        self._broker.close_connections(name, "access was revoked")

    def _admit(self, login: Login) -> None:
        self._broker.add_user(
            login.name,
            login.password,
            write=login.write,
            read=login.read,
            holder=self._holder_of(login.name),
        )


def new_password() -> str:
    """Make a password that nobody guesses, and that a URL takes as it is."""
    return secrets.token_urlsafe(24)


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

    async def open(self) -> str:
        """Give the address."""
        return without_credentials(self._shared)

    def shut_endpoints_out(self) -> None:
        """Do nothing: this broker keeps what it takes."""

    async def grant(self, name: str, *, write: str = "", read: str = "") -> str:
        """Give the URL: there are no separate users."""
        return self._shared

    async def revoke(self, name: str) -> None:
        """Do nothing: whoever has the URL may stay."""


def without_credentials(url: str) -> str:
    """Give an AMQP URL that may be shown."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    place = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{place}{f':{parts.port}' if parts.port else ''}{parts.path}"
