"""Tokens on requests, for both kinds of httpx client.

:class:`~gcompute.login.Login` has the header of each request. A token that the service refuses
(401) is renewed, and a login that it finds insufficient (403 with a GARE) is made again; then the
request is repeated once. A login may prompt, so it is never made on an event loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from typing import Any

import httpx

from gcompute.login import Authorization, Login


class GlobusAuth(httpx.Auth):
    """Puts the header of a login on requests."""

    def __init__(self, login: Login) -> None:
        self._login = login

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Authorize a request of a blocking client."""
        sent = self._login.authorize()
        _set_header(request, sent)
        response = yield request
        if response.status_code == 403:
            response.read()
        if self._worth_repeating(response, sent):
            _set_header(request, self._login.authorize())
            yield request

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Authorize a request of an asynchronous client."""
        sent = await asyncio.to_thread(self._login.authorize)
        _set_header(request, sent)
        response = yield request
        if response.status_code == 403:
            await response.aread()
        if response.status_code in (401, 403) and await asyncio.to_thread(
            self._worth_repeating, response, sent
        ):
            _set_header(request, await asyncio.to_thread(self._login.authorize))
            yield request

    def _worth_repeating(self, response: httpx.Response, sent: Authorization) -> bool:
        if response.status_code == 401:
            return self._login.renew(sent)
        if response.status_code == 403:
            return self._login.satisfy(_document(response), sent)
        return False


def _document(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _set_header(request: httpx.Request, authorization: Authorization) -> None:
    if authorization.header is not None:
        request.headers["Authorization"] = authorization.header
