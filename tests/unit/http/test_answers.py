"""From answers to values and errors, whatever the body is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gcompute.errors import (
    AuthenticationFailed,
    ComputeAPIError,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    RequestInvalid,
    ServiceFailed,
)
from tests.support.scripted_service import ScriptedService
from tests.unit.http.asking import ASK, VERSION, api_of, error_of


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
    error = error_of(httpx.Response(status, content=content))
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
    error = error_of(httpx.Response(404, json=body))
    assert (error.code, error.message, error.request_id) == (
        "ENDPOINT_NOT_FOUND",
        "no endpoint e",
        "r-1",
    )
    assert error.raw_json == body


@pytest.mark.parametrize("detail", [{}, {"detail": None}, {"detail": ""}])
def test_the_older_reason_stands_in_for_the_detail(detail: dict[str, Any]) -> None:
    """Where there is no detail, the reason is the message."""
    assert error_of(httpx.Response(400, json={"reason": "because", **detail})).message == "because"


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
    error = error_of(httpx.Response(422, json=body))
    assert error.errors == [_FIELD]
    assert "body.tasks: field required" in str(error)


@pytest.mark.parametrize("name", ["x-request-id", "X-Amzn-RequestId", "x-amz-request-id"])
def test_a_request_id_may_come_in_a_header(name: str) -> None:
    """What is before the service has ids as well."""
    error = error_of(httpx.Response(502, headers={name: "r-7"}))
    assert error.request_id == "r-7"
    assert "r-7" in str(error)


def test_a_long_error_page_is_cut() -> None:
    """A page of HTML does not drown the message."""
    assert len(str(error_of(httpx.Response(502, text="x" * 100_000)))) < 1000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        (" 7 ", 7.0),
        (None, None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2099 07:28:30 GMT", 30.0),
        ("Wed, 99 Oct 2099 07:28:30 GMT", None),
        ("Wed, 21 Oct 99999999999 07:28:30 GMT", None),
        ("soon", None),
        ("", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_a_usable_number_of_seconds_or_nothing(
    value: str | None, expected: float | None
) -> None:
    """Waiting that long must always be possible; a date is compared with the answer's own."""
    headers = {"Date": "Wed, 21 Oct 2099 07:28:00 GMT"}
    if value is not None:
        headers["Retry-After"] = value
    error = error_of(httpx.Response(429, headers=headers))
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == expected


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_not_an_answer(status: int) -> None:
    """The token goes to no other address, and the error names the one to use."""
    service = ScriptedService(
        {VERSION: httpx.Response(status, headers={"Location": "https://other.test/"}, json={})}
    )
    with pytest.raises(ComputeAPIError, match=r"https://other\.test/") as caught:
        api_of(service).call(ASK)
    assert caught.value.http_status == status
    assert len(service.requests) == 1


@pytest.mark.parametrize("content", [b" ", b"<html>", b"{", b"\xff"])
def test_a_success_that_is_no_json_is_an_error(content: bytes) -> None:
    """A captive portal answers 200 as well."""
    error = error_of(httpx.Response(200, content=content))
    assert "is this the address of a Globus Compute service" in str(error)
    assert error.http_status == 200
