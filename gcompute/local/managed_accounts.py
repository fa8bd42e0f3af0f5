"""Users of a RabbitMQ, by the HTTP API of its management plugin.

In go the names and permissions of :class:`~gcompute.local.accounts.Accounts`; out come requests
that make, change and delete users and their permissions in the virtual host of the broker's URL.
RabbitMQ leaves connections open when a password changes, and closes them when their user is
deleted.

What can fail: :class:`LinkRefused`, the management does not accept the credentials or does not let
them manage users; :class:`LinkUnreachable`, it does not answer. Neither text has the password.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx
import pika

from .accounts import new_password, without_credentials
from .amqp import LinkError, LinkRefused, LinkUnreachable

_TIMEOUT_S = 5.0


class ManagedAccounts:
    """The users of one virtual host.

    Args:
        broker_url: AMQP URL of the broker with the service's own credentials.
        management_url: ``http://user:password@host:port`` of its management; without user and
            password it takes those of ``broker_url``.
        transport: carries the requests, in place of the network.
    """

    volatile = False

    def __init__(
        self,
        broker_url: str,
        management_url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._broker = broker_url
        self._vhost = quote(pika.URLParameters(broker_url).virtual_host, safe="")
        place = urlsplit(management_url)
        named = place if place.username is not None else urlsplit(broker_url)
        host = place.netloc.rpartition("@")[2]
        #: Where the management is, without credentials.
        self.where = f"{place.scheme}://{host}{place.path.rstrip('/')}"
        self._user = unquote(named.username or "")
        self._http = httpx.AsyncClient(
            base_url=self.where,
            auth=(self._user, unquote(named.password or "")),
            timeout=_TIMEOUT_S,
            transport=transport,
            # The broker itself is reached without a proxy, too.
            trust_env=False,
        )

    async def check(self) -> None:
        """See that users can be managed.

        Raises:
            LinkError: they cannot; the text says what to do.
        """
        tags = (await self._ask("GET", "/api/whoami")).json().get("tags", [])
        # A text with commas from older nodes, a list from newer ones.
        if "administrator" not in (tags.split(",") if isinstance(tags, str) else tags):
            raise self._refused()

    async def close(self) -> None:
        """Close the connections to the management."""
        await self._http.aclose()

    def administrator(self) -> str:
        """Give the broker's URL as it came."""
        return self._broker

    async def open(self) -> str:
        """Give the broker's address."""
        return without_credentials(self._broker)

    def shut_endpoints_out(self) -> None:
        """Do nothing: this broker keeps what it takes."""

    async def grant(self, name: str, *, write: str = "", read: str = "") -> str:
        """Let a user in, with a fresh password."""
        password = new_password()
        await self._ask("PUT", f"/api/users/{name}", {"password": password, "tags": ""})
        permissions = {"configure": "", "write": write, "read": read}
        await self._ask("PUT", f"/api/permissions/{self._vhost}/{name}", permissions)
        parts = urlsplit(self._broker)
        netloc = f"{quote(name, safe='')}:{password}@{parts.netloc.rpartition('@')[2]}"
        return urlunsplit(parts._replace(netloc=netloc))

    async def revoke(self, name: str) -> None:
        """Delete a user, which closes his connections."""
        await self._ask("DELETE", f"/api/users/{name}", missing_is_fine=True)

    async def _ask(
        self, method: str, path: str, body: Any = None, *, missing_is_fine: bool = False
    ) -> httpx.Response:
        try:
            answer = await self._send(method, path, body)
        except httpx.HTTPError as error:
            raise LinkUnreachable(
                f"the broker's management does not answer at {self.where} "
                f"({type(error).__name__}): check that it runs, and its host and port"
            ) from error
        if answer.is_success or (missing_is_fine and answer.status_code == 404):
            return answer
        if answer.status_code in (401, 403):
            raise self._refused()
        raise LinkError(
            f"the broker's management at {self.where} answered {method} {path} with "
            f"{answer.status_code}: {answer.text[:300]}"
        )

    def _refused(self) -> LinkRefused:
        return LinkRefused(
            f"the broker's management at {self.where} does not let the user {self._user!r} manage "
            "users: check his password in broker_management, and that he is an administrator "
            f"(`rabbitmqctl set_user_tags {self._user} administrator`)"
        )

    async def _send(self, method: str, path: str, body: Any) -> httpx.Response:
        """Send a request, once more if a connection that was kept open turns out to be closed.

        All requests here may be repeated: they say how things are to be.
        """
        try:
            return await self._http.request(method, path, json=body)
        except httpx.TransportError:
            return await self._http.request(method, path, json=body)
