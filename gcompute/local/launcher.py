"""Starts a local service in processes of its own, and stops it.

::

    this process ----stdin: settings, then a leash----> service process ----> agent ----> workers
                 <---stdout: one line, where it is----
                                   its standard error ----> service.log in the state folder

The service runs as long as its standard input is open: it stops when :meth:`LocalService.stop`
closes it, and also when this process ends without a word, even by ``kill -9``. It is in a
session of its own, so that Ctrl-C in a terminal or notebook reaches this process alone.

:class:`LocalService` owns the process, the leash and, unless told otherwise, the state folder.
"""

from __future__ import annotations

import json
import logging
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from gcompute.errors import ComputeError

from .engine_argument import engine_argument
from .log_file import log_path
from .settings import DETACH, Settings
from .user import User, users_of

if TYPE_CHECKING:
    from gcompute import Client, Executor

log = logging.getLogger(__name__)

#: What the extra ``local`` installs, by import name.
_NEEDED = ("jsonschema_rs", "starlette", "uvicorn")
_WORKERS = 2
#: Enough to keep a cluster's workers busy, or to have Parsl ask for more of them.
_TASKS_OF_ENGINE = 100
_START_S = 60.0
_STOP_S = 20.0
_TERMINATE_S = 5.0
#: How much of the log an error quotes, in bytes.
_TAIL_BYTES = 4000
#: The processes that were let go: each is this process's child still, and is waited for in time.
_detached: list[subprocess.Popen[bytes]] = []


class LocalServiceFailed(ComputeError):
    """The local service cannot start, or has died; the text says why and what to do."""


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
        self._engine = engine_argument(engine, engine_options)
        if workers is None:
            workers = _WORKERS if self._engine is None else _TASKS_OF_ENGINE
        if workers == 0 and self._engine is not None:
            raise ValueError(
                "an engine is for an endpoint, and workers=0 is for none: leave one out"
            )
        if workers < 0:
            raise ValueError(f"workers must be 0 or more, not {workers}")
        if broker is not None and urlsplit(broker).scheme not in ("amqp", "amqps"):
            raise ValueError("broker must be a URL amqp://user:password@host:port/vhost")
        _check_management(broker_management, broker)
        if tls and broker is not None:
            raise ValueError("tls is for the embedded broker: pass a RabbitMQ as amqps://...")
        self._workers = workers
        self._tls = tls
        self._broker_url = broker
        self._broker_management = broker_management
        self._users = users_of(users)
        self._wanted_dir = None if state_dir is None else Path(state_dir).absolute()
        self._port = port
        self._heartbeat_period = heartbeat_period
        self._token_lifetime = token_lifetime
        for name, lifetime in (("task", task_lifetime), ("result", result_lifetime)):
            if lifetime <= 0:
                raise ValueError(f"{name}_lifetime must be more than 0 seconds, not {lifetime:g}")
        self._task_lifetime = task_lifetime
        self._result_lifetime = result_lifetime
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
            self._process = process = _spawn(folder)
            temporary = folder if self._wanted_dir is None else None
            self._finalizer = weakref.finalize(self, _stop_process, process, temporary, os.getpid())
            try:
                self._announcement = _handshake(process, self._settings(folder), folder)
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
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            assert self._finalizer is not None
            self._process.stdin.write(DETACH)
            self._process.stdin.close()
            self._process.stdout.close()
            self._finalizer.detach()
            _detached.append(self._process)
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
        return [user.name for user in self._users]

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
        name = self._users[0].name if user is None else user
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
            raise LocalServiceFailed(f"the local service has died.{_log_tail(folder)}")
        return self._announcement[name]

    # -- starting ---------------------------------------------------------------------------

    def _make_folder(self) -> Path:
        if self._wanted_dir is None:
            return Path(tempfile.mkdtemp(prefix="gcompute-"))
        try:
            self._wanted_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self._wanted_dir, error) from error
        return self._wanted_dir

    def _settings(self, folder: Path) -> Settings:
        return Settings(
            state_dir=str(folder),
            workers=self._workers,
            engine=self._engine,
            broker=self._broker_url,
            broker_management=self._broker_management,
            ca_file=str(_certificate(folder)) if self._tls else None,
            users=self._users,
            port=self._port,
            temporary=self._wanted_dir is None,
            heartbeat_period=self._heartbeat_period,
            token_lifetime=self._token_lifetime,
            task_lifetime=self._task_lifetime,
            result_lifetime=self._result_lifetime,
        )


def _certificate(folder: Path) -> Path:
    # The import takes a tenth of a second, which services without TLS need not spend.
    from .certificate import certificate_file

    try:
        return certificate_file(folder)
    except OSError as error:
        raise _unusable(folder, error) from error


def _check_management(management: str | None, broker: str | None) -> None:
    if management is None:
        return
    if broker is None:
        raise ValueError("broker_management is for a RabbitMQ: pass its URL as broker, too")
    parts = urlsplit(management)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("broker_management must be a URL http://user:password@host:port")


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise LocalServiceFailed(
            f"the local service needs packages that are not installed ({', '.join(missing)}): "
            "pip install 'gcompute[local]'"
        )


def _spawn(folder: Path) -> subprocess.Popen[bytes]:
    try:
        log_file = log_path(folder).open("ab")
    except OSError as error:
        raise _unusable(folder, error) from error
    with log_file:
        return subprocess.Popen(
            # -P: the folder that the user works in is none to import the service from.
            [sys.executable, "-P", "-m", "gcompute.local.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file,
            start_new_session=True,
        )


def _handshake(
    process: subprocess.Popen[bytes], settings: Settings, folder: Path
) -> dict[str, Any]:
    """Send the settings, and read where the service is."""
    assert process.stdin is not None
    try:
        process.stdin.write(settings.to_line().encode())
        process.stdin.flush()
    except BrokenPipeError:
        # It died at once; what it said, if anything, is still to be read.
        log.debug("the service did not read its settings")
    line = _read_line(process, _START_S)
    if line is None:
        raise LocalServiceFailed(
            f"the local service was not ready within {_START_S:g} s.{_log_tail(folder)}"
        )
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise LocalServiceFailed(
            f"the local service died while it started.{_log_tail(folder)}"
        ) from error
    if "error" in answer:
        raise LocalServiceFailed(f"the local service cannot start: {answer['error']}")
    return answer


def _read_line(process: subprocess.Popen[bytes], timeout_s: float) -> bytes | None:
    """Read one line, or what there is when the process ends; ``None`` if that takes too long."""
    assert process.stdout is not None
    number = process.stdout.fileno()
    deadline = time.monotonic() + timeout_s
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([number], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            return None
        chunk = os.read(number, 65536)
        if not chunk:
            break
        line += chunk
    return line


def _stop_process(process: subprocess.Popen[bytes], temporary: Path | None, owner_pid: int) -> None:
    """End a service process, and remove its temporary folder."""
    if os.getpid() != owner_pid:
        # A fork of the owner has a copy of everything; the service is not its.
        return
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.close()
    except BrokenPipeError:
        log.debug("the service had ended before it was stopped")
    for patience_s, insist in ((_STOP_S, process.terminate), (_TERMINATE_S, process.kill)):
        try:
            process.wait(patience_s)
            break
        except subprocess.TimeoutExpired:
            log.warning("the local service (process %d) does not stop; insisting", process.pid)
            insist()
    process.wait()
    process.stdout.close()
    if temporary is not None:
        shutil.rmtree(temporary, ignore_errors=True)


def _unusable(folder: Path, error: OSError) -> LocalServiceFailed:
    file = isinstance(error, FileExistsError | NotADirectoryError)
    why = "a file is in its place" if file else error.strerror
    return LocalServiceFailed(
        f"the state folder {folder} cannot be used ({why}): "
        "pass a state_dir (--state) that can be written"
    )


def _log_tail(folder: Path) -> str:
    """Quote the end of the log."""
    path = log_path(folder)
    try:
        text = path.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
    except OSError:
        return " It left no log."
    return f" The end of {path}:\n{text}" if text else " Its log is empty."
