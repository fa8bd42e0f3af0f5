"""How a running service is found by its state folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gcompute.local import folder_lock
from gcompute.local.announcement import Absent, Busy, Running, find, publish, withdraw
from gcompute.local.folder_lock import FolderHeld, Holder


def test_no_folder(tmp_path: Path) -> None:
    """And one in which nothing ever ran, have no service."""
    assert find(tmp_path / "missing") == Absent()
    assert find(tmp_path) == Absent()


def test_a_service_from_start_to_end(tmp_path: Path) -> None:
    """It is busy until it takes tasks, and while it stops."""
    with folder_lock.acquire(tmp_path):
        assert find(tmp_path) == Busy(Holder(os.getpid()))
        publish(tmp_path, {"url": "u", "endpoint_id": None})
        found = find(tmp_path)
        assert isinstance(found, Running)
        assert (found.pid, found.announcement) == (os.getpid(), {"url": "u", "endpoint_id": None})
        withdraw(tmp_path)
        withdraw(tmp_path)
        assert find(tmp_path) == Busy(Holder(os.getpid()))
    assert find(tmp_path) == Absent()


def test_what_a_killed_service_said_is_not_about_now(tmp_path: Path) -> None:
    """Neither when nobody runs, nor while another one starts."""
    publish(tmp_path, {"url": "u"})
    assert find(tmp_path) == Absent(killed_pid=os.getpid())
    said = tmp_path / "service.json"
    said.write_text(said.read_text().replace(str(os.getpid()), "1"))
    with folder_lock.acquire(tmp_path):
        assert find(tmp_path) == Busy(Holder(os.getpid()))


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """Also where a file of the same name was left that everybody can read."""
    for name in ("service.json", "service.new"):
        (tmp_path / name).touch(mode=0o644)
    publish(tmp_path, {"token": "secret"})
    assert stat.S_IMODE((tmp_path / "service.json").stat().st_mode) == 0o600
    assert not (tmp_path / "service.new").exists()


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    """The others are told who it is, and looking changes nothing."""
    assert folder_lock.holder(tmp_path) is None
    with folder_lock.acquire(tmp_path):
        assert folder_lock.holder(tmp_path) == Holder(os.getpid())
        with pytest.raises(FolderHeld, match=f"process {os.getpid()}"):
            folder_lock.acquire(tmp_path)
        assert not folder_lock.wait_until_free(tmp_path, 0)
    assert folder_lock.wait_until_free(tmp_path, 0)


def test_a_lock_file_that_is_left_behind_locks_nothing(tmp_path: Path) -> None:
    """Not even with the number of a process that is there."""
    (tmp_path / "service.lock").write_text("1\n")
    assert folder_lock.holder(tmp_path) is None
    folder_lock.acquire(tmp_path).close()


def test_a_holder_that_has_not_told_its_number(tmp_path: Path) -> None:
    """Is there all the same."""
    with folder_lock.acquire(tmp_path):
        (tmp_path / "service.lock").write_text("")
        held_by = folder_lock.holder(tmp_path)
    assert held_by == Holder(None)
    assert str(held_by) == "a process that just starts"


def test_a_folder_that_cannot_be_locked(tmp_path: Path) -> None:
    """Is no folder that somebody holds."""
    with pytest.raises(FileNotFoundError):
        folder_lock.acquire(tmp_path / "missing")


@pytest.mark.parametrize("content", ["", '{"pid": 1', "{}"])
def test_half_a_file_says_nothing(tmp_path: Path, content: str) -> None:
    """As a machine leaves it that lost its power."""
    (tmp_path / "service.json").write_text(content)
    assert find(tmp_path) == Absent()
