"""Tokens that end: by time, by revocation, or with the login that they came of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import globus_sdk
import httpx
import pytest

from gcompute import Client
from gcompute.errors import LoginRequired
from gcompute.local import LocalService
from gcompute.login import Login
from tests.scenarios.login.asking import asked, stored
from tests.scenarios.login.person import Person


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count what is asked of the token endpoint, by grant type."""
    seen: list[str] = []
    send = globus_sdk.AuthLoginClient.oauth2_token

    def counting(self: globus_sdk.AuthLoginClient, form: dict[str, str], **more: object) -> object:
        seen.append(form["grant_type"])
        return send(self, form, **more)

    monkeypatch.setattr(globus_sdk.AuthLoginClient, "oauth2_token", counting)
    return seen


def _revoke(login: Login) -> None:
    """End the access token, behind the back of the client."""
    token = stored(login.app).access_token
    client = globus_sdk.NativeAppAuthClient(str(login.app.client_id if login.app else ""))
    client.oauth2_revoke_token(token)
    client.close()


def test_a_token_that_was_revoked_is_renewed(
    service: LocalService, person: Person, login: Login
) -> None:
    """The service refuses it, the refresh token gives another, and nobody is asked."""
    first = login.authorize()
    _revoke(login)
    assert asked(service, first.header).status_code == 401
    assert login.renew(first) is True
    second = login.authorize()
    assert asked(service, second.header).status_code == 200
    assert stored(login.app).access_token in str(second.header)
    assert len(person.asked) == 1


def test_a_request_survives_the_end_of_its_token(
    service: LocalService, person: Person, client: Client
) -> None:
    """The user of a client sees nothing of a renewal."""
    client.register_function(abs)
    token = stored(client.app).access_token
    httpx.post(
        f"{service.url}/v2/oauth2/token/revoke",
        data={"token": token, "client_id": str(client.app.client_id if client.app else "")},
        timeout=30,
    ).raise_for_status()
    assert client.register_function(abs)
    assert stored(client.app).access_token != token
    assert len(person.asked) == 1


def test_many_threads_renew_once(
    service: LocalService, person: Person, login: Login, renewals: list[str]
) -> None:
    """They are refused together; one renews, and all have the new token."""
    first = login.authorize()
    renewals.clear()
    _revoke(login)
    together = threading.Barrier(8)

    def refused() -> str | None:
        together.wait(10)
        assert login.renew(first)
        return login.authorize().header

    with ThreadPoolExecutor(8) as pool:
        headers = {future.result(30) for future in [pool.submit(refused) for _ in range(8)]}
    assert len(headers) == 1
    assert asked(service, headers.pop()).status_code == 200
    assert renewals == ["refresh_token"]


def test_many_threads_log_in_once(person: Person, login: Login, renewals: list[str]) -> None:
    """The first requests of a client may come all at once; a person types one code."""
    together = threading.Barrier(8)

    def first() -> str | None:
        together.wait(10)
        return login.authorize().header

    with ThreadPoolExecutor(8) as pool:
        headers = {future.result(30) for future in [pool.submit(first) for _ in range(8)]}
    assert len(headers) == 1
    assert renewals == ["authorization_code"]
    assert len(person.asked) == 1


def test_when_the_refresh_token_has_ended_a_person_is_asked(person: Person, login: Login) -> None:
    """As after half a year, or when the consent was withdrawn."""
    first = login.authorize()
    _end_login(login)
    assert login.renew(first) is True
    assert len(person.asked) == 2
    assert login.authorize().header != first.header


def test_when_the_refresh_token_has_ended_and_nobody_is_there(
    person: Person, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is the one of a first login."""
    first = login.authorize()
    _end_login(login)
    person.leave(monkeypatch)
    with pytest.raises(LoginRequired):
        login.renew(first)


def _end_login(login: Login) -> None:
    client = globus_sdk.NativeAppAuthClient(str(login.app.client_id if login.app else ""))
    client.oauth2_revoke_token(stored(login.app).refresh_token)
    client.close()


@pytest.fixture
def hasty() -> Iterator[LocalService]:
    """A service whose tokens are valid for so short that each request renews them."""
    with LocalService(workers=0, token_lifetime=30) as running:
        yield running


def test_a_token_that_is_about_to_expire_is_renewed_before_it_is_sent(
    hasty: LocalService, monkeypatch: pytest.MonkeyPatch, renewals: list[str]
) -> None:
    """The service never sees one that has expired."""
    for name, value in hasty.environment(client_credentials=True).items():
        monkeypatch.setenv(name, value)
    login = Login()
    headers = [login.authorize().header for _ in range(3)]
    assert len(set(headers)) == 3
    assert [asked(hasty, header).status_code for header in headers] == [200, 200, 200]
    assert set(renewals) == {"client_credentials"}
    login.close()


def test_a_login_outlives_the_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A service that is started again on its folder knows the tokens that it gave out."""
    folder = tmp_path_factory.mktemp("state")
    with LocalService(workers=0, state_dir=folder) as first:
        monkeypatch.setenv("GLOBUS_SDK_SERVICE_URL_AUTH", first.auth_url)
        Person(first).sit_down(monkeypatch)
        login = Login()
        header = login.authorize().header
        assert asked(first, header).status_code == 200
    with LocalService(workers=0, state_dir=folder) as second:
        assert asked(second, header).status_code == 200
    login.close()
