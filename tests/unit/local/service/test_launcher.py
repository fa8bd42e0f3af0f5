"""Starting a local service: what is refused, and what it says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gcompute.errors import ComputeError
from gcompute.local import LocalService, LocalServiceFailed, launcher
from gcompute.local.settings import Settings
from gcompute.local.stack import without_credentials


def test_settings_travel_as_one_line() -> None:
    """What one process writes the other reads."""
    settings = Settings(state_dir="/x", broker="amqp://u:p@h/v", workers=7, temporary=False)
    line = settings.to_line()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert Settings.from_line(line) == settings


@pytest.mark.parametrize("arguments", [{"workers": -1}, {"broker": "http://localhost"}])
def test_arguments_that_make_no_sense(arguments: dict[str, object]) -> None:
    """They are refused before anything starts."""
    with pytest.raises(ValueError, match=r"workers|broker"):
        LocalService(**arguments)  # type: ignore[arg-type]


def test_a_service_that_does_not_run_has_no_address() -> None:
    """The error says how to start it, and is one of the package's."""
    service = LocalService()
    with pytest.raises(ComputeError, match="call start"):
        _ = service.url
    service.stop()
    assert not service.is_running
    assert "not running" in repr(service)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the packages of the extra the message says what to install."""
    monkeypatch.setattr(launcher, "find_spec", lambda name: None if name == "starlette" else 1)
    with pytest.raises(LocalServiceFailed, match=r"starlette.*pip install 'gcompute\[local\]'"):
        LocalService().start()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """The message names the folder."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(LocalServiceFailed, match=r"closed.*state_dir"):
        LocalService(state_dir=folder).start()


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """The message names it."""
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(LocalServiceFailed, match=r"file.*state_dir"):
        LocalService(state_dir=path).start()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://user:secret@host:5672/%2F", "amqp://host:5672/%2F"),
        ("amqps://u:p@[::1]:5671/v", "amqps://[::1]:5671/v"),
        ("amqp://host/v", "amqp://host/v"),
    ],
)
def test_an_address_to_show_has_no_credentials(url: str, shown: str) -> None:
    """Host, port and virtual host stay."""
    assert without_credentials(url) == shown
