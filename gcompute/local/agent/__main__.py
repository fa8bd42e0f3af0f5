"""Run an agent: ``python -m gcompute.local.agent``.

Standard input: one line with the JSON object of :mod:`gcompute.local.agent.registration`. When
standard input closes after that, the agent stops in order, as it does on SIGTERM and SIGINT.

Standard output: one line of JSON, ``{"ready": true, "pid": ...}`` once the agent takes tasks, or
``{"ready": false, "error": ...}`` if that will never be. Standard error: the log, and what user
functions print. Exit status: 0 after an orderly stop, 1 otherwise.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys

from gcompute.errors import ComputeError

from .agent import Agent
from .registration import Registration, parse_registration

log = logging.getLogger("gcompute.local.agent")

#: Longest first line, in bytes.
_MAX_LINE = 16 * 1024 * 1024


def main() -> int:
    """Run an agent until it is told to stop; give the exit status."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # Whatever pika has to say reaches us as an exception as well.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    return asyncio.run(_main())


async def _main() -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    standard_input = await _open_standard_input()
    watching = None
    try:
        if standard_input is None:
            line = sys.stdin.buffer.readline()
        else:
            line = await standard_input.readline()
            watching = asyncio.create_task(_watch(standard_input, stopping), name="gcompute-stdin")
        return await _run(parse_registration(line), stopping)
    except* ComputeError as errors:
        error = _first(errors)
        log.error("the agent cannot run: %s", error)
        _print({"ready": False, "error": str(error)})
    finally:
        if watching is not None:
            watching.cancel()
    return 1


async def _run(registration: Registration, stopping: asyncio.Event) -> int:
    """Run until the agent fails or ``stopping`` is set, whichever comes first."""
    agent = Agent(registration)
    stop = asyncio.create_task(stopping.wait())
    starting = asyncio.create_task(agent.start())
    failing = None
    try:
        await asyncio.wait([starting, stop], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            return 0
        starting.result()
        _print({"ready": True, "pid": os.getpid()})
        failing = asyncio.create_task(agent.wait_failed())
        await asyncio.wait([failing, stop], return_when=asyncio.FIRST_COMPLETED)
        if not failing.done():
            return 0
        log.error("the agent cannot go on: %s", failing.result())
        return 1
    finally:
        waiting = [task for task in (starting, failing, stop) if task and not task.done()]
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting)
        await agent.stop()


async def _open_standard_input() -> asyncio.StreamReader | None:
    """Give a reader for standard input; none where it is a regular file.

    A file cannot be waited for, and its end means nothing.
    """
    reader = asyncio.StreamReader(limit=_MAX_LINE)
    try:
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
    except ValueError:
        return None
    return reader


async def _watch(reader: asyncio.StreamReader, stopping: asyncio.Event) -> None:
    """Set ``stopping`` when standard input closes."""
    while await reader.read(65536):
        pass
    log.info("standard input closed: stopping")
    stopping.set()


def _first(errors: ExceptionGroup[ComputeError]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _print(message: dict[str, object]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main())
