"""``gcompute diagnose`` on a local service: when all is well, and when something is broken."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import globus_sdk
import pytest
from globus_sdk.token_storage import SQLiteTokenStorage, TokenStorageData

import gcompute
from gcompute import Client
from gcompute.diagnosis import Report, State
from gcompute.local import LocalService
from gcompute.login import Login
from gcompute.protocol import COMPUTE_RESOURCE_SERVER, COMPUTE_SCOPE
from tests.scenarios.login.person import Person
from tests.support.ports import closed_port

NOBODYS = "4b116d3c-1703-4f8f-9f6f-39921e5864df"


@pytest.fixture(scope="module")
def service() -> Iterator[LocalService]:
    """A local service with one worker."""
    with LocalService(workers=1) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give the home folder; tokens are in ``.globus_compute`` in it."""
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture(autouse=True)
def _environment(service: LocalService, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Globus Auth at the service, a home of the test's, and nothing else set."""
    for name in os.environ:
        if name.startswith(("GLOBUS_", "FUNCX_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(home.parent))  # logs of other local services are there
    for name, value in service.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def credentials(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put client credentials into the environment; give the secret."""
    variables = service.environment(client_credentials=True)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables["GLOBUS_COMPUTE_CLIENT_SECRET"]


def _token(service: LocalService) -> globus_sdk.AccessTokenAuthorizer:
    return globus_sdk.AccessTokenAuthorizer(service.token)


def _diagnosed(service: LocalService, endpoint_id: str | None = None, **options: Any) -> Report:
    settings: dict[str, Any] = {"base_url": service.url, "state_dirs": [service.state_dir]}
    return gcompute.diagnose(endpoint_id, **(settings | options))


def _names(report: Report) -> list[str]:
    return [check.name for check in report.problems]


# -- all is well --------------------------------------------------------------------------------


def test_all_is_well(service: LocalService, credentials: str) -> None:
    """From the versions to the endpoint's Python; each check tells its time and is needed."""
    report = _diagnosed(service, service.endpoint_id)
    assert {check.name: check.state for check in report.checks if check.state is not State.OK} == {}
    assert report.ok
    assert [check.name for check in report.checks] == [
        *("versions", "official SDK", "environment variables", "addresses", "user folder"),
        *("proxies", "service DNS", "service TCP", "service TLS", "service HTTP", "clock"),
        *("Globus Auth DNS", "Globus Auth TCP", "Globus Auth TLS", "Globus Auth HTTP"),
        *("login", "token", "identity", "result queue access", "result queue ports"),
        *("result queue connection", "endpoint status", "endpoint Python", "endpoint logs"),
        "local service logs",
    ]
    assert report["endpoint status"].details["status"] == "online"
    assert report["login"].details["kind"] == "ClientApp"
    assert report["service HTTP"].seconds > 0


def test_a_task_runs_undisturbed(service: LocalService) -> None:
    """Fresh credentials for the result queues leave an open connection alone."""
    with service.executor() as executor:
        assert executor.submit(pow, 2, 3).result(timeout=60) == 8
        assert _diagnosed(service, authorizer=_token(service)).ok
        assert executor.submit(pow, 2, 4).result(timeout=60) == 16


# -- something is broken ------------------------------------------------------------------------


def test_a_wrong_token(service: LocalService) -> None:
    """The service refuses it, once; what needs it says so, and all else is looked at."""
    wrong = globus_sdk.AccessTokenAuthorizer("canary-of-a-token")
    report = _diagnosed(service, service.endpoint_id, authorizer=wrong)
    assert _names(report) == ["result queue access"]
    assert report["endpoint status"].state is State.SKIPPED
    assert "HTTP 401" in report["result queue access"].found
    assert "Log in again" in report["result queue access"].next_step
    assert report["result queue connection"].state is State.SKIPPED
    assert report["service HTTP"].state is State.OK
    assert "canary" not in report.to_json()


def test_a_wrong_secret(
    service: LocalService, credentials: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Globus Auth refuses it; the variables to look at are named."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "canary-of-a-secret")
    report = _diagnosed(service)
    assert _names(report) == ["token"]
    assert "GLOBUS_COMPUTE_CLIENT_SECRET" in report["token"].found
    assert "canary" not in report.to_json()


def test_half_of_the_credentials(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret without an id is a problem of the variables, and so of the login."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "canary-of-a-secret")
    assert _names(_diagnosed(service)) == ["environment variables", "login"]


def test_an_unknown_endpoint(service: LocalService) -> None:
    """One problem, not two."""
    report = _diagnosed(service, NOBODYS, authorizer=_token(service))
    assert _names(report) == ["endpoint status"]
    assert "HTTP 404" in report["endpoint status"].found
    assert report["endpoint Python"].state is State.SKIPPED


def test_an_endpoint_that_is_no_id(service: LocalService) -> None:
    """It does not raise, since the rest is worth knowing."""
    report = _diagnosed(service, "mine", authorizer=_token(service))
    assert _names(report) == ["endpoint status"]
    assert "no UUID" in report["endpoint status"].found


def test_an_endpoint_that_is_offline_with_another_python(service: LocalService) -> None:
    """It never reported; what it said of itself is compared all the same."""
    registered = service.client().register_endpoint(
        "idle", metadata={"python_version": "3.9.1", "endpoint_version": "4.0.0"}
    )
    report = _diagnosed(service, str(registered["endpoint_id"]), authorizer=_token(service))
    assert _names(report) == ["endpoint status"]
    assert "globus-compute-endpoint start" in report["endpoint status"].next_step
    python = report["endpoint Python"]
    assert python.state is State.WARNING
    assert "3.9.1 there" in python.found
    assert "AllCodeStrategies" in python.next_step


def test_a_closed_port_of_the_result_queues(
    service: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a firewall that refuses: HTTP works, and the next step is whom to ask for what."""
    with closed_port() as port:
        access = {"connection_url": f"amqp://u:canary-pw@127.0.0.1:{port}/", "queue_prefix": "p."}
        monkeypatch.setattr(Client, "get_result_amqp_url", lambda _self: access)
        report = _diagnosed(service, authorizer=_token(service))
    assert _names(report) == ["result queue ports"]
    assert f"{port} not usable" in report["result queue ports"].found
    assert report["result queue connection"].state is State.SKIPPED
    assert "canary" not in report.to_json()


def test_refused_by_the_broker(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials that the service gave do not work: that is not this machine's fault."""
    real = service.client().get_result_amqp_url()["connection_url"]
    place = real.partition("@")[2]
    access = {"connection_url": f"amqp://nobody:canary-pw@{place}", "queue_prefix": "p."}
    monkeypatch.setattr(Client, "get_result_amqp_url", lambda _self: access)
    report = _diagnosed(service, authorizer=_token(service))
    assert _names(report) == ["result queue connection"]
    assert "refuses the credentials" in report["result queue connection"].found
    assert "canary" not in report.to_json()


def test_no_service_there(service: LocalService) -> None:
    """One problem: the layers above it are not tried, and nothing hangs."""
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        report = _diagnosed(service, base_url=url, authorizer=_token(service))
    assert _names(report) == ["service TCP"]
    assert report["service HTTP"].state is State.SKIPPED
    assert report["Globus Auth HTTP"].state is State.OK


def test_a_service_that_is_silent(service: LocalService) -> None:
    """Connections are taken, and nothing is answered: the time limit holds."""
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        report = _diagnosed(
            service,
            base_url=f"http://127.0.0.1:{silent.getsockname()[1]}",
            authorizer=_token(service),
            timeout_s=1.0,
        )
    assert _names(report) == ["service HTTP"]
    assert "no answer within" in report["service HTTP"].found
    assert time.monotonic() - started < 30


def test_an_unknown_environment(service: LocalService) -> None:
    """Nothing is connected to, least of all production."""
    report = _diagnosed(service, base_url=None, environment="prodution", login=False)
    assert _names(report) == ["addresses"]
    assert report["service DNS"].state is State.SKIPPED


def test_wrong_arguments_are_refused(service: LocalService) -> None:
    """Those are mistakes in a program, and no diagnosis."""
    with pytest.raises(ValueError, match="exclude each other"):
        _diagnosed(service, app=cast(globus_sdk.GlobusApp, object()), authorizer=_token(service))
    with pytest.raises(ValueError, match="timeout_s"):
        _diagnosed(service, timeout_s=0)


# -- who is logged in ---------------------------------------------------------------------------


def test_nobody_is_ever_asked(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody at the terminal sees no prompt, and no file for tokens is made."""
    person = Person(service)
    person.sit_down(monkeypatch)
    report = _diagnosed(service)
    assert _names(report) == ["login"]
    assert "nobody: there are no tokens" in report["login"].found
    assert ".login()" in report["login"].next_step
    assert report["result queue access"].state is State.SKIPPED
    assert (person.asked, person.screen.getvalue()) == ([], "")
    assert report["user folder"].details["exists"] is False


def test_a_person_is_recognized_and_not_named(
    service: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokens of an earlier login are used; id and address are masked."""
    with monkeypatch.context() as at_the_keyboard:
        Person(service).sit_down(at_the_keyboard)
        login = Login()
        login.login()
        known = login.whoami()
        login.close()
    report = _diagnosed(service)
    assert _names(report) == []
    assert report["login"].details["kind"] == "UserApp"
    assert report["login"].details["renewable"] is True
    assert report["identity"].found.endswith(f"id {known['id'][:8]}-...")
    assert known["id"] not in report.to_json()


@pytest.mark.parametrize("scope", [COMPUTE_SCOPE, "another"])
def test_tokens_that_have_ended(
    scope: str, service: LocalService, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revoked ones, or of another scope: a problem, and still no prompt; they are not shown."""
    person = Person(service)
    person.sit_down(monkeypatch)
    folder = home / ".globus_compute"
    folder.mkdir(mode=0o700)
    storage = SQLiteTokenStorage(folder / "storage.db", namespace="user/production")
    ended = {
        server: TokenStorageData(
            resource_server=server,
            identity_id=NOBODYS,
            scope=names,
            access_token="canary-access-token",
            refresh_token="canary-refresh-token",
            expires_at_seconds=1,
            token_type="Bearer",
        )
        for server, names in ((COMPUTE_RESOURCE_SERVER, scope), ("auth.globus.org", "openid"))
    }
    storage.store_token_data_by_resource_server(ended)
    storage.close()
    report = _diagnosed(service)
    assert _names(report) == ["token" if scope == COMPUTE_SCOPE else "login"]
    assert (person.asked, person.screen.getvalue()) == ([], "")
    assert "canary" not in report.to_json()


def test_a_broken_file_of_tokens(service: LocalService, home: Path) -> None:
    """What is in it is no database; the next step is said."""
    folder = home / ".globus_compute"
    folder.mkdir(mode=0o700)
    (folder / "storage.db").write_text("canary, and no database")
    report = _diagnosed(service)
    assert "login" in _names(report)
    assert "remove storage.db" in report["login"].found


def test_tokens_can_be_left_alone(service: LocalService, credentials: str, home: Path) -> None:
    """Then only what needs none is looked at."""
    report = _diagnosed(service, login=False)
    assert report.ok
    assert report["login"].state is report["identity"].state is State.SKIPPED
    assert not (home / ".globus_compute").exists()


def test_a_given_app_is_used_and_left_open(service: LocalService, credentials: str) -> None:
    """It is its owner's to close."""
    login = Login()
    login.authorize()
    assert login.app is not None
    assert _diagnosed(service, app=login.app).ok
    assert login.app.token_storage.get_token_data(COMPUTE_RESOURCE_SERVER) is not None
    login.close()


# -- the program --------------------------------------------------------------------------------


def _program(service: LocalService, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gcompute", "diagnose", "--base-url", service.url]
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_program_shows_no_secret(
    service: LocalService, credentials: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of the environment, the token file, the service, a proxy, or a log that has them."""
    monkeypatch.setenv("https_proxy", "http://carla:canary-proxy@127.0.0.1:1")
    monkeypatch.setenv("LOGNAME", "carla")
    log = home / ".globus_compute" / "mine" / "endpoint.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        f"INFO amqps://me:canary-amqp@host/ by carla in {home}\n"
        f"ERROR Authorization: Bearer {service.token}, secret {credentials}\n"
        "INFO logged in as carla.canary@uni.example\n"
    )
    first, second = _program(service), _program(service, "--json", "--endpoint", NOBODYS)
    tokens = _stored_tokens(home / ".globus_compute" / "storage.db")
    assert len(tokens) >= 2
    for done in (first, second):
        assert done.stderr == ""
        for secret in ("canary", "carla", str(home), service.token, credentials, *tokens):
            assert secret not in done.stdout
        assert "c***@uni.example" in done.stdout
        assert "~/.globus_compute/mine/endpoint.log" in done.stdout
    assert first.returncode == 0
    assert "\x1b" not in first.stdout
    assert "result queue connection: opened" in first.stdout
    document = json.loads(second.stdout)
    assert (second.returncode, document["problems"]) == (1, ["endpoint status"])


def _stored_tokens(path: Path) -> list[str]:
    name = f"clientprofile/production/{os.environ['GLOBUS_COMPUTE_CLIENT_ID']}"
    storage = SQLiteTokenStorage(path, namespace=name)
    found = [each.access_token for each in storage.get_token_data_by_resource_server().values()]
    storage.close()
    return found


def test_ctrl_c_ends_the_program(service: LocalService) -> None:
    """While it waits for a service that is silent; at once, and quietly."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        arguments = ["--base-url", address, "--no-login", "--timeout", "600"]
        process = subprocess.Popen(
            [sys.executable, "-m", "gcompute", "diagnose", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        connections = [silent.accept()[0] for _ in range(2)]  # the port's, and that of HTTP
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        for connection in connections:
            connection.close()
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_client_renews_its_access_by_itself(service: LocalService, credentials: str) -> None:
    """With its secret: there is nothing to do where the access of a program ends."""
    with gcompute.Client(base_url=service.url) as client:
        client.get_endpoint_status(service.endpoint_id)
    login = _diagnosed(service)["login"]
    assert login.details["renewable"] is True
    assert "lasts for" in login.found
    assert "can be renewed" in login.found
