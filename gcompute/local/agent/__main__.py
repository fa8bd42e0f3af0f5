"""Run an agent: ``python -m gcompute.local.agent``.

Standard input: one line with the JSON object of :mod:`gcompute.local.agent.registration`. When
standard input closes after that, the agent stops in order, as it does on SIGTERM and SIGINT; or at
once, where the registration says that what it was running is run again.

Standard output: one line of JSON, ``{"ready": true, "pid": ...}`` once the agent takes tasks, or
``{"ready": false, "error": ...}`` if that will never be. Standard error: the log, and what user
functions print. Exit status: 0 after an orderly stop, 1 otherwise.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import IO, Any

from gcompute.errors import ComputeError

from .agent import Agent
from .registration import Registration, parse_registration

log = logging.getLogger("gcompute.local.agent")

#: Longest first line, in bytes.
_MAX_LINE = 16 * 1024 * 1024
#: How long threads that have nothing to do may take to end, in seconds.
_LAST_THREADS_S = 0.5
_STANDARD_INPUT, _STANDARD_OUTPUT, _STANDARD_ERROR = 0, 1, 2


def main() -> int:
    """Run an agent until it is told to stop; give the exit status."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_worth_logging)
    # Whatever pika has to say reaches us as an exception as well.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    _fork_no_engine()
    with _take(_STANDARD_INPUT, "rb") as registrations, _take(_STANDARD_OUTPUT, "w") as answers:
        _hide_from_children(registrations.fileno(), answers.fileno())
        status = asyncio.run(_main(registrations, answers))
    if busy := _busy_threads():
        log.warning("not waiting for %s", ", ".join(busy))
        _end_at_once(status)
    return status


def _fork_no_engine() -> None:
    """Have the processes of an engine not forked from this one, unless its factory says so.

    This one has threads, and a forked child may find locked what nobody there unlocks. From
    Python 3.14 on it is the standard library's own choice.
    """
    if multiprocessing.get_start_method() == "fork":
        multiprocessing.set_start_method("forkserver", force=True)


def _is_worth_logging(record: logging.LogRecord) -> bool:
    """Leave out what engines say of their daily work; Parsl, for one, turns on all it has."""
    return record.levelno >= logging.WARNING or record.name.startswith("gcompute")


def _take(standard: int, mode: str) -> IO[Any]:
    """Keep a standard stream to ourselves; put nothing, or the log, in its place."""
    stream: IO[Any] = os.fdopen(os.dup(standard), mode)
    if standard == _STANDARD_INPUT:
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), standard)
    else:
        os.dup2(_STANDARD_ERROR, standard)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)
    return stream


def _hide_from_children(*descriptors: int) -> None:
    """Have forked children drop what is ours; a child that starts a program does anyway."""

    def drop() -> None:
        # A signal that the child gets would else be told to our event loop.
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for descriptor in descriptors:
            with suppress(OSError):
                os.close(descriptor)

    os.register_at_fork(after_in_child=drop)


def _busy_threads() -> list[str]:
    """Give the names of threads that Python would wait for, once they had time to end."""
    busy = []
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join(_LAST_THREADS_S)
            if thread.is_alive():
                busy.append(thread.name)
    return busy


def _end_at_once(status: int) -> None:
    logging.shutdown()
    if os.getpgrp() == os.getpid():
        # An engine's worker processes are ours to end.
        os.killpg(0, signal.SIGKILL)
    os._exit(status)


async def _main(registrations: IO[bytes], answers: IO[str]) -> int:
    stopping, let_go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    standard_input = await _open(registrations)
    watching = None
    try:
        if standard_input is None:
            line = registrations.readline()
        else:
            line = await _first_line(standard_input, stopping)
            if stopping.is_set():
                return 0
            watching = asyncio.create_task(_watch(standard_input, stopping, let_go))
        return await _run(parse_registration(line), stopping, let_go, answers)
    except* ComputeError as errors:
        error = _first(errors)
        log.error("the agent cannot run: %s", error)
        _print(answers, {"ready": False, "error": str(error)})
    finally:
        if watching is not None:
            watching.cancel()
    return 1


async def _first_line(reader: asyncio.StreamReader, stopping: asyncio.Event) -> bytes:
    """Read the registration; nothing, if a stop comes first."""
    reading = asyncio.create_task(reader.readline())
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait([reading, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not reading.done():
        reading.cancel()
        return b""
    return reading.result()


async def _run(
    registration: Registration, stopping: asyncio.Event, let_go: asyncio.Event, answers: IO[str]
) -> int:
    """Run until the agent fails or ``stopping`` is set, whichever comes first.

    ``let_go`` says that it is set because nobody holds the agent any more.
    """
    agent = Agent(registration)
    stop = asyncio.create_task(stopping.wait())
    starting = asyncio.create_task(agent.start())
    failing = None
    try:
        await asyncio.wait([starting, stop], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            return 0
        starting.result()
        _print(answers, {"ready": True, "pid": os.getpid()})
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
        if let_go.is_set() and registration.config.reruns:
            await agent.abandon()
        else:
            await agent.stop()


async def _open(registrations: IO[bytes]) -> asyncio.StreamReader | None:
    """Give a reader for standard input; none where it is a regular file.

    A file cannot be waited for, and its end means nothing.
    """
    reader = asyncio.StreamReader(limit=_MAX_LINE)
    try:
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), registrations
        )
    except ValueError:
        return None
    return reader


async def _watch(
    reader: asyncio.StreamReader, stopping: asyncio.Event, let_go: asyncio.Event
) -> None:
    """Set both events when standard input closes."""
    while await reader.read(65536):
        pass
    log.info("standard input closed: stopping")
    let_go.set()
    stopping.set()


def _first(errors: ExceptionGroup[ComputeError]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _print(answers: IO[str], message: dict[str, object]) -> None:
    print(json.dumps(message), file=answers, flush=True)


if __name__ == "__main__":
    sys.exit(main())
