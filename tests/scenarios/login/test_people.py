"""People who log in at a terminal, and places without one."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import globus_sdk
import pytest

from gcompute.errors import AuthenticationFailed, LoginRequired
from gcompute.local import LocalService
from gcompute.login import Login
from gcompute.protocol import COMPUTE_SCOPE
from tests.scenarios.login.person import Person, at_terminal, python

_REGISTER = """
import sys, gcompute
client = gcompute.Client(base_url=sys.argv[1])
print("made")
print("registered", client.register_function(abs))
"""


def test_a_person_logs_in_at_the_first_request(service: LocalService) -> None:
    """At a real terminal: the constructor asks for nothing, the request for a code."""
    status, output = at_terminal(
        [*python(_REGISTER), service.url], os.environ | service.environment(), service.token
    )
    assert status == 0, output
    assert output.index("made") < output.index("Log in to Globus") < output.index("registered")


def test_the_next_process_needs_no_login(service: LocalService) -> None:
    """Tokens are kept for it, and no terminal is needed then."""
    environment = os.environ | service.environment()
    first = [*python(_REGISTER), service.url]
    assert at_terminal(first, environment, service.token)[0] == 0
    second = subprocess.run(
        first, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 0, second.stderr
    assert "registered" in second.stdout
    assert "Log in" not in second.stdout + second.stderr


def test_where_output_goes_to_a_file_the_address_is_still_seen(
    service: LocalService, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown on the error stream, where that is a terminal."""
    person, file = Person(service), io.StringIO()
    person.sit_down(monkeypatch, output=file)
    login.login()
    assert len(person.asked) == 1
    assert file.getvalue() == ""


def test_the_login_asks_for_what_is_needed(person: Person, login: Login) -> None:
    """The service's scope, an identity, and tokens that can be renewed."""
    login.login()
    query = parse_qs(urlsplit(person.asked[0]).query)
    assert set(query["scope"][0].split()) == {"openid", COMPUTE_SCOPE}
    assert query["access_type"] == ["offline"]
    assert query["code_challenge_method"] == ["S256"]


def test_a_person_is_asked_once(person: Person, login: Login, tokens: Path) -> None:
    """Requests, a second login, and another client with the same tokens ask no more."""
    login.authorize()
    login.login()
    login.authorize()
    other = Login()
    assert other.login_required() is False
    other.authorize()
    other.close()
    assert len(person.asked) == 1
    with sqlite3.connect(tokens / "storage.db") as connection:
        rows = connection.execute("SELECT DISTINCT namespace FROM token_storage").fetchall()
    connection.close()
    assert rows == [("user/production",)]


def test_a_person_learns_who_he_is(person: Person, login: Login) -> None:
    """Also by a token that has no more than the scope ``openid``."""
    who = login.whoami()
    assert isinstance(login.app, globus_sdk.UserApp)
    assert who["id"] == login.app.token_storage.identity_id
    assert (who["username"], who["email"]) == ("local@localhost", "local@localhost")
    assert who["name"] == "local"


def test_after_a_logout_a_login_is_required(person: Person, login: Login) -> None:
    """The tokens are gone, and the next request asks again."""
    login.login()
    assert login.login_required() is False
    login.logout()
    assert login.login_required() is True
    login.authorize()
    assert len(person.asked) == 2


def test_a_wrong_code_is_asked_for_again_once(person: Person, login: Login) -> None:
    """A slip of the hand is forgiven; the second one is an error."""
    person.slips = ["wrong"]
    login.authorize()
    assert len(person.asked) == 1
    login.logout()
    person.slips = ["wrong", "wrong"]
    with pytest.raises(AuthenticationFailed, match="HTTP 400 invalid_grant"):
        login.authorize()


def test_a_person_may_end_the_input(
    person: Person, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-D is an answer too."""

    def end(*_: object) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", end)
    with pytest.raises(LoginRequired, match="a login to Globus is needed") as refused:
        login.authorize()
    assert isinstance(refused.value.__cause__, EOFError)


# Where nobody can be asked


def test_without_a_terminal_the_error_says_what_helps(service: LocalService) -> None:
    """At once, though standard input is a pipe that nobody ever writes to or closes."""
    reader, writer = os.pipe()
    try:
        done = subprocess.run(
            [*python(_REGISTER), service.url],
            env=os.environ | service.environment(),
            stdin=reader,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        os.close(reader)
        os.close(writer)
    assert done.returncode == 1
    message = done.stderr[done.stderr.index("LoginRequired") :]
    for hint in ("terminal", "GLOBUS_COMPUTE_CLIENT_ID", "GLOBUS_COMPUTE_CLIENT_SECRET", "token"):
        assert hint in message
    assert "oauth2/authorize" not in done.stdout + done.stderr


def test_an_app_of_the_users_does_not_wait_for_nobody_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An app with the prompt of ``globus_sdk`` would read from a standard input that is none."""

    def read(*_: object) -> str:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr("builtins.input", read)
    app = globus_sdk.UserApp(
        "theirs",
        client_id="50000000-0000-4000-8000-000000000005",
        config=globus_sdk.GlobusAppConfig(token_storage="memory"),
    )
    login = Login(app=app)
    with pytest.raises(LoginRequired):
        login.authorize()
    with pytest.raises(LoginRequired):
        login.login(force=True)
    app.close()


_THEIRS = """
import sys, globus_sdk, gcompute
config = globus_sdk.GlobusAppConfig(token_storage="memory")
app = globus_sdk.UserApp("theirs", client_id="50000000-0000-4000-8000-000000000005", config=config)
client = gcompute.Client(base_url=sys.argv[1], app=app)
print("registered", client.register_function(abs))
client.close()
print("required", app.login_required())
"""


def test_an_app_of_the_users_logs_in(service: LocalService, tokens: Path) -> None:
    """It asks in its own way, keeps tokens in its own place, and is not closed by a client."""
    status, output = at_terminal([*python(_THEIRS), service.url], os.environ, service.token)
    assert status == 0, output
    assert "Please authenticate with Globus here" in output
    assert "required False" in output
    assert not tokens.exists()
