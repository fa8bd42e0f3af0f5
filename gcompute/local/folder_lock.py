"""The lock on a state folder: one service at a time works on it, and others can tell which.

The lock is the kernel's (``flock`` on ``service.lock``), so it goes with the process that holds
it, however that ends: a file that is left behind locks nothing. In the file is the number of the
process, for those who want to name or stop it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

#: A look at the lock holds it for an instant; one who wants it tries again for so long, seconds.
_LOOK_S = 0.2
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that works on a folder; ``pid`` is ``None`` while it starts."""

    pid: int | None

    def __str__(self) -> str:
        return f"process {self.pid}" if self.pid is not None else "a process that just starts"


class FolderHeld(Exception):
    """Another process works on the folder."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(str(holder))
        self.holder = holder


def acquire(folder: Path) -> IO[str]:
    """Lock a folder for this process until the file is closed.

    Raises:
        FolderHeld: another process has it.
        OSError: the folder cannot be written, or its file system has no locks.
    """
    lock = _path(folder).open("a+")
    try:
        _insist(lock)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
    except BlockingIOError as error:
        holder = _read(lock)
        lock.close()
        raise FolderHeld(holder) from error
    except BaseException:
        lock.close()
        raise
    return lock


def holder(folder: Path) -> Holder | None:
    """Tell who works on a folder now; ``None`` if nobody does, or there is no such folder."""
    try:
        lock = _path(folder).open("r+")
    except (FileNotFoundError, NotADirectoryError):
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(lock)
    return None


def wait_until_free(folder: Path, timeout_s: float) -> bool:
    """Wait until nobody works on a folder; tell whether that came about in time."""
    deadline = time.monotonic() + timeout_s
    while holder(folder) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_S)
    return True


def _path(folder: Path) -> Path:
    return folder / "service.lock"


def _insist(lock: IO[str]) -> None:
    deadline = time.monotonic() + _LOOK_S
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES) or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_S)


def _read(lock: IO[str]) -> Holder:
    lock.seek(0)
    text = lock.read().strip()
    return Holder(int(text) if text.isdecimal() else None)
