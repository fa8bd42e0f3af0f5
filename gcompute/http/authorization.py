"""Tokens on requests.

Any ``globus_sdk`` authorizer supplies the header. When the service refuses the token (401) the
authorizer may renew it, and the request is repeated once. One thread at a time asks the
authorizer, so that many threads log in once and renew once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Protocol

import httpx

from gcompute.login import login_errors


class Authorizer(Protocol):
    """What is needed of a ``globus_sdk`` authorizer."""

    def get_authorization_header(self) -> str | None:
        """Give the value of the header, renewing the token first where that is due."""

    def handle_missing_authorization(self) -> bool:
        """Renew a token that was refused; say whether repeating makes sense."""


class GlobusAuth(httpx.Auth):
    """Puts an authorizer's header on requests; renews and repeats once on 401.

    Args:
        find_authorizer: gives the authorizer, at each request; one thread at a time calls it.
            Making one may prompt for a login, which is why it is asked for so late.
    """

    def __init__(self, find_authorizer: Callable[[], Authorizer]) -> None:
        self._find_authorizer = find_authorizer
        #: Held while the authorizer is found or asked, which may log in or renew a token.
        self._asking = threading.Lock()

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Authorize a request of a blocking client."""
        header = self._header()
        _set_header(request, header)
        response = yield request
        if response.status_code == 401 and self._renew(header):
            _set_header(request, self._header())
            yield request

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Authorize a request of an asynchronous client; a renewal does not block its loop."""
        header = await asyncio.to_thread(self._header)
        _set_header(request, header)
        response = yield request
        if response.status_code == 401 and await asyncio.to_thread(self._renew, header):
            _set_header(request, await asyncio.to_thread(self._header))
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
