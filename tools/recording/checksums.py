"""The list of recordings with their checksums: nothing of them is edited by hand.

In the format of ``sha256sum``, so that ``sha256sum --check CHECKSUMS`` says what was changed, too.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

NAME = "CHECKSUMS"
_RECORDINGS = ("*/*.yaml", "*/*.jsonl")


def checksums(folder: Path) -> dict[str, str]:
    """Give the checksum of each recording in a folder, by its path there."""
    found = sorted(path for pattern in _RECORDINGS for path in folder.glob(pattern))
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
    }


def write_checksums(folder: Path) -> None:
    """Write the list of a folder's recordings."""
    lines = [f"{digest}  {name}\n" for name, digest in checksums(folder).items()]
    (folder / NAME).write_text("".join(lines), "utf-8")


def listed(folder: Path) -> dict[str, str]:
    """Read the list of a folder's recordings."""
    lines = (folder / NAME).read_text("utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
