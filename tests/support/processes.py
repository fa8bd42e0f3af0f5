"""Which processes there are, from ``/proc``: to see that none is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

#: Places in ``/proc/<pid>/stat`` after the command's name. Source: proc(5).
_STATE, _SESSION = 0, 3


def session_members(session: int) -> list[int]:
    """Give the living processes of a session, which has the number of its first process.

    Processes stay in a session when their parent ends, unless they start one of their own.
    """
    return [
        number for number, fields in _stats() if fields[_SESSION] == str(session) and _alive(fields)
    ]


def started_with(variable: str, value: str) -> list[int]:
    """Give the living processes that were started with a variable in their environment."""
    wanted = f"{variable}={value}".encode()
    return [
        number
        for number, fields in _stats()
        if _alive(fields) and wanted in _read(number, "environ").split(b"\0")
    ]


def mentioning(text: str) -> list[int]:
    """Give the living processes whose command line, or title, has a text in it."""
    wanted = text.encode()
    return [
        number
        for number, fields in _stats()
        if _alive(fields) and wanted in _read(number, "cmdline")
    ]


def _alive(fields: list[str]) -> bool:
    return fields[_STATE] not in ("Z", "X")


def _stats() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            # The name is in parentheses, and may have anything in it.
            text = _read(int(folder.name), "stat").decode(errors="replace")
            fields = text.rpartition(")")[2].split()
            if fields:
                yield int(folder.name), fields


def _read(number: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{number}/{what}").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        # It has ended meanwhile, or is another user's.
        return b""
