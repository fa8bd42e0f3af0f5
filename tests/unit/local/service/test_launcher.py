"""Starting a local service: what is refused, and what it says."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from gcompute.errors import ComputeError
from gcompute.local import LocalService, LocalServiceFailed, User, launcher
from gcompute.local.accounts import without_credentials
from gcompute.local.settings import Settings


def test_settings_travel_as_one_line() -> None:
    """What one process writes the other reads."""
    users = (User("ada"), User("bob", groups=[uuid.uuid4()]))
    settings = Settings(
        state_dir="/x", broker="amqp://u:p@h/v", workers=7, temporary=False, users=users
    )
    line = settings.to_line()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert Settings.from_line(line) == settings


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"workers": -1}, "workers"),
        ({"broker": "http://localhost"}, "broker"),
        ({"broker": "amqp://h:99999999/"}, "broker must be a URL"),
        ({"broker": "amqp://h/?heartbeat=soon"}, "broker must be a URL.*'soon'"),
        ({"broker_management": "http://localhost:15672"}, "pass its URL as broker"),
        ({"broker": "amqp://h", "broker_management": "amqp://h"}, "broker_management"),
        ({"broker": "amqp://h", "broker_management": "http://"}, "broker_management"),
        ({"users": []}, "users must name somebody"),
        ({"users": "ada"}, r"a list, as in users=\['ada'\]"),
        ({"users": ["ada", "ada"]}, "'ada' more than once"),
        ({"users": ["a b"]}, "'a b' cannot be a user's name"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, object], named: str) -> None:
    """They are refused before anything starts, by name."""
    with pytest.raises(ValueError, match=named):
        LocalService(**arguments)  # type: ignore[arg-type]


def test_a_groups_name_is_a_uuid() -> None:
    """In any spelling; a group that is something else is named with its user."""
    group = uuid.uuid4()
    assert User("ada", groups=[str(group).upper()]) == User("ada", groups=[group])
    with pytest.raises(ValueError, match=r"'lab'.*user ada"):
        User("ada", groups=["lab"])
    with pytest.raises(ValueError, match="list of UUIDs"):
        User("ada", groups=str(group))


def test_a_password_that_breaks_its_url_is_not_quoted() -> None:
    """Its slash ends the host; the message says how to write it."""
    with pytest.raises(ValueError, match="%2F") as raised:
        LocalService(broker="amqp://ann:secret/word@host/")
    assert "secret" not in str(raised.value)


def test_credentials_are_in_no_repr() -> None:
    """Neither those of the broker nor those of its management."""
    settings = Settings("/x", broker="amqp://u:hidden@h", broker_management="http://u:hidden@h")
    assert "hidden" not in repr(settings)
    service = LocalService(broker="amqp://u:hidden@h", broker_management="http://u:hidden@h")
    assert "hidden" not in repr(service)


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
    with pytest.raises(LocalServiceFailed, match=r"file cannot .*file is in its place.*state_dir"):
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
