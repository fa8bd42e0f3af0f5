"""The program ``gcompute``, whatever its commands do."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gcompute import __version__, cli
from gcompute.diagnosis import Report, api, command
from gcompute.diagnosis.outcome import Check, State
from gcompute.errors import ComputeError
from tests.unit.diagnosis.test_report import BROKEN, FINE, NOON

Command = Callable[[argparse.Namespace], int]
Offering = Callable[[Command], None]

#: A program with one command, which prints what a plain locale has not.
_ARROW = """\
import sys, types
from gcompute import cli

def add_to(commands):
    commands.add_parser("act").set_defaults(run=lambda _: print("\\u2192") or 0)

sys.modules["act_of_test"] = types.SimpleNamespace(add_to=add_to)
cli.COMMANDS = ("act_of_test",)
sys.exit(cli.main(["act"]))
"""


@pytest.fixture
def offering(monkeypatch: pytest.MonkeyPatch) -> Offering:
    """Give a way to offer one command, ``act``."""

    def offer(act: Command) -> None:
        def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
            commands.add_parser("act", help="do it").set_defaults(run=act)

        monkeypatch.setitem(sys.modules, "act_of_test", SimpleNamespace(add_to=add_to))
        monkeypatch.setattr(cli, "COMMANDS", ("act_of_test",))

    return offer


def _program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gcompute", *arguments]


def test_it_tells_its_version() -> None:
    """As ``python -m gcompute``, too."""
    done = subprocess.run(_program("--version"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"gcompute {__version__}\n")


def test_it_is_installed_by_its_name() -> None:
    """The project says which function the program is."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    scripts = tomllib.loads(project.read_text())["project"]["scripts"]
    assert scripts == {"gcompute": "gcompute.cli:main"}


def test_help_is_quick() -> None:
    """It loads nothing that only commands need."""
    program = (
        "import sys\n"
        "from gcompute.cli import main\n"
        "status = main(['--help'])\n"
        "heavy = {'dill', 'pika', 'httpx', 'globus_sdk', 'asyncio', 'ssl'} & set(sys.modules)\n"
        "print(status, sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.endswith("0 []\n")


def test_without_a_command_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, as nothing was done."""
    assert cli.main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "diagnose" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["diagnos"], "diagnose"),
        (["diagnose", "--endpoint", "mine"], "'mine' is no UUID"),
        (["diagnose", "--timeout", "soon"], "'soon' is no number of seconds"),
        (["diagnose", "--timeout", "0"], "'0' is no number of seconds"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what would be right."""
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err


def test_a_command_gives_the_exit_status(offering: Offering) -> None:
    """Whatever it is."""
    offering(lambda _arguments: 7)
    assert cli.main(["act"]) == 7


def test_an_error_is_one_message(offering: Offering, capsys: pytest.CaptureFixture[str]) -> None:
    """And no traceback."""

    def fail(_arguments: argparse.Namespace) -> int:
        raise ComputeError("no service there; start one")

    offering(fail)
    assert cli.main(["act"]) == 1
    assert capsys.readouterr().err == "gcompute: no service there; start one\n"


def test_ctrl_c_is_quiet(offering: Offering, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status says what happened."""

    def interrupted(_arguments: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    offering(interrupted)
    assert cli.main(["act"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_gone_is_no_error(unbuffered: str) -> None:
    """As ``head`` goes: neither a traceback nor a complaint at exit."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", _ARROW],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_it_runs_without_standard_output() -> None:
    """Where a script has closed it."""
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m gcompute --help >&-', sys.executable],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0


def test_a_plain_locale_gets_escapes() -> None:
    """Rather than an error in place of the report."""
    done = subprocess.run(
        [sys.executable, "-c", _ARROW],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "\\u2192\n")


# -- gcompute diagnose --------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Have diagnoses made up; give the arguments of each, an endpoint among them."""
    calls: list[dict[str, object]] = []

    def diagnose(endpoint_id: object, **arguments: object) -> Report:
        calls.append({"endpoint": endpoint_id, **arguments})
        checks: list[Check] = [FINE] if arguments["login"] else [FINE, BROKEN]
        return Report(checks, NOON)

    monkeypatch.setattr(api, "diagnose", diagnose)
    return calls


def test_diagnose_prints_a_report(
    asked: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Plain where it is no terminal; the exit status is 0 without problems."""
    assert cli.main(["diagnose"]) == 0
    assert capsys.readouterr().out == f"{Report([FINE], NOON)}\n"
    assert asked == [
        {
            "endpoint": None,
            "environment": None,
            "base_url": None,
            "login": True,
            "timeout_s": 5.0,
        }
    ]


def test_diagnose_passes_its_arguments_on(
    asked: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit status is 1 with problems, in JSON as well."""
    endpoint = "4b116d3c-1703-4f8f-9f6f-39921e5864df"
    options = f"--json --no-login --timeout 2 --base-url http://x --endpoint {endpoint}"
    assert cli.main(["diagnose", *options.split()]) == 1
    assert capsys.readouterr().out == f"{Report([FINE, BROKEN], NOON).to_json()}\n"
    (call,) = asked
    assert str(call["endpoint"]) == endpoint
    assert (call["base_url"], call["login"], call["timeout_s"]) == ("http://x", False, 2.0)


@pytest.mark.parametrize(
    ("variables", "colour"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals(
    variables: dict[str, str], colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose users want them."""
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))
    assert command._shows_colour() is colour
    monkeypatch.setattr("sys.stdout", None)
    assert command._shows_colour() is False


def test_states_are_words() -> None:
    """As JSON and terminals show them."""
    assert [str(state) for state in State] == ["ok", "warning", "problem", "skipped"]
