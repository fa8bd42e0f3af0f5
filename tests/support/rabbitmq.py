"""A RabbitMQ of our own for the length of a test session.

What comes in: the accounts that the node shall know. What goes out: the port and the URLs of a
node that shares nothing with another RabbitMQ of the machine: its own node name, Erlang cookie,
ports, database, log, configuration and port mapper (epmd), all on loopback and all below one
temporary folder.

With `management` the node has its HTTP API for users and permissions as well, on one more port.

`RabbitMQ` owns two processes: an epmd in the foreground (the one that Erlang would start by
itself is a daemon and would outlive the tests) and the node, in a process group of its own.
`stop` ends both. A node that does not come up raises `RuntimeError` with what it printed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.support.ports import free_port

#: Debian's `rabbitmq-server` on PATH changes to the user `rabbitmq`; the script behind it does not.
_SERVER_SCRIPTS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
_READY = b"completed with"
_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Account:
    """A user of the virtual host `/` and the three patterns that say what he may do."""

    name: str
    password: str
    configure: str = ".*"
    write: str = ".*"
    read: str = ".*"
    administrator: bool = False


ADMINISTRATOR = Account("tests", "tests", administrator=True)


def find_server() -> str | None:
    """Return the path of the script that starts a node, or None if RabbitMQ is not installed."""
    return next((found for script in _SERVER_SCRIPTS if (found := shutil.which(script))), None)


class RabbitMQ:
    """One private node; `start` returns when it accepts connections.

    `folder` must exist and be empty; it may be removed after `stop`. `settings` are lines for
    `rabbitmq.conf`. `management` starts the plugin of that name.
    """

    def __init__(
        self,
        folder: Path,
        accounts: Sequence[Account] = (ADMINISTRATOR,),
        settings: Sequence[str] = (),
        *,
        management: bool = False,
    ) -> None:
        self.port = free_port()
        self._management_port = free_port() if management else None
        self._folder = folder
        self._settings = settings
        self._accounts = {account.name: account for account in accounts}
        self._epmd: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None

    def url(self, name: str = ADMINISTRATOR.name) -> str:
        """Return `amqp://name:password@127.0.0.1:port/%2F` for one of the accounts."""
        return f"amqp://{self._credentials(name)}@127.0.0.1:{self.port}/%2F"

    def management_url(self, name: str = ADMINISTRATOR.name) -> str:
        """Return `http://name:password@127.0.0.1:port` for one of the accounts."""
        assert self._management_port is not None, "start the node with management=True"
        return f"http://{self._credentials(name)}@127.0.0.1:{self._management_port}"

    def _credentials(self, name: str) -> str:
        account = self._accounts[name]
        return f"{quote(account.name, safe='')}:{quote(account.password, safe='')}"

    def start(self) -> None:
        """Start epmd and the node, and wait until the node says that it has started.

        A node that was stopped starts again with its port and with what it had kept.
        """
        script = find_server()
        epmd = shutil.which("epmd")
        if script is None or epmd is None:
            raise RuntimeError("RabbitMQ is not installed: install rabbitmq-server")
        epmd_port = free_port()
        if not (self._folder / "rabbitmq.conf").exists():
            self._write_configuration()
        self._epmd = subprocess.Popen(
            [epmd, "-port", str(epmd_port), "-address", "127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._node = subprocess.Popen(
            [script],
            env=self._environment(epmd_port),
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._await_ready(self._node)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the node and its epmd; harmless when they have stopped already."""
        node, self._node = self._node, None
        if node is not None:
            _end(node, group=True)
            if node.stdout is not None:
                node.stdout.close()
        epmd, self._epmd = self._epmd, None
        if epmd is not None:
            _end(epmd)

    def _await_ready(self, node: subprocess.Popen[bytes]) -> None:
        assert node.stdout is not None
        deadline = time.monotonic() + _START_TIMEOUT_S
        printed = b""
        while _READY not in printed:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([node.stdout], [], [], max(left, 0))
            chunk = os.read(node.stdout.fileno(), 65536) if ready else b""
            if not chunk:
                reason = "ended" if ready else f"was not ready after {_START_TIMEOUT_S:.0f} s"
                raise RuntimeError(f"RabbitMQ {reason}:\n{printed.decode(errors='replace')}")
            printed += chunk

    def _write_configuration(self) -> None:
        folder = self._folder
        for name in ("mnesia", "log"):
            (folder / name).mkdir()
        cookie = folder / ".erlang.cookie"
        cookie.write_text(base64.b32encode(os.urandom(15)).decode())
        cookie.chmod(0o400)
        plugins, settings = "[].\n", list(self._settings)
        if self._management_port is not None:
            plugins = "[rabbitmq_management].\n"
            settings.append("management.tcp.ip = 127.0.0.1")
            settings.append(f"management.tcp.port = {self._management_port}")
        (folder / "enabled_plugins").write_text(plugins)
        (folder / "rabbitmq-env.conf").write_text("")
        (folder / "definitions.json").write_text(json.dumps(self._definitions()))
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self.port}\n"
            f"load_definitions = {folder / 'definitions.json'}\n"
            "vm_memory_high_watermark.absolute = 1GiB\n"
            "disk_free_limit.absolute = 50MB\n" + "".join(f"{line}\n" for line in settings)
        )

    def _environment(self, epmd_port: int) -> dict[str, str]:
        folder = str(self._folder)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {
            "HOME": folder,
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"gcompute-{os.getpid()}-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/rabbitmq-env.conf",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
        }

    def _definitions(self) -> dict[str, object]:
        accounts = self._accounts.values()
        return {
            "vhosts": [{"name": "/"}],
            "users": [
                {
                    "name": account.name,
                    "password_hash": _password_hash(account.password),
                    "hashing_algorithm": "rabbit_password_hashing_sha256",
                    "tags": ["administrator"] if account.administrator else [],
                }
                for account in accounts
            ],
            "permissions": [
                {
                    "user": account.name,
                    "vhost": "/",
                    "configure": account.configure,
                    "write": account.write,
                    "read": account.read,
                }
                for account in accounts
            ],
        }


@contextmanager
def running_rabbitmq(
    folder: Path,
    accounts: Sequence[Account] = (ADMINISTRATOR,),
    settings: Sequence[str] = (),
    *,
    management: bool = False,
) -> Iterator[RabbitMQ]:
    """Run a private node for the length of a `with` block; `folder` must be empty."""
    node = RabbitMQ(folder, accounts, settings, management=management)
    node.start()
    try:
        yield node
    finally:
        node.stop()


def _password_hash(password: str) -> str:
    """Hash as RabbitMQ's definitions want it: four bytes of salt, SHA-256, base64."""
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _end(process: subprocess.Popen[bytes], *, group: bool = False) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            if group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_STOP_TIMEOUT_S)
            return
