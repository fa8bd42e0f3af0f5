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
import contextlib
import logging
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

import httpx

from gcompute import __version__
from gcompute.budget import Place, RequestBudget
from gcompute.calls import Call
from gcompute.errors import ComputeError, RateLimited
from gcompute.http.answers import decode, error_from_response, unreachable
from gcompute.http.authorization import GlobusAuth
from gcompute.http.certificates import trusted
from gcompute.http.connections import Connections
from gcompute.http.operations import build_request, described, service_url
from gcompute.login import Login
from gcompute.login.failures import forget_frames
from gcompute.protocol import PROTOCOL_LEVEL
from gcompute.retries import Retries

log = logging.getLogger(__name__)

#: The service reads the protocol level from the part that starts with globus-compute-sdk.
USER_AGENT = f"globus-compute-sdk-{PROTOCOL_LEVEL}/gcompute-{__version__}"

#: Seconds: to connect; to send or receive the next bytes; to wait for a free connection.
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)

#: How many requests one event loop has under way with a client, as many as httpx keeps connections
#: open. httpx goes through all that wait for a connection at each step of each request: a thousand
#: at once took minutes, and failed when one had waited for a minute.
_MOST_AT_ONCE = 20

#: Waits from this many seconds on are told: a program that seems to hang is waiting.
_TOLD_S = 1.0

_Waits = Iterable[float]


def _moments(place: Place, now: float) -> Iterator[float]:
    """Give the seconds until a place, and again where it has moved in that time."""
    waited_for = now
    while place.moment > waited_for:
        seconds, waited_for = place.moment - waited_for, place.moment
        yield seconds


class _Attempts:
    """The life of one call, apart from sending and waiting."""

    def __init__(self, call: Call, budget: RequestBudget | None, base_url: str) -> None:
        self.request = build_request(call)
        self._described = described(self.request)
        self._budget = budget
        self._base_url = base_url
        self._retries = Retries(repeatable=call.repeatable)

    @contextlib.contextmanager
    def place(self) -> Iterator[_Waits]:
        """Take a place in the budget for an attempt; it is given back where the wait breaks off.

        Gives the waits, in seconds, that come before the attempt: another one follows where the
        service asks for a pause meanwhile.
        """
        if self._budget is None:
            yield ()
            return
        now = time.monotonic()
        place = self._budget.take(now)
        if place.moment - now >= _TOLD_S:
            log.info(
                "%s waits for %.1f s: as many requests were sent as the client may (request_limit)",
                self._described,
                place.moment - now,
            )
        try:
            yield _moments(place, now)
        except BaseException:
            self._budget.give_back(place)
            raise

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
            cause = outcome if isinstance(outcome, Exception) else None
            forget_frames(cause)  # their variables have the request's header
            raise error from cause
        log.info("%s goes again in %.1f s: %s", self._described, wait_s, error)
        if self._budget and isinstance(error, RateLimited):
            now = time.monotonic()
            self._budget.close_until(now + wait_s, now)
        return wait_s

    def decode(self, response: httpx.Response) -> Any:
        """Give the decoded JSON of the answer."""
        return decode(response, self._described)


def _settings(url: httpx.URL, login: Login, transport: Any) -> dict[str, Any]:
    """Give what both kinds of httpx client are made with."""
    return {
        "base_url": url,
        "auth": GlobusAuth(login),
        "headers": {"User-Agent": USER_AGENT},
        "timeout": _TIMEOUT,
        **({"transport": transport} if transport is not None else {"verify": trusted(url)}),
    }


class ServiceAPI:
    """Calls operations of one service, blocking.

    Args:
        base_url: the address of the service.
        login: has the header of each request.
        budget: what the service lets a client send; ``None`` for no limit.
        transport: an httpx transport to send through in place of the network.
        sleep: waits some seconds.

    Raises:
        ValueError: ``base_url`` is no http(s) address.
    """

    def __init__(
        self,
        base_url: str,
        login: Login,
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
        self._connections = Connections(lambda: httpx.Client(**_settings(url, login, transport)))
        # At the latest when nobody holds this object any more.
        weakref.finalize(self, self._connections.close)

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
            with attempts.place() as waits:
                for seconds in waits:
                    self.pause(seconds)
            outcome: httpx.HTTPError | httpx.Response
            try:
                with self._connections.use() as http:
                    outcome = http.request(**attempts.request)
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
        """Close the connections, those in use when their requests end; later calls open others."""
        self._connections.close()


class AsyncServiceAPI:
    """Calls operations of one service, with ``await``; otherwise as :class:`ServiceAPI`."""

    def __init__(
        self,
        base_url: str,
        login: Login,
        *,
        budget: RequestBudget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        url = service_url(base_url)
        self.base_url = str(url.copy_with(userinfo=b""))
        self.budget = budget
        self._sleep = sleep
        self._make_http: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(
            **_settings(url, login, transport)
        )
        self._http: httpx.AsyncClient | None = None
        #: The event loop that the connections belong to: that of the first call.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        #: Requests under way: what is closed under them would leave their sockets open.
        self._users = 0
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)

    @contextlib.asynccontextmanager
    async def _using(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend the connections for one request; the last one closes what was to be closed."""
        http = self._opened()
        self._users += 1
        try:
            async with self._places:
                yield http
        finally:
            self._users -= 1
            if self._closed and self._users == 0:
                await http.aclose()

    def _opened(self) -> httpx.AsyncClient:
        """Give the connections, opening them at the first call."""
        if self._closed:
            raise RuntimeError("this client is closed: make another one")
        loop = asyncio.get_running_loop()
        if self._http is None:
            self._http, self._loop = self._make_http(), loop
        elif self._loop is not loop:
            raise RuntimeError(
                "this client was used in another event loop, and its connections belong to that "
                "one: make a client in each loop"
            )
        return self._http

    async def call(self, call: Call) -> Any:
        """Make a call and decode its answer; raises as :meth:`ServiceAPI.call`.

        Raises:
            RuntimeError: this is closed, or was used in another event loop.
        """
        attempts = _Attempts(call, self.budget, self.base_url)
        while True:
            with attempts.place() as waits:
                for seconds in waits:
                    await self.pause(seconds)
            outcome: httpx.HTTPError | httpx.Response
            try:
                async with self._using() as http:
                    outcome = await http.request(**attempts.request)
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
        """Close the connections, those in use when their requests end; no call can follow."""
        self._closed = True
        if self._http is not None and self._users == 0:
            await self._http.aclose()
