"""Tokens on requests: one renewal for all, and logins that fail."""

from __future__ import annotations

import threading
import types
from collections.abc import Callable
from typing import Any

import globus_sdk
import httpx
import pytest

from gcompute.errors import (
    AuthenticationFailed,
    ServiceUnreachable,
)
from tests.support.scripted_service import Answer, ScriptedService, StaticAuthorizer
from tests.unit.http.asking import ASK, VERSION, api_of


class _AuthService:
    """Stands for Globus Auth: gives a new token each time, and counts."""

    def __init__(self) -> None:
        self.renewals = 0
        self._together = threading.Barrier(2)

    def oauth2_refresh_token(self, _refresh_token: str, **_more: Any) -> Any:
        """Renew; two renewals at the same time meet here, and are both counted."""
        try:
            self._together.wait(0.2)
        except threading.BrokenBarrierError:
            self._together.reset()
        self.renewals += 1
        tokens = {"access_token": f"new-{self.renewals}", "expires_at_seconds": 2**40}

        return types.SimpleNamespace(by_resource_server={"compute": tokens})


def _renewing(auth: Any) -> globus_sdk.RefreshTokenAuthorizer:
    return globus_sdk.RefreshTokenAuthorizer("r", auth, access_token="old", expires_at=2**40)


def _refuse(*headers: str) -> Callable[[httpx.Request], Answer]:
    def answer(request: httpx.Request) -> Answer:
        if request.headers["Authorization"] in headers:
            return httpx.Response(401, json={"code": "TOKEN_EXPIRED"})
        return {"token": request.headers["Authorization"]}

    return answer


def test_a_refused_token_is_renewed_and_the_request_repeated() -> None:
    """One 401, one renewal, one repetition."""
    auth = _AuthService()
    service = ScriptedService({VERSION: _refuse("Bearer old")})
    assert api_of(service, _renewing(auth)).call(ASK) == {"token": "Bearer new-1"}
    assert len(service.requests) == 2
    assert auth.renewals == 1


def test_a_second_refusal_is_final() -> None:
    """A service that refuses the new token as well is not asked a third time."""
    service = ScriptedService({VERSION: _refuse("Bearer old", "Bearer new-1")})
    with pytest.raises(AuthenticationFailed, match="TOKEN_EXPIRED"):
        api_of(service, _renewing(_AuthService())).call(ASK)
    assert len(service.requests) == 2


def test_a_token_that_cannot_be_renewed_is_refused_at_once() -> None:
    """An access token of the user's is not repeated."""
    service = ScriptedService({VERSION: _refuse("Bearer one")})
    with pytest.raises(AuthenticationFailed, match="Log in again"):
        api_of(service, globus_sdk.AccessTokenAuthorizer("one")).call(ASK)
    assert len(service.requests) == 1


def test_eight_threads_renew_once() -> None:
    """Requests that are refused at the same time share one renewal."""
    auth = _AuthService()
    all_sent = threading.Barrier(8)

    def answer(request: httpx.Request) -> Answer:
        if request.headers["Authorization"] == "Bearer old":
            all_sent.wait(10)
            return httpx.Response(401)
        return {"token": request.headers["Authorization"]}

    service = ScriptedService({VERSION: answer})
    api = api_of(service, _renewing(auth))
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(api.call(ASK))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"token": "Bearer new-1"}] * 8
    assert auth.renewals == 1
    assert len(service.requests) == 16


def _globus_error(status: int) -> globus_sdk.GlobusAPIError:
    import requests

    response = requests.Response()
    response.status_code = status
    response._content = b'{"error": "invalid_grant"}'
    response.headers["Content-Type"] = "application/json"
    response.request = requests.Request("POST", "http://auth.test").prepare()
    return globus_sdk.AuthAPIError(response)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (globus_sdk.GlobusConnectionError("no route", OSError()), ServiceUnreachable),
        (globus_sdk.GlobusTimeoutError("slow", OSError()), ServiceUnreachable),
        (_globus_error(502), ServiceUnreachable),
        (_globus_error(400), AuthenticationFailed),
        (globus_sdk.GlobusError("no token"), AuthenticationFailed),
        (EOFError("no terminal to prompt on"), AuthenticationFailed),
    ],
    ids=["connection", "timeout", "502", "400", "other", "eof"],
)
def test_a_login_that_fails_is_a_compute_error(
    raised: Exception, expected: type[Exception]
) -> None:
    """What globus_sdk raises is translated; nothing was sent to the service."""

    class Failing(StaticAuthorizer):
        def get_authorization_header(self) -> str | None:
            raise raised

    service = ScriptedService()
    with pytest.raises(expected) as caught:
        api_of(service, Failing()).call(ASK)
    assert caught.value.__cause__ is raised
    assert "Globus Auth" in str(caught.value)
    assert getattr(caught.value, "sent", False) is False
    assert service.requests == []
