"""What a running service says of itself in its state folder: the file ``service.json``.

It is there from the moment in which the service takes tasks until it stops in order, for the
programs of others that know no more than the folder. It has tokens in it, so only the service's
own user can read it. A service that was killed leaves it behind: only while the process that
wrote it holds the folder's lock does it say anything about now.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .folder_lock import Holder, holder


@dataclass(frozen=True, slots=True)
class Running:
    """A service that takes tasks."""

    pid: int
    #: When it was ready, Unix time in seconds.
    started_at: float
    #: Where it is and what its users need. Source: ``stack.Announcement``.
    announcement: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Busy:
    """A service that starts or stops: somebody works on the folder, and takes no tasks."""

    holder: Holder


@dataclass(frozen=True, slots=True)
class Absent:
    """No service; ``killed_pid`` is one that ended without having been stopped."""

    killed_pid: int | None = None


def publish(folder: Path, announcement: Mapping[str, Any]) -> None:
    """Say that this process runs the service of a folder.

    Raises:
        OSError: the file cannot be written.
    """
    content = {"pid": os.getpid(), "started_at": time.time(), **announcement}
    path = _path(folder)
    new = path.with_suffix(".new")
    # Made anew, so that the mode is that of this call.
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
    # Readers see the old file or the new one, and never half of one.
    new.replace(path)


def withdraw(folder: Path) -> None:
    """Take back what was said; nothing happens if nothing was."""
    _path(folder).unlink(missing_ok=True)


def find(folder: Path) -> Running | Busy | Absent:
    """Tell what runs on a folder now; one that does not exist has no service.

    Raises:
        PermissionError: the folder is another user's.
    """
    said = _read(folder)
    held_by = holder(folder)
    if held_by is None:
        return Absent(None if said is None else said.pid)
    if said is None or said.pid != held_by.pid:
        return Busy(held_by)
    return said


def _read(folder: Path) -> Running | None:
    try:
        content = json.loads(_path(folder).read_text())
        return Running(content.pop("pid"), content.pop("started_at"), content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError):
        # What a machine without power leaves of a file says nothing.
        return None


def _path(folder: Path) -> Path:
    return folder / "service.json"
