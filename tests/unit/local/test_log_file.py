"""The log of a service does not grow without end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gcompute.local.log_file import bound


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file."""
    path = folder / name
    path.write_text(text)
    return path


def test_a_short_log_stays(tmp_path: Path) -> None:
    """Up to the limit nothing happens."""
    path = write(tmp_path, "service.log", "x" * 100)
    bound(tmp_path, 100)
    assert path.read_text() == "x" * 100
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_log_becomes_the_older_one(tmp_path: Path) -> None:
    """In place of the one that was that before."""
    path, older = (write(tmp_path, name, name * 20) for name in ("service.log", "service.log.1"))
    bound(tmp_path, 100)
    assert path.read_text() == ""
    assert older.read_text() == "service.log" * 20


def test_who_writes_goes_on_in_it(tmp_path: Path) -> None:
    """A worker has the file open as it was when it started."""
    path = write(tmp_path, "service.log", "")
    script = "import os; os.write(2, b'x' * 101); os.write(1, b'.'); input(); os.write(2, b'more')"
    with path.open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert worker.stdout is not None
    assert worker.stdout.read(1) == b"."
    bound(tmp_path, 100)
    assert path.read_text() == ""
    worker.communicate(b"\n", timeout=20)
    assert path.read_text() == "more"


def test_a_disk_without_room_for_a_copy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log is emptied all the same, which makes room, and says so."""
    path = write(tmp_path, "service.log", "x" * 101)
    (tmp_path / "service.log.1").symlink_to("/dev/full")
    with caplog.at_level("INFO"):
        bound(tmp_path, 100)
    assert path.read_text() == ""
    assert "lost, as it could not be copied (No space left on device)" in caplog.text
    assert not (tmp_path / "service.log.1").is_symlink()


def test_a_log_that_was_removed(tmp_path: Path) -> None:
    """Is nobody's trouble."""
    bound(tmp_path)
    assert list(tmp_path.iterdir()) == []
