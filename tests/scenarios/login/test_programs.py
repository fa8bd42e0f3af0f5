"""Programs that log in by client credentials."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import globus_sdk
import pytest

from gcompute import Client, Executor
from gcompute.errors import AuthenticationFailed, LoginRequired
from gcompute.local import LocalService
from gcompute.login import Login
from tests.scenarios.login.asking import asked, stored


def test_a_task_runs_with_nothing_but_credentials(
    service: LocalService, client: Client, credentials: tuple[str, str]
) -> None:
    """No prompt, no argument: the environment has all that is needed."""
    with Executor(endpoint_id=service.endpoint_id, client=client) as executor:
        assert executor.submit(pow, 2, 10).result(timeout=60) == 1024
    assert isinstance(client.app, globus_sdk.ClientApp)


def test_the_program_is_an_identity_of_its_own(
    service: LocalService, login: Login, credentials: tuple[str, str]
) -> None:
    """It is known by its client id, to Globus Auth and to the service."""
    client_id, _ = credentials
    assert login.whoami() == {
        "id": client_id,
        "username": f"{client_id}@clients.auth.globus.org",
        "name": None,
        "email": None,
    }
    assert client_id in asked(service, login.authorize().header).json()


def test_tokens_are_kept_by_environment_and_client(
    login: Login, credentials: tuple[str, str], tokens: Path
) -> None:
    """In a folder and a file that are nobody else's, and nothing before the first request."""
    assert not tokens.exists()
    login.authorize()
    assert tokens.stat().st_mode & 0o777 == 0o700
    file = tokens / "storage.db"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tokens.iterdir()] == ["storage.db"]
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT DISTINCT namespace FROM token_storage").fetchall()
    connection.close()
    assert rows == [(f"clientprofile/production/{credentials[0]}",)]


def test_the_next_program_uses_the_same_token(login: Login, credentials: tuple[str, str]) -> None:
    """What one has kept the other finds."""
    other = Login()
    assert other.authorize().header == login.authorize().header
    other.close()


def test_a_wrong_secret_is_named_as_the_cause(
    login: Login, credentials: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says which variables to look at, and keeps what Globus Auth said as its cause."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "wrong")
    with pytest.raises(AuthenticationFailed, match=r"HTTP 401 invalid_client.*CLIENT_SECRET") as no:
        login.authorize()
    assert not isinstance(no.value, LoginRequired)
    assert isinstance(no.value.__cause__, globus_sdk.AuthAPIError)


def test_logging_out_ends_the_token(
    service: LocalService, login: Login, credentials: tuple[str, str]
) -> None:
    """It is revoked and forgotten; the next request gets another."""
    before = login.authorize().header
    assert asked(service, before).status_code == 200
    login.logout()
    assert asked(service, before).status_code == 401
    after = login.authorize().header
    assert after != before
    assert asked(service, after).status_code == 200


def test_a_forced_login_gets_another_token(login: Login, credentials: tuple[str, str]) -> None:
    """Without force a login that is not needed does nothing."""
    first = login.authorize().header
    login.login()
    assert login.authorize().header == first
    login.login(force=True)
    assert login.authorize().header != first
    assert stored(login.app).access_token in str(login.authorize().header)
