"""The one seam to the HTTP service.

What comes in: an operation of the generated bindings and its arguments. What goes out: the
answer's decoded JSON, or a :class:`~gcompute.errors.ComputeError`. This is the only module of
the client that imports httpx and ``gcompute_api``; every exception of httpx is translated here.

Threads: one :class:`ServiceAPI` may be used by many at once. Nothing is sent, and no
connection opened, before the first call.

Tokens: any ``globus_sdk`` authorizer supplies the header. When the service refuses the token
(401) the authorizer may renew it, and the request is repeated once. One thread at a time asks
the authorizer, so that many threads log in once and renew once.
"""

from __future__ import annotations

import functools
import json
import math
import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol

import httpx
from gcompute_api.api.functions import register_function
from gcompute_api.api.service import get_version
from gcompute_api.api.tasks import get_result_amqp_url, get_task, get_task_batch, submit
from gcompute_api.models import (
    BatchStatusRequest,
    RegisterFunctionRequest,
    SubmitRequest,
    VersionService,
)

from gcompute import __version__
from gcompute.errors import (
    ComputeAPIError,
    ComputeError,
    RateLimited,
    ServiceUnreachable,
    error_class_for,
)
from gcompute.login import login_errors
from gcompute.protocol import PROTOCOL_LEVEL

__all__ = [
    "Authorizer",
    "BatchStatusRequest",
    "Operation",
    "RegisterFunctionRequest",
    "ServiceAPI",
    "SubmitRequest",
    "VersionService",
    "get_result_amqp_url",
    "get_task",
    "get_task_batch",
    "get_version",
    "register_function",
    "submit",
]

#: The service reads the protocol level from the part that starts with globus-compute-sdk.
USER_AGENT = f"globus-compute-sdk-{PROTOCOL_LEVEL}/gcompute-{__version__}"

#: Seconds: to connect; to send or receive the next bytes; to wait for a free connection.
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)

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


class Authorizer(Protocol):
    """What is needed of a ``globus_sdk`` authorizer."""

    def get_authorization_header(self) -> str | None:
        """Give the value of the header, renewing the token first where that is due."""

    def handle_missing_authorization(self) -> bool:
        """Renew a token that was refused; say whether repeating makes sense."""


class Operation(Protocol):
    """A module of the generated bindings: one operation of the service."""

    @property
    def __name__(self) -> str:
        """The module's import path."""

    @property
    def _get_kwargs(self) -> Callable[..., dict[str, Any]]:
        """Build the arguments of the httpx request."""


class _GlobusAuth(httpx.Auth):
    """Puts an authorizer's header on requests; renews and repeats once on 401.

    The authorizer is asked for at the first request, since making one may prompt for a login.
    """

    def __init__(self, find_authorizer: Callable[[], Authorizer]) -> None:
        self._find_authorizer = find_authorizer
        #: Held while the authorizer is found or asked, which may log in or renew a token.
        self._asking = threading.Lock()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        header = self._header()
        _set_header(request, header)
        response = yield request
        if response.status_code == 401 and self._renew(header):
            _set_header(request, self._header())
            yield request

    def _header(self) -> str | None:
        with self._asking, login_errors():
            return self._find_authorizer().get_authorization_header()

    def _renew(self, refused: str | None) -> bool:
        """Renew a token unless another thread has; say whether repeating makes sense."""
        with self._asking, login_errors():
            authorizer = self._find_authorizer()
            if authorizer.get_authorization_header() != refused:
                return True
            if not authorizer.handle_missing_authorization():
                return False
            authorizer.get_authorization_header()  # renews it, before the next thread asks
            return True


def _set_header(request: httpx.Request, header: str | None) -> None:
    if header is not None:
        request.headers["Authorization"] = header


class ServiceAPI:
    """Calls operations of one service.

    Args:
        base_url: the address of the service.
        find_authorizer: gives the authorizer, at each request; one thread at a time calls it.
        transport: an httpx transport to send through in place of the network.

    Raises:
        ValueError: ``base_url`` is no http(s) address.
    """

    def __init__(
        self,
        base_url: str,
        find_authorizer: Callable[[], Authorizer],
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        url = _service_url(base_url)
        #: The address without credentials, as it may appear in messages.
        self.base_url = str(url.copy_with(userinfo=b""))
        self._make_http = functools.partial(
            httpx.Client,
            base_url=url,
            auth=_GlobusAuth(find_authorizer),
            headers={"User-Agent": USER_AGENT},
            timeout=_TIMEOUT,
            transport=transport,
        )
        self._http = self._make_http()

    def call(self, operation: Operation, **arguments: Any) -> Any:
        """Call an operation and decode its answer.

        Args:
            operation: a module of the generated bindings.
            **arguments: its path and query parameters, and ``body``.

        Raises:
            ServiceUnreachable: there was no answer, or none from Globus Auth.
            AuthenticationFailed: nobody is logged in, and no login was possible.
            ComputeAPIError: the answer is an error or a redirection, or no JSON.
        """
        request = operation._get_kwargs(**arguments)
        described = f"{request['method'].upper()} {request['url']}"
        try:
            response = self._http.request(**request)
        except httpx.HTTPError as error:
            raise self._unreachable(described, error) from error
        if not response.is_success:
            raise error_from_response(response, described)
        try:
            return json.loads(response.content)
        except ValueError as error:
            raise ComputeAPIError(
                http_status=response.status_code,
                message=f"the answer is no JSON: {response.text[:200]!r}; is this the address of "
                "a Globus Compute service?",
                request=described,
            ) from error

    def close(self) -> None:
        """Close the connections, also those in use; a later call opens new ones."""
        closing, self._http = self._http, self._make_http()
        closing.close()

    def _unreachable(self, described: str, error: httpx.HTTPError) -> ServiceUnreachable:
        """Say what broke, and whether the service may have seen the request."""
        sent = not isinstance(error, _NEVER_SENT)
        what = str(error) or type(error).__name__
        advice = (
            "the connection broke off after the request was sent"
            if sent
            else "check the address, the network, and that the service is up"
        )
        return ServiceUnreachable(
            f"{described}: no answer from {self.base_url}: {what}; {advice}",
            url=self.base_url,
            sent=sent,
        )


def _service_url(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"base_url must be an http or https address, not {base_url!r}")
    return url


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
    )
    if isinstance(error, RateLimited):
        error.retry_after_s = _seconds(response.headers.get("Retry-After"))
    return error


def _seconds(retry_after: str | None) -> float | None:
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None  # a date: rare, and the caller's own back-off does as well
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
