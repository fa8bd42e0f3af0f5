"""Run a service: ``python -m gcompute.local.server``.

Standard input: one line with :class:`~gcompute.local.settings.Settings` as JSON. When standard
input closes after that, because its owner stops it or has died, the service stops in order, as it
does on SIGTERM and SIGINT. After a line ``detach`` it runs on without its owner.

Standard output: one line of JSON: where the service is (``url``, ``users``, ``endpoint_id``,
``broker``, ``state_dir``) once it is ready, or ``error`` with the reason why it never will be.
The state folder says the same for as long as the service runs.
Standard error: the log. Exit status: 0 after an orderly stop, 1 otherwise.

The endpoint's agent is started before the service's own imports, so that both import at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path

from .announcement import publish, withdraw
from .log_file import bound
from .settings import DETACH, Settings

log = logging.getLogger("gcompute.local.server")

#: How often to look at the state folder, in seconds.
_LOOK_S = 5.0


def main() -> int:
    """Run a service until it is told to stop; give the exit status."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # What pika sees reaches us as an exception too; of uvicorn only trouble is of interest.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    line = sys.stdin.readline()
    if not line:
        return 1
    return asyncio.run(_main(Settings.from_line(line)))


async def _main(settings: Settings) -> int:
    stopping, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    leash = asyncio.create_task(_hold(reader, stopping), name="gcompute-leash")
    stop = asyncio.create_task(stopping.wait())
    serving = asyncio.create_task(_serve(settings, stopping, ready), name="gcompute-service")
    await asyncio.wait([serving, stop], return_when=asyncio.FIRST_COMPLETED)
    if not ready.is_set():
        serving.cancel()
    await asyncio.wait([serving])
    leash.cancel()
    stop.cancel()
    if stopping.is_set() and settings.temporary:
        # The owner does this too, unless it was killed.
        shutil.rmtree(settings.state_dir, ignore_errors=True)
    if serving.cancelled():
        return 0
    error = serving.exception()
    if error is None:
        return 0
    log.error("the service cannot run", exc_info=error)
    if not ready.is_set():
        _say({"error": _reason(error, settings)})
    return 1


async def _serve(settings: Settings, stopping: asyncio.Event, ready: asyncio.Event) -> None:
    """Start, say so, and wait until somebody wants it to stop."""
    from .agent_lock import AgentLock
    from .agent_process import AgentProcess

    folder = Path(settings.state_dir)
    lock = AgentLock(folder)
    if settings.ca_file is not None:
        # The agent is a client like any other: it knows the broker by its certificate.
        os.environ["SSL_CERT_FILE"] = settings.ca_file
    agent = await AgentProcess.spawn(lock) if settings.workers else None
    watch = asyncio.create_task(_watch(folder, stopping), name="gcompute-folder")
    try:
        from .stack import running

        async with running(settings, agent) as announcement:
            publish(folder, announcement)
            ready.set()
            log.info("ready at %s", announcement["url"])
            _say(announcement)
            await stopping.wait()
            log.info("stopping")
            withdraw(folder)
    finally:
        if agent is not None:
            await agent.stop()
        watch.cancel()
        lock.close()


async def _watch(folder: Path, stopping: asyncio.Event) -> None:
    """Keep the log bounded; stop the service when its folder is gone, by which others find it."""
    place = await asyncio.to_thread(folder.stat)
    while True:
        if not await asyncio.to_thread(_is_there, folder, place):
            log.error("the state folder %s was removed: the service stops", folder)
            stopping.set()
            return
        try:
            await asyncio.to_thread(bound, folder)
        except OSError as error:
            log.warning("the log cannot be bounded: %s", error)
        await asyncio.sleep(_LOOK_S)


def _is_there(folder: Path, place: os.stat_result) -> bool:
    """Tell whether a folder is where it was; not knowing is no reason to stop."""
    try:
        return os.path.samestat(folder.stat(), place)
    except FileNotFoundError:
        return False
    except OSError:
        return True


async def _hold(reader: asyncio.StreamReader, stopping: asyncio.Event) -> None:
    """Stop the service when its standard input closes, unless its owner has let it go."""
    while line := await reader.readline():
        if line == DETACH:
            return
    stopping.set()


def _reason(error: BaseException, settings: Settings) -> str:
    if isinstance(error, ImportError):
        return (
            f"the local service needs a package that is not installed ({error}): "
            "pip install 'gcompute[local]'"
        )
    if isinstance(error, sqlite3.Error):
        return f"its state in {settings.state_dir} cannot be written ({error}): make room there"
    return str(error) or repr(error)


def _say(message: Mapping[str, object]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main())
