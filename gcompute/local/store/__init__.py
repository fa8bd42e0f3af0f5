"""The service's state: one SQLite file, written before any answer is given.

:class:`Store` owns the one connection; only the service's event loop uses it. Every request and
every batch of results is one short transaction. The file is in write-ahead mode without a sync
of each commit: a process that is killed loses nothing that was committed (the pages are the
kernel's by then), only a machine that loses power may.

What can fail: :class:`StoreUnusable` on opening (a folder that cannot be written, a file of
another version, another service at work on it); ``sqlite3.Error`` later (a full disk).
"""

from __future__ import annotations

import errno
import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gcompute.local import folder_lock
from gcompute.local.folder_lock import FolderHeld

from .containers import Containers
from .endpoints import Endpoints
from .functions import Functions
from .grants import Grants
from .history import History
from .logins import Logins
from .outcomes import Outcomes
from .schema import SCHEMA, VERSION
from .tasks import Tasks
from .users import Users

__all__ = ["Store", "StoreUnusable"]


class StoreUnusable(Exception):
    """The state folder cannot be used; the text says why and what to do."""


class Store:
    """The tables of one state folder."""

    def __init__(self, folder: Path) -> None:
        self._lock = _lock(folder)
        try:
            self._connection = _open(folder / "state.sqlite")
        except BaseException:
            self._lock.close()
            raise
        self.users = Users(self._connection)
        self.grants = Grants(self._connection)
        self.endpoints = Endpoints(self._connection)
        self.functions = Functions(self._connection)
        self.tasks = Tasks(self._connection)
        self.outcomes = Outcomes(self._connection)
        self.containers = Containers(self._connection)
        self.logins = Logins(self._connection)
        self.history = History(self._connection)

    def close(self) -> None:
        """Close the file and let another service have the folder."""
        self._connection.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside one transaction: all of it or, on an error, nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # On a full disk SQLite may have rolled back by itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def note(self, key: str, value: str) -> None:
        """Keep the value of a key, in place of the one it had."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def noted(self, key: str) -> str | None:
        """Give the value of a key, if it has one."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def remembered(self, key: str, value: str) -> str:
        """Give the value of a key; where it has none yet, keep and give this one."""
        self._connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
        return self.noted(key) or value

    def identity(self) -> str:
        """Give the name that tells this service's queues from those of others on a broker."""
        return self.remembered("identity", f"gcompute-{secrets.token_hex(6)}")

    def seal(self) -> str:
        """Give the secret that the names of this service's queues are sealed with."""
        return self.remembered("seal", secrets.token_hex(16))

    def local_endpoint(self) -> str:
        """Give the id of the endpoint that the service itself starts."""
        return self.remembered("local_endpoint", str(uuid.uuid4()))


def _lock(folder: Path) -> IO[str]:
    try:
        return folder_lock.acquire(folder)
    except FolderHeld as error:
        raise StoreUnusable(
            f"another local service ({error.holder}) uses the state folder {folder}: "
            "stop it, or pass another state_dir"
        ) from error
    except OSError as error:
        raise StoreUnusable(
            f"the state folder {folder} cannot be used ({error.strerror}): {_advice(error.errno)}"
        ) from error


def _advice(number: int | None) -> str:
    """Say what to do about a folder that cannot be used."""
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "make room, or pass another state_dir"
    if number == errno.ENOLCK:
        return "its file system has no locks; pass a state_dir on a disk of this machine"
    return "pass a state_dir that exists and can be written"


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    try:
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT;"
            )
        elif version != VERSION:
            raise StoreUnusable(
                f"{path} was written by another version of gcompute (state version {version}, "
                f"this one reads {VERSION}): pass another state_dir"
            )
    except sqlite3.Error as error:
        connection.close()
        raise _unusable(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _unusable(path: Path, error: sqlite3.Error) -> StoreUnusable:
    return StoreUnusable(f"{path} cannot be used ({error}): {_remedy(error)}")


def _remedy(error: sqlite3.Error) -> str:
    # The lowest byte is the kind of error, what is above says more.
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        # A full disk comes as either.
        return "make room on its disk, or pass another state_dir"
    if kind in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        return "see that you may read and write it, or pass another state_dir"
    return "pass another state_dir, or remove the file"
