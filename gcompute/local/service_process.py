"""The launcher's end of a service process: started, asked where it is, let go, or stopped.

::

    this process ----stdin: settings, then a leash----> service process ----> agent ----> workers
                 <---stdout: one line, where it is----
                                   its standard error ----> service.log in the state folder

The service runs as long as its standard input is open: it stops when that is closed, and also when
this process ends without a word, even by ``kill -9``. It is in a session of its own, so that
Ctrl-C in a terminal or notebook reaches this process alone.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import selectors
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gcompute.errors import ComputeError

from .log_file import log_path
from .settings import DETACH, Settings

log = logging.getLogger(__name__)

_START_S = 60.0
_STOP_S = 20.0
_TERMINATE_S = 5.0
#: How much of the log an error quotes, in bytes.
_TAIL_BYTES = 4000
#: The processes that were let go: each is this process's child still, and is waited for when the
#: next one starts, or never.
_detached: list[subprocess.Popen[bytes]] = []


class LocalServiceFailed(ComputeError):
    """The local service cannot start, or has died; the text says why and what to do."""


def spawn(folder: Path) -> subprocess.Popen[bytes]:
    """Start a process, which waits for its settings and logs to a state folder.

    Raises:
        LocalServiceFailed: the folder cannot be written.
    """
    _detached[:] = [process for process in _detached if process.poll() is None]
    try:
        log_file = log_path(folder).open("ab")
    except OSError as error:
        raise unusable(folder, error) from error
    with log_file:
        return subprocess.Popen(
            # -P: the folder that the user works in is none to import the service from.
            [sys.executable, "-P", "-m", "gcompute.local.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file,
            start_new_session=True,
        )


def handshake(process: subprocess.Popen[bytes], settings: Settings) -> dict[str, Any]:
    """Send the settings, and read where the service is: what it announces.

    Raises:
        LocalServiceFailed: it cannot start.
    """
    folder = Path(settings.state_dir)
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
            f"the local service was not ready within {_START_S:g} s.{log_tail(folder)}"
        )
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise LocalServiceFailed(
            f"the local service died while it started.{log_tail(folder)}"
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
    # Not select.select, which knows the first 1,024 files of a process alone.
    with selectors.DefaultSelector() as selector:
        selector.register(number, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return None
            chunk = os.read(number, 65536)
            if not chunk:
                break
            line += chunk
    return line


def let_go(process: subprocess.Popen[bytes]) -> None:
    """Let a service run on without this process."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(DETACH)
    process.stdin.close()
    process.stdout.close()
    _detached.append(process)


@atexit.register
def _disown() -> None:
    for process in _detached:
        if process.poll() is None:
            # Or subprocess warns of a child that runs on, as this one is meant to.
            process.returncode = 0


def stop(process: subprocess.Popen[bytes], temporary: Path | None, owner_pid: int) -> None:
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


def unusable(folder: Path, error: OSError) -> LocalServiceFailed:
    """Say why a state folder cannot be used, and what to do."""
    file = isinstance(error, FileExistsError | NotADirectoryError)
    why = "a file is in its place" if file else error.strerror
    return LocalServiceFailed(
        f"the state folder {folder} cannot be used ({why}): "
        "pass a state_dir (--state) that can be written"
    )


def log_tail(folder: Path) -> str:
    """Quote the end of the log."""
    path = log_path(folder)
    try:
        text = path.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
    except OSError:
        return " It left no log."
    return f" The end of {path}:\n{text}" if text else " Its log is empty."
