"""From an httpx response, or a failure, to a value or the error to raise.

Every exception of httpx is translated here.
"""

from __future__ import annotations

import email.utils
import json
import math
import time
from collections.abc import Mapping
from typing import Any

import httpx

from gcompute import environment
from gcompute.errors import (
    ComputeAPIError,
    ComputeError,
    RateLimited,
    ServiceFailed,
    ServiceUnreachable,
    error_class_for,
)

#: Headers in which a request id may come, by preference.
_REQUEST_ID_HEADERS = ("x-request-id", "x-amzn-requestid", "x-amz-request-id")

#: Failures that come before the first byte of a request is sent.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)


def decode(response: httpx.Response, described: str) -> Any:
    """Give the decoded JSON of an answer; ``None`` where it has no body.

    Raises:
        ComputeAPIError: the answer is an error or a redirection, or no JSON.
    """
    if not response.is_success:
        raise error_from_response(response, described)
    if not response.content:
        return None
    try:
        return json.loads(response.content)
    except ValueError as error:
        raise ComputeAPIError(
            http_status=response.status_code,
            message=f"the answer is no JSON: {response.text[:200]!r}; is this the address of "
            "a Globus Compute service?",
            request=described,
        ) from error


def unreachable(error: httpx.HTTPError, described: str, base_url: str) -> ServiceUnreachable:
    """Say what broke, and whether the service may have seen the request."""
    sent = not isinstance(error, _NEVER_SENT)
    what = str(error) or type(error).__name__
    url = httpx.URL(base_url)
    proxy = environment.proxy_for(url.scheme, url.host)
    way = f"the proxy that {proxy} names" if proxy else "the network"
    advice = (
        "the connection broke off after the request was sent"
        if sent
        else f"check the address, {way}, and that the service is up; `gcompute diagnose` finds "
        "which it is"
    )
    return ServiceUnreachable(
        f"{described}: no answer from {base_url}: {what}; {advice}", url=base_url, sent=sent
    )


def error_from_response(response: httpx.Response, described: str) -> ComputeError:
    """Turn an answer that is no success into the error to raise."""
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    document: Mapping[str, Any] = body if isinstance(body, dict) else {}
    detail = document.get("detail") or document.get("reason")
    fields = [item for item in detail if isinstance(item, dict)] if isinstance(detail, list) else []
    if response.is_redirect:
        message = f"moved to {response.headers.get('Location')}: is base_url right?"
    elif isinstance(detail, str):
        message = detail
    elif fields:
        message = "the request is not valid"
    else:
        message = response.text[:500].strip() or response.reason_phrase
    request_id = document.get("request_id") or next(
        (response.headers[name] for name in _REQUEST_ID_HEADERS if name in response.headers), None
    )
    error = error_class_for(response.status_code)(
        http_status=response.status_code,
        code=str(document.get("code") or "Error"),
        message=message,
        request_id=request_id,
        raw_json=body if isinstance(body, dict) else None,
        errors=fields,
        request=described,
        headers=response.headers,
        text=response.text,
    )
    if isinstance(error, RateLimited | ServiceFailed):
        error.retry_after_s = _retry_after_s(response.headers)
    return error


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read how long to wait: seconds, or a date by the clock that dated the answer."""
    value = headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        until, now = _moment(value), _moment(headers.get("Date", "")) or time.time()
        return None if until is None else max(0.0, until - now)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _moment(date: str) -> float | None:
    """Read a date of HTTP as Unix time in s."""
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
