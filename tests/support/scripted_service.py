"""A web service that answers what a test says, without a network.

:class:`ScriptedService` is an httpx transport, blocking and asynchronous: hand it to
``Client(transport=...)`` or ``AsyncClient(transport=...)``. Routes are (method, path) to an answer
or a function that makes one; every request is kept.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import httpx

from gcompute import AsyncClient, Client

FUNCTION_ID = "10000000-0000-4000-8000-000000000001"
ENDPOINT_ID = "20000000-0000-4000-8000-000000000002"
GROUP_ID = "30000000-0000-4000-8000-000000000003"
TASK_ID = "40000000-0000-4000-8000-000000000004"

Answer = httpx.Response | Exception | Any
Handler = Callable[[httpx.Request], Answer]


class StaticAuthorizer:
    """Has one token and no other."""

    def __init__(self, header: str | None = "Bearer one") -> None:
        self.header = header
        self.asked = 0

    def get_authorization_header(self) -> str | None:
        """Give the header."""
        self.asked += 1
        return self.header

    def handle_missing_authorization(self) -> bool:
        """Say that there is no other token."""
        return False


class ScriptedService(httpx.MockTransport):
    """Answers by route. An answer is a response, an exception to raise, or a JSON value."""

    def __init__(self, routes: dict[tuple[str, str], Answer | Handler] | None = None) -> None:
        super().__init__(self._answer)
        self.routes = dict(routes or {})
        #: Every request, in the order of arrival.
        self.requests: list[httpx.Request] = []
        #: Seconds that clients would have waited.
        self.pauses: list[float] = []
        self._lock = threading.Lock()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
        answer = self.routes[request.method, request.url.path]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [request.url.path for request in self.requests]

    def body(self, index: int = -1) -> Any:
        """Give the decoded body of a request."""
        return json.loads(self.requests[index].content)

    def client(self, **options: Any) -> Client:
        """Make a client of this service, which does not check versions unless told to.

        It waits for nothing; what it would have waited is in :attr:`pauses`.
        """
        client = Client(transport=self, **(_SETTINGS | _fresh() | options))
        client._api._sleep = self.pauses.append
        return client

    def async_client(self, **options: Any) -> AsyncClient:
        """Make an asynchronous client of this service, as :meth:`client`."""

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)
            await asyncio.sleep(0)

        client = AsyncClient(transport=self, **(_SETTINGS | _fresh() | options))
        client._api._sleep = sleep
        return client


_SETTINGS: dict[str, Any] = {"base_url": "http://service.test", "do_version_check": False}


def _fresh() -> dict[str, Any]:
    return {"authorizer": StaticAuthorizer()}
