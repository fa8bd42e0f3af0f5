"""Checks of the logs on this machine: of endpoints that run here, and of the local service."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from gcompute.diagnosis.outcome import Outcome, ok, warning

_LINES = 5
_TAIL_BYTES = 16_384
#: Logs that are shown, the latest first.
_MOST = 3
_TROUBLE = re.compile(r"\b(ERROR|CRITICAL)\b|Traceback \(most recent call last\)")


def check_endpoint_logs(folder: Path) -> Outcome:
    """Show the ends of the logs of this machine's endpoints.

    Args:
        folder: the folder that has one for each endpoint, ``~/.globus_compute``.
    """
    return _tails(folder.glob("*/endpoint.log"), "no endpoint has been started here")


def check_service_logs(folders: Iterable[Path] | None, user_dir: Path, state_dir: Path) -> Outcome:
    """Show the ends of the logs of local services.

    Args:
        folders: their state folders; ``None`` for those that are found.
        user_dir: the folder for tokens and endpoints.
        state_dir: the folder in which ``gcompute local`` keeps its service.
    """
    if folders is None:
        folders = local_state_dirs(user_dir, state_dir)
    return _tails((folder / "service.log" for folder in folders), "no local service is here")


def local_state_dirs(user_dir: Path, state_dir: Path) -> tuple[Path, ...]:
    """Find the folders of this user's local services: temporary ones, and kept ones."""
    temporary = Path(tempfile.gettempdir()).glob("gcompute-*")
    mine = [path for path in temporary if _is_mine(path)]
    return (*mine, *(path.parent for path in user_dir.glob("*/service.log")), state_dir)


def _tails(paths: Iterable[Path], none: str) -> Outcome:
    dated = [(when, path) for path in paths if (when := _modified(path)) is not None]
    latest = sorted(dated, reverse=True)[:_MOST]
    if not latest:
        return ok(none, logs=[])
    lines, logs, trouble = [], [], []
    for when, path in latest:
        moment = datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        tail = _tail(path)
        lines += [f"{path}, last written {moment}", *(f"  {line}" for line in tail)]
        logs.append({"path": str(path), "written": moment, "tail": tail})
        if any(_TROUBLE.search(line) for line in tail):
            trouble.append(str(path))
    found = "\n".join([f"{len(dated)} found", *lines])
    if trouble:
        return warning(found, f"Read what went wrong in {', '.join(trouble)}.", logs=logs)
    return ok(found, logs=logs)


def _tail(path: Path) -> list[str]:
    """Give the last lines of a text, however long it is."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            start = max(0, file.tell() - _TAIL_BYTES)
            file.seek(start)
            if start:
                file.readline()  # half a line, and so perhaps half a secret
            text = file.read().decode(errors="replace")
    except OSError as error:
        return [f"(cannot be read: {error.strerror})"]
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return lines[-_LINES:]


def _modified(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _is_mine(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except OSError:
        return False
