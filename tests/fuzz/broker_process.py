"""A broker in a process of its own, so that its memory can be watched: see `running_broker`.

`python -m tests.fuzz.broker_process` prints the broker's URL, keeps its log on standard error, and
stops when its standard input closes.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil

from gcompute.local.broker import Broker, BrokerLimits

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 20.0
#: Small enough that a campaign reaches them.
LIMITS = BrokerLimits(
    max_queues=500,
    max_exchanges=100,
    max_bindings=500,
    max_queued_bytes=8 * 2**20,
    max_message_size=2**20,
    write_high_water=2**16,
    handshake_timeout_s=5.0,
    close_timeout_s=1.0,
)


class RunningBroker(NamedTuple):
    """A broker under fuzz; `log` is its standard error."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    @property
    def memory(self) -> int:
        """The memory that the process has, in bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    @property
    def cpu_s(self) -> float:
        """The processor time that it has taken, in seconds."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def running_broker(folder: Path) -> Iterator[RunningBroker]:
    """Run a broker for the length of a `with` block; it must stop in order."""
    log = folder / "broker.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=_ROOT,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with process.stdin, process.stdout:
            yield RunningBroker(process.stdout.readline().strip(), process, log)
        assert process.wait(_PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


async def _serve() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    broker = Broker(limits=LIMITS)
    await broker.start()
    broker.add_user("fuzz", "secret", configure=".*", write=".*", read=".*")
    print(broker.url("fuzz"), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await broker.stop()


if __name__ == "__main__":
    asyncio.run(_serve())
