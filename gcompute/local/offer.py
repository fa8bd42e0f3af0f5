"""What a running local service offers: where it is, its users, and clients of them.

In goes what the service announced when it was ready; out come addresses, tokens, environment
variables, clients and executors. Asked of a service that does not run, or has died, everything
here raises an error that says so.
"""

from __future__ import annotations

import os
import weakref
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .service_process import LocalServiceFailed, log_tail
from .settings import Settings

if TYPE_CHECKING:
    from gcompute import Client, Executor


class Offer(ABC):
    """The part of a :class:`~gcompute.local.LocalService` that its users see while it runs."""

    #: As the service was asked for.
    _settings: Settings

    def __init__(self) -> None:
        #: What the service said of itself when it was ready; ``None`` while it does not run.
        self._announcement: dict[str, Any] | None = None
        #: Those that are closed with the service.
        self._clients: weakref.WeakSet[Client] = weakref.WeakSet()

    @property
    @abstractmethod
    def is_running(self) -> bool:
        """Whether the service process is there."""

    def _withdraw(self) -> None:
        """Offer nothing more, and close the clients."""
        self._announcement = None
        clients = list(self._clients)
        self._clients.clear()
        for client in clients:
            client.close()

    @property
    def url(self) -> str:
        """Address of the web service."""
        return str(self._told("url"))

    @property
    def users(self) -> list[str]:
        """Names of the users; the first one is meant where none is given."""
        return [user.name for user in self._settings.users]

    @property
    def token(self) -> str:
        """Bearer token of the first user."""
        return self._access(None)["token"]

    def token_of(self, user: str) -> str:
        """Give the bearer token of a user.

        Raises:
            ValueError: there is no such user.
        """
        return self._access(user)["token"]

    def identity_of(self, user: str) -> str:
        """Give the id of a user, by which others name him, as in an endpoint's ``admins``.

        Raises:
            ValueError: there is no such user.
        """
        return self._access(user)["id"]

    @property
    def auth_url(self) -> str:
        """Address of the service's own Globus Auth, for ``GLOBUS_SDK_SERVICE_URL_AUTH``."""
        # With the slash, as globus_sdk appends to it.
        return f"{self.url}/"

    def environment(
        self, *, client_credentials: bool = False, user: str | None = None
    ) -> dict[str, str]:
        """Give environment variables that point a client and its login at this service.

        Our client needs no more than these. The official SDK reads the one for logins, and finds
        the service by ``GLOBUS_SDK_ENVIRONMENT=local`` with ``http_proxy`` set to :attr:`url`;
        see ``docs/interoperability.md``. A login by a person asks for a token on its page: it
        says which user he is.

        With ``tls``, ``SSL_CERT_FILE`` names the broker's certificate: Python then trusts it in
        place of the system's file of authorities (the folder of them stays in use). It is looked
        at when a connection is made, so a running program may set it for itself:
        ``os.environ.update(service.environment())``.

        Args:
            client_credentials: whether to log in without a person, as the user's client. That is
                an identity of its own, in the groups of its user.
            user: whose client; default the first user's.

        Raises:
            ValueError: there is no such user.
        """
        access = self._access(user)
        variables = {
            "GLOBUS_SDK_SERVICE_URL_AUTH": self.auth_url,
            "GLOBUS_SDK_SERVICE_URL_COMPUTE": self.url,
        }
        if self._told("ca_file") is not None:
            variables["SSL_CERT_FILE"] = self._told("ca_file")
        if client_credentials:
            variables["GLOBUS_COMPUTE_CLIENT_ID"] = access["client_id"]
            variables["GLOBUS_COMPUTE_CLIENT_SECRET"] = access["client_secret"]
        return variables

    @property
    def endpoint_id(self) -> str:
        """The endpoint of this service.

        Raises:
            LocalServiceFailed: it has none, as it was started with ``workers=0``.
        """
        endpoint_id = self._told("endpoint_id")
        if endpoint_id is None:
            raise LocalServiceFailed("this service has no endpoint: start it with workers")
        return str(endpoint_id)

    @property
    def broker(self) -> str:
        """Address of the broker, without credentials."""
        return str(self._told("broker"))

    @property
    def state_dir(self) -> Path:
        """Folder of the state; ``service.log`` in it is the log."""
        return Path(self._told("state_dir"))

    def client(self, *, user: str | None = None, **kwargs: Any) -> Client:
        """Make a :class:`gcompute.Client` of this service; it is closed with the service.

        It has no ``request_limit``, since the local service has none.

        Args:
            user: whose client; default the first user's.
            **kwargs: further arguments of the client.

        Raises:
            ValueError: there is no such user.
        """
        import globus_sdk

        from gcompute import Client

        authorizer = globus_sdk.AccessTokenAuthorizer(self._access(user)["token"])
        settings = {"request_limit": None, **kwargs}
        client = Client(base_url=self.url, authorizer=authorizer, **settings)
        self._clients.add(client)
        return client

    def executor(self, *, user: str | None = None, **kwargs: Any) -> Executor:
        """Make a :class:`gcompute.Executor`, by default on the endpoint of this service.

        Args:
            user: whose tasks it submits; default the first user's.
            **kwargs: further arguments of the executor, such as another ``endpoint_id``.

        Raises:
            ValueError: there is no such user, or ``client`` is given, which is somebody's already.
            LocalServiceFailed: the broker speaks TLS, and this process does not know how to trust
                it.
        """
        self._check_trust()
        from gcompute import Executor

        if "endpoint_id" not in kwargs:
            kwargs["endpoint_id"] = self.endpoint_id
        if "client" not in kwargs:
            kwargs["client"] = self.client(user=user)
        elif user is not None:
            raise ValueError("pass user or client: a client is somebody's already")
        return Executor(**kwargs)

    def _check_trust(self) -> None:
        if self._told("ca_file") is not None and "SSL_CERT_FILE" not in os.environ:
            raise LocalServiceFailed(
                "this process does not trust the broker's certificate: call "
                "os.environ.update(service.environment()), or start it with that environment"
            )

    def _access(self, user: str | None) -> dict[str, str]:
        """Give what the service told of a user, by default the first one."""
        known: dict[str, dict[str, str]] = self._told("users")
        name = self._settings.users[0].name if user is None else user
        if name not in known:
            raise ValueError(f"this service has no user {name!r}; it has {', '.join(known)}")
        return known[name]

    def _told(self, name: str) -> Any:
        if self._announcement is None:
            raise LocalServiceFailed(
                "the local service does not run: use it in a `with` block, or call start()"
            )
        if not self.is_running:
            folder = Path(self._announcement["state_dir"])
            raise LocalServiceFailed(f"the local service has died.{log_tail(folder)}")
        return self._announcement[name]
