"""What the command line of ``gcompute local`` may be."""

from __future__ import annotations

import argparse
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from gcompute import cli
from gcompute.local import LocalServiceFailed, User, command
from gcompute.local.command import status
from gcompute.local.command.place import Place


def parsed(*arguments: str) -> argparse.Namespace:
    """Parse a command line."""
    parser = argparse.ArgumentParser()
    command.add_to(parser.add_subparsers())
    return parser.parse_args(["local", *arguments])


def test_up_has_sensible_defaults() -> None:
    """The port is the one that the official SDK looks at."""
    up = parsed("up")
    assert up.port == 5000
    assert {up.workers, up.broker, up.engine, up.users, up.state} == {None}
    assert up.engine_options is None
    assert (up.detach, up.json, up.tls) == (False, False, False)


def test_several_users() -> None:
    """One a time."""
    groups = [str(uuid.uuid4()) for _ in range(2)]
    up = parsed("up", "--user", "ada", "--user", f"bob:{','.join(groups)}")
    assert up.users == [User("ada"), User("bob", groups)]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--user", "ada:", "'' cannot be a group of user ada"),
        ("--user", "ada:staff", "a group is named by its UUID"),
        ("--user", "a b", "'a b' cannot be a user's name"),
        ("--engine-options", "nodes=4", "'nodes=4' is no JSON"),
        ("--engine-options", "4", "'4' is no JSON object"),
        ("--port", "65536", "'65536' is no port"),
    ],
)
def test_a_wrong_argument_is_told(
    option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the option that it was given to."""
    with pytest.raises(SystemExit):
        parsed("up", option, value)
    said = capsys.readouterr().err
    assert f"argument {option}: " in said
    assert message in said


def test_options_of_an_engine() -> None:
    """Are its keyword arguments."""
    assert parsed("up", "--engine-options", '{"nodes": 4}').engine_options == {"nodes": 4}


def test_a_folder_is_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands that are suggested name it whole."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    assert parsed("status", "--state", "a b").state == tmp_path / "a b"
    assert parsed("status", "--state", "~/x").state == Path("/home/ada/x")
    place = Place.of(parsed("status", "--state", "a b"))
    assert place.command("down") == f"gcompute local down --state '{tmp_path}/a b'"


def test_the_default_folder_needs_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is, is for the environment to say."""
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    place = Place.of(parsed("down"))
    assert place.folder == Path("/state/gcompute/local")
    assert place.command("down") == "gcompute local down"


def test_a_folder_that_cannot_be_looked_into(tmp_path: Path) -> None:
    """The message names it."""
    (tmp_path / "service.json").mkdir()
    with pytest.raises(LocalServiceFailed, match=f"{tmp_path} cannot be read .* --state"):
        Place(tmp_path, False).look()


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Is answered with those that there are."""
    assert cli.main(["local"]) == 2
    help_text = capsys.readouterr().err
    assert all(name in help_text for name in ("up", "status", "down", "env", "logs"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (61, "1 min 1 s"), (3599, "59 min 59 s"), (7384, "2 h 3 min")],
)
def test_durations(seconds: float, text: str) -> None:
    """As people say them."""
    assert status._duration(seconds) == text


def test_the_help_is_quick() -> None:
    """It loads nothing of the service, nor what makes requests."""
    script = (
        "import sys; from gcompute import cli; cli.main(['local', 'up', '--help']); "
        "print([name for name in ('httpx', 'starlette', 'sqlite3', 'gcompute.local.launcher') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
