"""Checks of this machine: versions, variables, addresses, the folder for tokens, logs."""

from __future__ import annotations

import importlib.metadata
import os
import re
from pathlib import Path
from typing import Any

import pytest

from gcompute import __version__
from gcompute.diagnosis import logs, settings, software, variables
from gcompute.diagnosis.facts import Facts, Route, Subject
from gcompute.diagnosis.outcome import State
from gcompute.diagnosis.redaction import Redactor
from gcompute.protocol import PROTOCOL_LEVEL

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.lower() in _PROXIES or name.startswith(("GLOBUS_", "FUNCX_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


# -- versions -----------------------------------------------------------------------------------


def test_versions_are_named() -> None:
    """Ours, the protocol's, and those of what decides about connections."""
    outcome = software.check_versions()
    assert outcome.state is State.OK
    assert f"gcompute {__version__}, protocol level {PROTOCOL_LEVEL}" in outcome.found
    for name in ("dill", "pika", "httpx", "globus-sdk"):
        assert outcome.details[name] == importlib.metadata.version(name)


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("dill>=99", r"dill [\d.]+ is not >=99"),
        ("no-such-thing>=1", "no-such-thing>=1 is missing"),
    ],
)
def test_an_unmet_requirement_is_a_problem(
    needs: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another package brought an older one; extras and other systems do not count."""
    needed = [needs, "tqdm>=99; extra == 'progress'", "absent; sys_platform == 'other'"]
    monkeypatch.setattr(software, "requires", lambda _name: needed)
    outcome = software.check_versions()
    assert outcome.state is State.PROBLEM
    assert len(outcome.details["unmet"]) == 1

    assert re.fullmatch(said, outcome.details["unmet"][0])


def test_a_checkout_that_is_not_installed_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it needs is not known, and nothing is said about it."""

    def unknown(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(software, "requires", unknown)
    assert software.check_versions().state is State.OK


@pytest.mark.parametrize("number", ["4.19.0", None])
def test_the_official_package_is_told_of(
    number: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside us or not, either is fine."""
    monkeypatch.setattr(software, "installed_version", lambda _name: number)
    outcome = software.check_official_sdk()
    assert (outcome.state, outcome.details["version"]) == (State.OK, number)


# -- variables ----------------------------------------------------------------------------------


def test_variables_are_named_without_secrets() -> None:
    """Addresses are shown, of all others only that they are set."""
    outcome = variables.check_variables(
        {
            "GLOBUS_COMPUTE_CLIENT_ID": "canary-id",
            "GLOBUS_COMPUTE_CLIENT_SECRET": "canary-secret",
            "GLOBUS_SDK_ENVIRONMENT": "preview",
            "GLOBUS_UNHEARD_OF": "canary-other",
            "PATH": "canary-path",
        }
    )
    assert outcome.state is State.OK
    assert "GLOBUS_SDK_ENVIRONMENT is preview" in outcome.found
    assert "GLOBUS_UNHEARD_OF is set" in outcome.found
    assert "canary" not in f"{outcome}"
    assert outcome.details["are_set"]["GLOBUS_COMPUTE_CLIENT_SECRET"] is True


def test_half_of_the_credentials_is_a_problem() -> None:
    """A secret without its id; the next step names what to set."""
    outcome = variables.check_variables({"GLOBUS_COMPUTE_CLIENT_SECRET": "canary"})
    assert outcome.state is State.PROBLEM
    assert "Set GLOBUS_COMPUTE_CLIENT_ID" in outcome.next_step


def test_variables_of_former_days_are_told_of() -> None:
    """They have no effect, which their owner may not know."""
    outcome = variables.check_variables({"FUNCX_SDK_CLIENT_ID": "x"})
    assert outcome.state is State.WARNING
    assert "Unset FUNCX_SDK_CLIENT_ID" in outcome.next_step


def test_no_variables_are_fine() -> None:
    """The defaults do."""
    outcome = variables.check_variables({})
    assert (outcome.state, outcome.found) == (State.OK, "none set")


def test_proxies_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the hint that the result queues do not use them; their passwords are secrets."""
    assert variables.check_proxies().found == "none"
    monkeypatch.setenv("https_proxy", "http://me:canary-proxy@proxy.example:3128")
    outcome = variables.check_proxies()
    assert "AMQP" in outcome.found
    assert "proxy.example:3128" in outcome.found
    assert "canary-proxy" in variables.secrets_in({})
    assert "canary-proxy" not in Redactor().text(outcome.found)


def test_secrets_of_the_environment_are_known() -> None:
    """Whatever of Globus or ours is named like one; what is no address has no password."""
    named = {"GLOBUS_COMPUTE_CLIENT_SECRET": "a", "GLOBUS_X_TOKEN": "b", "GLOBUS_SDK_X": "c"}
    named["GCOMPUTE_LOCAL_TOKEN"] = "d"
    assert variables.secrets_in(named) == ["a", "b", "d"]
    assert variables.passwords_in("http://[half", "me:canary@host:1") == ["canary"]


# -- addresses ----------------------------------------------------------------------------------


def _addresses(**given: Any) -> tuple[Facts, State, str]:
    facts = Facts(Redactor())
    outcome = settings.check_addresses(Subject(**given), facts)
    return facts, outcome.state, f"{outcome.found}\n{outcome.next_step}"


def test_addresses_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the service and of Globus Auth."""
    facts, state, _ = _addresses()
    assert state is State.OK
    assert facts.service == Route(
        "https://compute.api.globus.org", "compute.api.globus.org", 443, True
    )
    assert facts.auth is not None
    assert facts.auth.name == "auth.globus.org"
    monkeypatch.setenv("GLOBUS_SDK_ENVIRONMENT", "preview")
    facts, _, _ = _addresses()
    assert facts.service is not None
    assert facts.service.name == "compute.api.preview.globus.org"
    facts, _, _ = _addresses(environment="local")
    assert facts.service is not None
    assert facts.auth is not None
    assert (facts.service.port, facts.auth.name) == (5000, "auth.globus.org")


def test_the_service_can_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable that clients follow, too."""
    monkeypatch.setenv("GLOBUS_SDK_SERVICE_URL_COMPUTE", "http://127.0.0.1:9")
    facts, _, _ = _addresses()
    assert facts.service is not None
    assert facts.service.port == 9


def test_globus_auth_can_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument, else by the variable of globus_sdk."""
    monkeypatch.setenv("GLOBUS_SDK_SERVICE_URL_AUTH", "http://127.0.0.1:7/")
    facts, _, _ = _addresses()
    assert facts.auth is not None
    assert (facts.auth.url, facts.auth.port) == ("http://127.0.0.1:7", 7)
    facts, _, _ = _addresses(auth_url="https://127.0.0.1:8")
    assert facts.auth is not None
    assert (facts.auth.port, facts.auth.tls) == (8, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"environment": "prodution"}, "unknown environment 'prodution'"),
        ({"base_url": "ftp://host"}, "must be an http or https address"),
        ({"base_url": "http://host:99999"}, "GLOBUS_SDK_ENVIRONMENT"),
    ],
)
def test_wrong_addresses_are_a_problem(given: dict[str, str], said: str) -> None:
    """With what is wrong about them, and what could be corrected."""
    facts, state, text = _addresses(**given, auth_url="http://127.0.0.1:1")
    assert state is State.PROBLEM
    assert said in text
    assert facts.auth is None


def test_plain_http_is_for_this_machine_only() -> None:
    """Elsewhere everybody on the way reads the tokens."""
    auth = "http://127.0.0.1:1"
    assert _addresses(base_url="http://127.0.0.1:5", auth_url=auth)[1] is State.OK
    assert _addresses(base_url="http://host.example", auth_url=auth)[1] is State.WARNING


@pytest.mark.parametrize(
    ("name", "proxy", "port"),
    [
        ("https_proxy", "http://me:pw@proxy.example:3128", 3128),
        ("https_proxy", "proxy.example", 80),
        ("all_proxy", "socks5://proxy.example", 1080),
    ],
)
def test_a_proxy_is_what_is_connected_to(
    name: str, proxy: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the host is excepted."""
    monkeypatch.setenv(name, proxy)
    route = settings.route_to("https://service.example/")
    assert (route.host, route.port, route.proxied) == ("proxy.example", port, True)
    assert (route.url, route.name) == ("https://service.example", "service.example")
    monkeypatch.setenv("no_proxy", "service.example")
    assert settings.route_to("https://service.example/").host == "service.example"


# -- the folder for tokens ----------------------------------------------------------------------


def test_the_folder_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at it changes nothing; by default it is in the home."""
    assert settings.check_user_dir().details["exists"] is False
    assert not (tmp_path / ".globus_compute").exists()
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", "~/elsewhere")
    assert settings.user_dir() == tmp_path / "elsewhere"


def test_a_private_folder_is_fine(tmp_path: Path) -> None:
    """Its mode is told."""
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    outcome = settings.check_user_dir(folder)
    assert (outcome.state, outcome.details["mode"]) == (State.OK, "0700")


def test_a_folder_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    """And so is the file of tokens; the next step is the command to run."""
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "storage.db").touch()
    folder.chmod(0o750)
    (folder / "storage.db").chmod(0o644)
    outcome = settings.check_user_dir(folder)
    assert outcome.state is State.WARNING
    assert f"chmod go-rwx '{folder}'" in outcome.next_step
    assert f"chmod go-rwx '{folder}/storage.db'" in outcome.next_step


def test_a_folder_that_is_none_or_not_writable_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens could not be kept."""
    file = tmp_path / "file"
    file.touch()
    assert settings.check_user_dir(file).state is State.PROBLEM
    assert settings.check_user_dir(file / "below").state is State.PROBLEM
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert settings.check_user_dir(folder).state is State.PROBLEM


# -- logs ---------------------------------------------------------------------------------------


def _log(folder: Path, name: str, text: str, when: float) -> Path:
    path = folder / name / "endpoint.log"
    path.parent.mkdir()
    path.write_text(text)
    os.utime(path, (when, when))
    return path


def test_no_logs_are_fine(tmp_path: Path) -> None:
    """Most machines run no endpoint."""
    assert logs.check_endpoint_logs(tmp_path / "nothing").state is State.OK
    assert logs.check_service_logs([tmp_path], tmp_path, tmp_path).state is State.OK


def test_the_latest_logs_are_shown(tmp_path: Path) -> None:
    """Three at most, the latest first, and of each the last lines that are not empty."""
    for number in range(4):
        _log(tmp_path, f"ep{number}", "\n".join(f"line {n}\n" for n in range(10)), 1e9 + number)
    outcome = logs.check_endpoint_logs(tmp_path)
    assert outcome.found.startswith("4 found")
    assert [Path(log["path"]).parent.name for log in outcome.details["logs"]] == [
        "ep3",
        "ep2",
        "ep1",
    ]
    assert outcome.details["logs"][0]["tail"] == [f"line {n}" for n in range(5, 10)]
    assert outcome.details["logs"][0]["written"] == "2001-09-09 01:46:43 UTC"


@pytest.mark.parametrize("line", ["12:00 ERROR gone", "Traceback (most recent call last):"])
def test_errors_in_a_log_are_a_warning(line: str, tmp_path: Path) -> None:
    """The next step names the file."""
    path = _log(tmp_path, "ep", f"start\n{line}\n", 1e9)
    outcome = logs.check_endpoint_logs(tmp_path)
    assert outcome.state is State.WARNING
    assert str(path) in outcome.next_step


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    """And not from the middle of a line, which could be that of a secret."""
    _log(tmp_path, "ep", "canary" * 10_000 + "\nlast\n", 1e9)
    outcome = logs.check_endpoint_logs(tmp_path)
    assert outcome.details["logs"][0]["tail"] == ["last"]


def test_local_services_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary ones, those beside the tokens, and that of ``gcompute local``."""
    temporary, kept, state = tmp_path / "tmp", tmp_path / "user", tmp_path / "state"
    for folder in (temporary / "gcompute-abc", kept / "service", state):
        folder.mkdir(parents=True)
        (folder / "service.log").write_text("INFO ready\n")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(temporary))
    outcome = logs.check_service_logs(None, kept, state)
    assert sorted(Path(log["path"]).parent.name for log in outcome.details["logs"]) == [
        "gcompute-abc",
        "service",
        "state",
    ]
