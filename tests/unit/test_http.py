"""The seam to the HTTP service: tokens, errors, and what was or was not sent."""

from __future__ import annotations

import inspect
import socket
import threading
import types
from collections.abc import Callable
from typing import Any

import globus_sdk
import httpx
import pytest

from gcompute import http
from gcompute.calls import Call
from gcompute.errors import (
    AuthenticationFailed,
    ComputeAPIError,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    RequestInvalid,
    ServiceFailed,
    ServiceUnreachable,
)
from tests.support.scripted_service import Answer, ScriptedService, StaticAuthorizer

VERSION = ("GET", "/v2/version")

#: Asked once, whatever the answer.
ASK = Call("service.get_version", {})


def _api(
    service: httpx.BaseTransport,
    authorizer: http.Authorizer | None = None,
    base_url: str = "http://service.test",
) -> http.ServiceAPI:
    return http.ServiceAPI(
        base_url,
        lambda: authorizer or StaticAuthorizer(),
        transport=service,
        sleep=lambda _seconds: None,
    )


def _answering(answer: Answer) -> http.ServiceAPI:
    return _api(ScriptedService({VERSION: answer}))


def _error(answer: httpx.Response) -> ComputeAPIError:
    with pytest.raises(ComputeAPIError) as caught:
        _answering(answer).call(ASK)
    return caught.value


# Sending


def test_a_request_bears_token_and_version() -> None:
    """The header of the authorizer, and a user agent that the service reads the version from."""
    service = ScriptedService({VERSION: {"api": "1"}})
    assert _api(service).call(ASK) == {"api": "1"}
    (request,) = service.requests
    assert request.headers["Authorization"] == "Bearer one"
    assert "globus-compute-sdk-4.19.0" in request.headers["User-Agent"].split("/")


def test_an_authorizer_without_a_header_sends_none() -> None:
    """``globus_sdk.NullAuthorizer`` has no header to give."""
    service = ScriptedService({VERSION: {}})
    _api(service, globus_sdk.NullAuthorizer()).call(ASK)
    assert "Authorization" not in service.requests[0].headers


def test_making_one_asks_nobody() -> None:
    """Neither the service nor the authorizer hears of a constructor."""
    service = ScriptedService()

    def must_not_be_asked() -> http.Authorizer:
        raise AssertionError("asked for an authorizer")

    http.ServiceAPI("http://service.test", must_not_be_asked, transport=service)
    assert service.requests == []


@pytest.mark.parametrize("base_url", ["http://service.test/sub", "http://service.test/sub/"])
def test_a_path_in_the_address_is_kept(base_url: str) -> None:
    """A service may live behind a prefix, with or without a slash at its end."""
    service = ScriptedService({("GET", "/sub/v2/version"): {}})
    _api(service, base_url=base_url).call(ASK)
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
        _api(ScriptedService(), base_url=base_url)


def test_closing_is_not_the_end() -> None:
    """A call after close opens new connections."""
    service = ScriptedService({VERSION: {"api": "1"}})
    api = _api(service)
    api.call(ASK)
    api.close()
    api.close()
    assert api.call(ASK) == {"api": "1"}
    api.close()


def test_a_password_in_the_address_stays_out_of_messages() -> None:
    """Neither the error's text nor its attributes tell credentials."""
    service = ScriptedService({VERSION: httpx.ConnectError("refused")})
    with pytest.raises(ServiceUnreachable) as caught:
        _api(service, base_url="http://me:hush@service.test").call(ASK)
    assert "hush" not in f"{caught.value} {caught.value.url}"
    assert "service.test" in caught.value.url


# Tokens


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
    assert _api(service, _renewing(auth)).call(ASK) == {"token": "Bearer new-1"}
    assert len(service.requests) == 2
    assert auth.renewals == 1


def test_a_second_refusal_is_final() -> None:
    """A service that refuses the new token as well is not asked a third time."""
    service = ScriptedService({VERSION: _refuse("Bearer old", "Bearer new-1")})
    with pytest.raises(AuthenticationFailed, match="TOKEN_EXPIRED"):
        _api(service, _renewing(_AuthService())).call(ASK)
    assert len(service.requests) == 2


def test_a_token_that_cannot_be_renewed_is_refused_at_once() -> None:
    """An access token of the user's is not repeated."""
    service = ScriptedService({VERSION: _refuse("Bearer one")})
    with pytest.raises(AuthenticationFailed, match="Log in again"):
        _api(service, globus_sdk.AccessTokenAuthorizer("one")).call(ASK)
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
    api = _api(service, _renewing(auth))
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

    def login() -> http.Authorizer:
        raise raised

    service = ScriptedService()
    api = http.ServiceAPI("http://service.test", login, transport=service)
    with pytest.raises(expected) as caught:
        api.call(ASK)
    assert caught.value.__cause__ is raised
    assert "Globus Auth" in str(caught.value)
    assert getattr(caught.value, "sent", False) is False
    assert service.requests == []


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
        _answering(raised).call(ASK)
    assert caught.value.sent is (exception not in _NEVER_SENT)
    assert caught.value.__cause__ is raised
    for part in ("GET /v2/version", "http://service.test", "broken"):
        assert part in str(caught.value)


def test_an_error_without_text_is_named() -> None:
    """Some exceptions of httpx say nothing; their name does."""
    with pytest.raises(ServiceUnreachable, match="ReadTimeout"):
        _answering(httpx.ReadTimeout("")).call(ASK)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_service_that_is_not_there_was_not_reached() -> None:
    """A real refused connection: surely not sent."""
    api = http.ServiceAPI(f"http://127.0.0.1:{_free_port()}", StaticAuthorizer)
    with pytest.raises(ServiceUnreachable, match="check the address") as caught:
        api.call(ASK)
    assert caught.value.sent is False
    api.close()


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
        api = http.ServiceAPI(f"http://127.0.0.1:{listener.getsockname()[1]}", StaticAuthorizer)
        with pytest.raises(ServiceUnreachable, match="after the request was sent") as caught:
            api.call(ASK)
        thread.join()
        api.close()
    assert caught.value.sent is True


# Error answers


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, RequestInvalid),
        (401, AuthenticationFailed),
        (403, PermissionDenied),
        (404, NotFound),
        (409, ComputeAPIError),
        (413, PayloadTooLarge),
        (422, RequestInvalid),
        (429, RateLimited),
        (500, ServiceFailed),
        (502, ServiceFailed),
        (503, ServiceFailed),
        (599, ServiceFailed),
    ],
)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><h1>Bad gateway</h1></html>",
        b"null",
        b"[]",
        b'["a", 1]',
        b'"text"',
        b"7",
        b"{}",
        b"{",
        b"\xff\xfe",
        b'{"detail": null, "code": null, "reason": null}',
        b'{"detail": 7, "code": 7}',
        b'{"detail": {"a": "b"}}',
        b'{"detail": ["a", null, {}]}',
        b'{"detail": [{"loc": null, "msg": null}]}',
        b'{"detail": []}',
        b'{"code": "X", "reason": "because", "http_status_code": 400}',
    ],
)
def test_every_error_answer_is_a_compute_api_error(
    status: int, expected: type[ComputeAPIError], content: bytes
) -> None:
    """Class by status and a message that names the request, whatever the body is."""
    error = _error(httpx.Response(status, content=content))
    assert type(error) is expected
    assert error.http_status == status
    assert str(error).startswith(f"GET /v2/version: HTTP {status}")


def test_the_services_error_body_is_read() -> None:
    """Code, text, request id and the whole document."""
    body = {
        "status": "Failed",
        "code": "ENDPOINT_NOT_FOUND",
        "error_args": ["e"],
        "http_status_code": 404,
        "detail": "no endpoint e",
        "reason": "older text",
        "request_id": "r-1",
    }
    error = _error(httpx.Response(404, json=body))
    assert (error.code, error.message, error.request_id) == (
        "ENDPOINT_NOT_FOUND",
        "no endpoint e",
        "r-1",
    )
    assert error.raw_json == body


@pytest.mark.parametrize("detail", [{}, {"detail": None}, {"detail": ""}])
def test_the_older_reason_stands_in_for_the_detail(detail: dict[str, Any]) -> None:
    """Where there is no detail, the reason is the message."""
    assert _error(httpx.Response(400, json={"reason": "because", **detail})).message == "because"


_FIELD = {"loc": ["body", "tasks"], "msg": "field required", "type": "missing"}


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [_FIELD]},
        {
            "status": "Failed",
            "code": "REQUEST_INVALID",
            "error_args": [],
            "http_status_code": 422,
            "detail": [_FIELD],
            "reason": [_FIELD],
        },
        {"reason": [_FIELD]},
    ],
    ids=["HTTPValidationError", "ValidationErrorResponse", "reason only"],
)
def test_wrong_fields_are_listed(body: dict[str, Any]) -> None:
    """Both shapes of a validation error give the fields, in attribute and message."""
    error = _error(httpx.Response(422, json=body))
    assert error.errors == [_FIELD]
    assert "body.tasks: field required" in str(error)


@pytest.mark.parametrize("name", ["x-request-id", "X-Amzn-RequestId", "x-amz-request-id"])
def test_a_request_id_may_come_in_a_header(name: str) -> None:
    """What is before the service has ids as well."""
    error = _error(httpx.Response(502, headers={name: "r-7"}))
    assert error.request_id == "r-7"
    assert "r-7" in str(error)


def test_a_long_error_page_is_cut() -> None:
    """A page of HTML does not drown the message."""
    assert len(str(_error(httpx.Response(502, text="x" * 100_000)))) < 1000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        (" 7 ", 7.0),
        (None, None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_a_usable_number_of_seconds_or_nothing(
    value: str | None, expected: float | None
) -> None:
    """Waiting that long must always be possible."""
    headers = {} if value is None else {"Retry-After": value}
    error = _error(httpx.Response(429, headers=headers))
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == expected


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_not_an_answer(status: int) -> None:
    """The token goes to no other address, and the error names the one to use."""
    service = ScriptedService(
        {VERSION: httpx.Response(status, headers={"Location": "https://other.test/"}, json={})}
    )
    with pytest.raises(ComputeAPIError, match=r"https://other\.test/") as caught:
        _api(service).call(ASK)
    assert caught.value.http_status == status
    assert len(service.requests) == 1


@pytest.mark.parametrize("content", [b" ", b"<html>", b"{", b"\xff"])
def test_a_success_that_is_no_json_is_an_error(content: bytes) -> None:
    """A captive portal answers 200 as well."""
    error = _error(httpx.Response(200, content=content))
    assert "is this the address of a Globus Compute service" in str(error)
    assert error.http_status == 200
