"""A local service as an object: what it is asked, where it is, and clients of it.

The service runs in processes of its own (:mod:`~gcompute.local.service_process`).
:class:`LocalService` owns the process, what holds it, and, unless told otherwise, the state folder.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from . import service_process
from .arguments import checked
from .service_process import LocalServiceFailed, log_tail, unusable
from .user import User

if TYPE_CHECKING:
    from gcompute import Client, Executor

#: What the extra ``local`` installs, by import name.
_NEEDED = ("jsonschema_rs", "starlette", "uvicorn")


class LocalService:
    """A compute service on this machine, with an endpoint and its worker processes.

    >>> with LocalService(workers=2) as service:
    ...     client = service.client()

    Safe to use from many threads. One object can be started again after it was stopped.

    With several users, each has a token of his own and sees what is his:

    >>> with LocalService(users=["ada", User("bob", groups=[GROUP])]) as service:
    ...     client = service.client(user="bob")

    Args:
        workers: worker processes of the endpoint, default 2; or, with an engine, how many tasks
            that is given at a time at most, default 100. 0 for a service without an endpoint.
        broker: ``amqp://user:password@host:port/vhost`` of a RabbitMQ, in place of the embedded
            broker. All names that the service uses there are its own, so services may share a
            broker. Without ``broker_management`` everybody gets that URL's own credentials,
            endpoints and clients alike.
        engine: what runs the tasks in place of worker processes: the import path
            ``"package.module:factory"`` or ``"./file.py:factory"`` of anything that makes a
            ``concurrent.futures.Executor``, or the function or class itself, where it is at the
            top level of a module. It is called in the endpoint's process. See
            ``docs/engines.md``.
        engine_options: keyword arguments for it, plain values as in JSON.
        broker_management: ``http://user:password@host:port`` of that RabbitMQ's management
            plugin. With it each user and each endpoint has an account at the broker that can
            reach what is his and nothing else. The user needs the tag ``administrator``; a URL
            without user and password takes those of ``broker``.
        tls: whether the embedded broker speaks TLS, with a certificate of its own in the state
            folder. Its URLs begin with ``amqps`` then, as those of the hosted service do, and
            whoever connects needs ``SSL_CERT_FILE``: see :meth:`environment`. A RabbitMQ has
            TLS where its URL says so.
        users: who may use the service, as names or :class:`User`; the first one owns its
            endpoint, and the others may use it. Default: one user, called ``local``.
        state_dir: folder for the state, the log and the endpoint's files; made if need be. A
            service that is started on the same folder again knows its tasks, its token and its
            endpoint. Default: a temporary one that goes with the service, as do its queues on
            the broker.
        port: port of the web service on loopback; default a free one.
        heartbeat_period: seconds between status reports of the endpoint.
        token_lifetime: seconds for which an access token of a login is valid; default 48 hours,
            as with Globus Auth. ``globus_sdk`` renews it a minute before its end.
        task_lifetime: seconds for which a task is kept, with its result, after the last thing that
            happened to it; default two weeks, as with the hosted service.
        result_lifetime: seconds for which a result that nobody fetches waits in the queue of its
            task group; default 30 minutes, as with the hosted service. A client that comes later
            asks for the task.

    Raises:
        ValueError: an argument makes no sense.
    """

    def __init__(
        self,
        workers: int | None = None,
        broker: str | None = None,
        *,
        engine: str | Callable[..., Any] | None = None,
        engine_options: Mapping[str, Any] | None = None,
        broker_management: str | None = None,
        tls: bool = False,
        users: Iterable[str | User] | None = None,
        state_dir: str | os.PathLike[str] | None = None,
        port: int = 0,
        heartbeat_period: float = 5.0,
        token_lifetime: float = 172_800.0,
        task_lifetime: float = 1_209_600.0,
        result_lifetime: float = 1_800.0,
    ) -> None:
        #: What the service said of itself when it was ready; first, as a repr looks at it.
        self._announcement: dict[str, Any] | None = None
        #: As the process gets them, but for the folder and what is in it.
        self._settings = checked(
            workers=workers,
            broker=broker,
            engine=engine,
            engine_options=engine_options,
            broker_management=broker_management,
            tls=tls,
            users=users,
            port=port,
            temporary=state_dir is None,
            heartbeat_period=heartbeat_period,
            token_lifetime=token_lifetime,
            task_lifetime=task_lifetime,
            result_lifetime=result_lifetime,
        )
        self._tls = tls
        self._wanted_dir = None if state_dir is None else Path(state_dir).absolute()
        #: Held while the service starts or stops.
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        #: Stops the process: when called, when this object is gone, or when Python exits.
        self._finalizer: weakref.finalize[[subprocess.Popen[bytes], Path | None, int], Any] | None
        self._finalizer = None
        self._clients: weakref.WeakSet[Client] = weakref.WeakSet()

    # -- life -------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start the service, and return when it takes tasks; nothing happens if it runs.

        Raises:
            LocalServiceFailed: it cannot start.
        """
        with self._lock:
            if self.is_running:
                return self
            self._end()
            _check_installed()
            folder = self._make_folder()
            self._process = process = service_process.spawn(folder)
            temporary = folder if self._wanted_dir is None else None
            self._finalizer = weakref.finalize(
                self, service_process.stop, process, temporary, os.getpid()
            )
            try:
                settings = replace(
                    self._settings,
                    state_dir=str(folder),
                    ca_file=str(_certificate(folder)) if self._tls else None,
                )
                self._announcement = service_process.handshake(process, settings)
            except BaseException:
                self._end()
                raise
        return self

    def stop(self) -> None:
        """Stop the service with its endpoint; nothing happens if it does not run."""
        with self._lock:
            self._end()

    def wait(self) -> int:
        """Wait until the service ends, whoever stops it; give the exit status of its process."""
        if self._process is None:
            raise LocalServiceFailed("the local service does not run")
        return self._process.wait()

    def detach(self) -> None:
        """Let the running service run on, also when this process ends; this object forgets it.

        ``gcompute local down --state DIR`` stops it.

        Raises:
            ValueError: its state is in a temporary folder, which is to go with this object.
            LocalServiceFailed: it does not run.
        """
        if self._wanted_dir is None:
            raise ValueError("only a service with a state_dir can be detached")
        with self._lock:
            self._told("url")
            assert self._process is not None
            assert self._finalizer is not None
            service_process.let_go(self._process)
            self._finalizer.detach()
            self._finalizer = None
            self._end()

    def _end(self) -> None:
        self._announcement = None
        clients = list(self._clients)
        self._clients.clear()
        for client in clients:
            client.close()
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._finalizer = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = self._announcement["url"] if self._announcement else "not running"
        return f"<LocalService {state}>"

    @property
    def is_running(self) -> bool:
        """Whether the service process is there."""
        return self._process is not None and self._process.poll() is None

    # -- what it offers ---------------------------------------------------------------------

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

    # -- starting ---------------------------------------------------------------------------

    def _make_folder(self) -> Path:
        if self._wanted_dir is None:
            return Path(tempfile.mkdtemp(prefix="gcompute-"))
        try:
            self._wanted_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise unusable(self._wanted_dir, error) from error
        return self._wanted_dir


def _certificate(folder: Path) -> Path:
    # The import takes a tenth of a second, which services without TLS need not spend.
    from .certificate import certificate_file

    try:
        return certificate_file(folder)
    except OSError as error:
        raise unusable(folder, error) from error


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise LocalServiceFailed(
            f"the local service needs packages that are not installed ({', '.join(missing)}): "
            "pip install 'gcompute[local]'"
        )
