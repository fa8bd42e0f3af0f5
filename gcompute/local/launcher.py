"""A local service as an object: what it is asked, when it starts, and when it ends.

The service runs in processes of its own (:mod:`~gcompute.local.service_process`).
:class:`LocalService` owns the process, what holds it, and, unless told otherwise, the state folder.
What a service offers while it runs is in :mod:`~gcompute.local.offer`.
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
from typing import Any, Self

from . import service_process
from .arguments import checked
from .offer import Offer
from .service_process import LocalServiceFailed, unusable
from .user import User

#: What the extra ``local`` installs, by import name.
_NEEDED = ("jsonschema_rs", "starlette", "uvicorn")


class LocalService(Offer):
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
        # First, as a repr looks at it.
        super().__init__()
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
        self._withdraw()
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
