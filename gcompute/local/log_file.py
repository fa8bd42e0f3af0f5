"""The log of a service, bounded: ``service.log``, and in ``service.log.1`` what was there before.

The agent and its workers write to the same file, with what functions print, as it is the standard
error of them all. So a log that has become too long is copied and emptied in place, and everybody
goes on at its new end: one that was renamed, as ``logging.handlers`` does, they would still write
to. What is written in the instant between the copy and the emptying is lost.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

log = logging.getLogger(__name__)

#: How large each of the two files may become, in bytes; what is written between two looks is more.
MOST_BYTES = 16 * 1024 * 1024


def log_path(folder: Path) -> Path:
    """Give the place of the log in a state folder."""
    return folder / "service.log"


def older_log_path(folder: Path) -> Path:
    """Give the place of what was in the log before; there may be nothing."""
    return folder / "service.log.1"


def bound(folder: Path, most_bytes: int = MOST_BYTES) -> None:
    """Begin the log anew if it is too long; what was in it becomes the older one.

    Raises:
        OSError: the log cannot be emptied.
    """
    path, older = log_path(folder), older_log_path(folder)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        # Somebody removed it: what is written now has no name.
        return
    if size <= most_bytes:
        return
    try:
        shutil.copy(path, older)
        kept = f"what was in it is in {older.name}"
    except OSError as error:
        # On a full disk the room matters more than the past.
        older.unlink(missing_ok=True)
        kept = f"what was in it is lost, as it could not be copied ({error.strerror})"
    os.truncate(path, 0)
    log.info("the log was over %d bytes and begins anew; %s", most_bytes, kept)
