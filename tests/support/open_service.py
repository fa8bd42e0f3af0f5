"""A local service whose broker a test may enter, and that may be stopped and started again.

:class:`OpenService` is a :class:`gcompute.local.LocalService` without an endpoint. With the
embedded broker there is one more account, which may do everything, so that a test can delete
queues and publish in anybody's name; on a RabbitMQ its own account may. A service that is started
again has its state and the port of its web service; the embedded broker's port may be another.

Run as a program, this module is the service: ``python -m tests.support.open_service``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from unittest import mock

from gcompute.local import LocalService, service_process

_ADMINISTRATOR = "tests"
_ROOT = Path(__file__).parents[2]


class OpenService:
    """A service in a process of its own.

    Args:
        folder: for its state and its log; must exist.
        broker: URL of a RabbitMQ; ``None`` for the embedded broker.
    """

    def __init__(self, folder: Path, broker: str | None = None) -> None:
        self._folder = folder
        self._broker = broker
        self._port = 0
        self._service: LocalService | None = None
        self.url = ""
        self.token = ""
        #: URL of an account of the broker that may do everything.
        self.broker_url = ""

    def start(self) -> None:
        """Start, and return when the service answers.

        Raises:
            LocalServiceFailed: it does not start.
        """
        service = LocalService(
            workers=0, broker=self._broker, state_dir=self._folder, port=self._port
        )
        with mock.patch.object(service_process, "spawn", _spawn):
            service.start()
        self._service = service
        self.url, self.token = service.url, service.token
        self._port = int(self.url.rpartition(":")[2])
        place = service.broker.removeprefix("amqp://").partition("/")[0]
        self.broker_url = self._broker or f"amqp://{_ADMINISTRATOR}:{_ADMINISTRATOR}@{place}/%2F"

    def stop(self) -> None:
        """Stop, in order; harmless when it has stopped already."""
        service, self._service = self._service, None
        if service is not None:
            service.stop()


def _spawn(folder: Path) -> subprocess.Popen[bytes]:
    """Start the service as the launcher does, with the broker of this module."""
    with (folder / "service.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )


def _main() -> int:
    import gcompute.local.broker
    from gcompute.local.broker import Broker
    from gcompute.local.server import main

    class OpenBroker(Broker):
        """The embedded broker, with an administrator whose password everybody knows."""

        async def start(self) -> None:
            await super().start()
            self.add_user(_ADMINISTRATOR, _ADMINISTRATOR, configure=".*", write=".*", read=".*")

    gcompute.local.broker.Broker = OpenBroker  # type: ignore[misc]
    return main()


if __name__ == "__main__":
    sys.exit(_main())
