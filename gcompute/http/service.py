"""Calls to the service, blocking and asynchronous.

What comes in: a :class:`~gcompute.calls.Call`. What goes out: the answer's decoded JSON, or a
:class:`~gcompute.errors.ComputeError`. Before a request goes it takes a place in the budget and
waits for it; when it fails, the retries say whether it is repeated. The two classes differ in how
they send and wait, and in nothing else.

Threads: one :class:`ServiceAPI` may be used by many at once; the budget is shared by all that
share it. Nothing is sent, and no connection opened, before the first call.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from gcompute import __version__
from gcompute.budget import RequestBudget
from gcompute.calls import Call
from gcompute.errors import ComputeError, RateLimited
from gcompute.http.answers import decode, error_from_response, unreachable
from gcompute.http.authorization import Authorizer, GlobusAuth
from gcompute.http.operations import build_request, described, service_url
from gcompute.protocol import PROTOCOL_LEVEL
from gcompute.retries import Retries

#: The service reads the protocol level from the part that starts with globus-compute-sdk.
USER_AGENT = f"globus-compute-sdk-{PROTOCOL_LEVEL}/gcompute-{__version__}"

#: Seconds: to connect; to send or receive the next bytes; to wait for a free connection.
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)


def _weakly(find_authorizer: Callable[[], Authorizer]) -> Callable[[], Authorizer]:
    """Call a client's method without holding the client, which closes itself when it goes."""
    if not inspect.ismethod(find_authorizer):
        return find_authorizer
    reference = weakref.WeakMethod(find_authorizer)

    def find() -> Authorizer:
        method: Callable[[], Authorizer] | None = reference()
        if method is None:
            raise ComputeError("the client of this request does not exist any more")
        return method()

    return find


class _Attempts:
    """The life of one call, apart from sending and waiting."""

    def __init__(self, call: Call, budget: RequestBudget | None, base_url: str) -> None:
        self.request = build_request(call)
        self._described = described(self.request)
        self._budget = budget
        self._base_url = base_url
        self._retries = Retries(repeatable=call.repeatable)

    def wait_before_s(self) -> float:
        """Take a place in the budget; give the seconds to wait for it."""
        return self._budget.take(time.monotonic()) if self._budget else 0.0

    def failed(self, outcome: httpx.HTTPError | httpx.Response) -> float:
        """Give the seconds to wait before the next attempt.

        Raises:
            ComputeError: there is none.
        """
        error: ComputeError
        if isinstance(outcome, httpx.Response):
            error = error_from_response(outcome, self._described)
        else:
            error = unreachable(outcome, self._described, self._base_url)
        wait_s = self._retries.after(error)
        if wait_s is None:
            raise error from (outcome if isinstance(outcome, Exception) else None)
        if self._budget and isinstance(error, RateLimited):
            self._budget.close_until(time.monotonic() + wait_s)
        return wait_s

    def decode(self, response: httpx.Response) -> Any:
        """Give the decoded JSON of the answer."""
        return decode(response, self._described)


class ServiceAPI:
    """Calls operations of one service, blocking.

    Args:
        base_url: the address of the service.
        find_authorizer: gives the authorizer, at each request; one thread at a time calls it.
        budget: what the service lets a client send; ``None`` for no limit.
        transport: an httpx transport to send through in place of the network.
        sleep: waits some seconds.

    Raises:
        ValueError: ``base_url`` is no http(s) address.
    """

    def __init__(
        self,
        base_url: str,
        find_authorizer: Callable[[], Authorizer],
        *,
        budget: RequestBudget | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        url = service_url(base_url)
        #: The address without credentials, as it may appear in messages.
        self.base_url = str(url.copy_with(userinfo=b""))
        self.budget = budget
        self._sleep = sleep
        self._make_http = functools.partial(
            httpx.Client,
            base_url=url,
            auth=GlobusAuth(_weakly(find_authorizer)),
            headers={"User-Agent": USER_AGENT},
            timeout=_TIMEOUT,
            transport=transport,
        )
        self._open()

    def _open(self) -> None:
        self._http = self._make_http()
        #: Closes the connections, at the latest when nobody holds this object any more.
        self._close_http = weakref.finalize(self, self._http.close)

    def call(self, call: Call) -> Any:
        """Make a call and decode its answer.

        Raises:
            ServiceUnreachable: there was no answer, or none from Globus Auth.
            AuthenticationFailed: nobody is logged in, and no login was possible.
            ComputeAPIError: the answer is an error or a redirection, or no JSON.
        """
        attempts, response = self._send(call)
        return attempts.decode(response)

    def send(self, call: Call) -> httpx.Response:
        """Make a call and give its successful answer as it is; raises as :meth:`call`."""
        return self._send(call)[1]

    def _send(self, call: Call) -> tuple[_Attempts, httpx.Response]:
        attempts = _Attempts(call, self.budget, self.base_url)
        while True:
            self.pause(attempts.wait_before_s())
            outcome: httpx.HTTPError | httpx.Response
            try:
                outcome = self._http.request(**attempts.request)
                if outcome.is_success:
                    return attempts, outcome
            except httpx.HTTPError as error:
                outcome = error
            self.pause(attempts.failed(outcome))

    def pause(self, seconds: float) -> None:
        """Wait."""
        if seconds > 0:
            self._sleep(seconds)

    def close(self) -> None:
        """Close the connections, also those in use; a later call opens new ones."""
        close_http = self._close_http
        self._open()
        close_http()


class AsyncServiceAPI:
    """Calls operations of one service, with ``await``; otherwise as :class:`ServiceAPI`."""

    def __init__(
        self,
        base_url: str,
        find_authorizer: Callable[[], Authorizer],
        *,
        budget: RequestBudget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        url = service_url(base_url)
        self.base_url = str(url.copy_with(userinfo=b""))
        self.budget = budget
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            base_url=url,
            auth=GlobusAuth(find_authorizer),
            headers={"User-Agent": USER_AGENT},
            timeout=_TIMEOUT,
            transport=transport,
        )

    async def call(self, call: Call) -> Any:
        """Make a call and decode its answer; raises as :meth:`ServiceAPI.call`."""
        attempts = _Attempts(call, self.budget, self.base_url)
        while True:
            await self.pause(attempts.wait_before_s())
            outcome: httpx.HTTPError | httpx.Response
            try:
                outcome = await self._http.request(**attempts.request)
                if outcome.is_success:
                    return attempts.decode(outcome)
            except httpx.HTTPError as error:
                outcome = error
            await self.pause(attempts.failed(outcome))

    async def pause(self, seconds: float) -> None:
        """Wait."""
        if seconds > 0:
            await self._sleep(seconds)

    async def close(self) -> None:
        """Close the connections, also those in use."""
        await self._http.aclose()
