"""Calls: how they are sent, waited for and repeated, and connections that break."""

from __future__ import annotations

import inspect
import socket
import threading
from typing import Any

import globus_sdk
import httpx
import pytest

from gcompute import http
from gcompute.errors import (
    ServiceUnreachable,
)
from gcompute.login import Login
from tests.support.ports import closed_port
from tests.support.scripted_service import ScriptedService, StaticAuthorizer
from tests.unit.http.asking import ASK, VERSION, answering, api_of

LOGIN = Login(authorizer=StaticAuthorizer())


def test_a_request_bears_token_and_version() -> None:
    """The header of the authorizer, and a user agent that the service reads the version from."""
    service = ScriptedService({VERSION: {"api": "1"}})
    assert api_of(service).call(ASK) == {"api": "1"}
    (request,) = service.requests
    assert request.headers["Authorization"] == "Bearer one"
    assert "globus-compute-sdk-4.19.0" in request.headers["User-Agent"].split("/")


def test_an_authorizer_without_a_header_sends_none() -> None:
    """``globus_sdk.NullAuthorizer`` has no header to give."""
    service = ScriptedService({VERSION: {}})
    api_of(service, globus_sdk.NullAuthorizer()).call(ASK)
    assert "Authorization" not in service.requests[0].headers


def test_making_one_asks_nobody() -> None:
    """Neither the service nor the authorizer hears of a constructor."""
    service = ScriptedService()
    authorizer = StaticAuthorizer()
    api_of(service, authorizer)
    assert service.requests == []
    assert authorizer.asked == 0


@pytest.mark.parametrize("base_url", ["http://service.test/sub", "http://service.test/sub/"])
def test_a_path_in_the_address_is_kept(base_url: str) -> None:
    """A service may live behind a prefix, with or without a slash at its end."""
    service = ScriptedService({("GET", "/sub/v2/version"): {}})
    api_of(service, base_url=base_url).call(ASK)
    assert service.paths == ["/sub/v2/version"]


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "localhost:5000",
        "/path",
        "ftp://service.test",
        "http://",
        "http://[::1",
        "http://a:b",
        "\x00",
    ],
)
def test_an_address_that_is_none_is_refused(base_url: str) -> None:
    """A mistake in the address is a ValueError that quotes it, at once."""
    with pytest.raises(ValueError, match="base_url must be an http or https address"):
        api_of(ScriptedService(), base_url=base_url)


def test_closing_is_not_the_end() -> None:
    """A call after close opens new connections."""
    service = ScriptedService({VERSION: {"api": "1"}})
    api = api_of(service)
    api.call(ASK)
    api.close()
    api.close()
    assert api.call(ASK) == {"api": "1"}
    api.close()


def test_a_password_in_the_address_stays_out_of_messages() -> None:
    """Neither the error's text nor its attributes tell credentials."""
    service = ScriptedService({VERSION: httpx.ConnectError("refused")})
    with pytest.raises(ServiceUnreachable) as caught:
        api_of(service, base_url="http://me:hush@service.test").call(ASK)
    assert "hush" not in f"{caught.value} {caught.value.url}"
    assert "service.test" in caught.value.url


# No answer


_NEVER_SENT = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
}

#: Exceptions of httpx that no call can raise, with the reason.
_ELSEWHERE = {
    httpx.InvalidURL,  # the address is checked when the client is made
    httpx.CookieConflict,  # no cookie is ever read
    httpx.StreamError,  # no answer is ever streamed
    httpx.StreamConsumed,
    httpx.StreamClosed,
    httpx.ResponseNotRead,
    httpx.RequestNotRead,
}

_EXCEPTIONS = [
    value
    for value in (getattr(httpx, name) for name in httpx.__all__)
    if inspect.isclass(value) and issubclass(value, BaseException)
]


@pytest.mark.parametrize("exception", [e for e in _EXCEPTIONS if e not in _ELSEWHERE])
def test_every_exception_of_httpx_is_translated(exception: type[Exception]) -> None:
    """Each becomes ServiceUnreachable, which tells whether the request may have arrived."""
    more: dict[str, Any] = {}
    if issubclass(exception, httpx.HTTPStatusError):
        more = {"request": None, "response": None}
    raised = exception("broken", **more)
    with pytest.raises(ServiceUnreachable) as caught:
        answering(raised).call(ASK)
    assert caught.value.sent is (exception not in _NEVER_SENT)
    assert caught.value.__cause__ is raised
    for part in ("GET /v2/version", "http://service.test", "broken"):
        assert part in str(caught.value)


def test_an_error_without_text_is_named() -> None:
    """Some exceptions of httpx say nothing; their name does."""
    with pytest.raises(ServiceUnreachable, match="ReadTimeout"):
        answering(httpx.ReadTimeout("")).call(ASK)


def test_a_service_that_is_not_there_was_not_reached() -> None:
    """A real refused connection: surely not sent."""
    told = r"check the address.*`gcompute diagnose` finds"
    with closed_port() as port:
        api = http.ServiceAPI(f"http://127.0.0.1:{port}", LOGIN)
        with pytest.raises(ServiceUnreachable, match=told) as caught:
            api.call(ASK)
        api.close()
    assert caught.value.sent is False


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its variable: whoever reads the address alone looks for the fault at the service."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with closed_port() as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        api = http.ServiceAPI("http://compute.example.org", LOGIN)
        with pytest.raises(ServiceUnreachable, match="the proxy that http_proxy names") as caught:
            api.call(ASK)
        api.close()
    assert caught.value.sent is False


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def test_a_connection_that_breaks_off_may_have_been_sent(answer: bytes) -> None:
    """Cut before or within the answer: the request may have been taken."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        api = http.ServiceAPI(f"http://127.0.0.1:{listener.getsockname()[1]}", LOGIN)
        with pytest.raises(ServiceUnreachable, match="after the request was sent") as caught:
            api.call(ASK)
        thread.join()
        api.close()
    assert caught.value.sent is True
