"""The asynchronous client: many calls at once, cancelling, closing, event loops, warnings."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest

from gcompute import AsyncClient, Client
from gcompute.core import WINDOW_FACTOR
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    TASK_ID,
    ScriptedService,
    StaticAuthorizer,
)

STATUS = ("POST", "/v2/batch_status")
VERSION = ("GET", "/v2/version")
UNKNOWN = {TASK_ID: {"pending": True, "status": "unknown"}}

#: Methods of the blocking client that need no counterpart: what the Executor uses.
_INTERNAL = {
    "_register",
    "_submit",
    "_batch_status",
    "_run",
    "_open",
    "_limit_requests",
    "_warn_if_offline",
}


def _service() -> ScriptedService:
    return ScriptedService({STATUS: {"results": {}}, VERSION: {}})


def _methods(kind: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in inspect.getmembers(kind, callable)
        if name not in _INTERNAL and not name.startswith("__")
    }


def test_both_clients_have_the_same_methods() -> None:
    """By name, with the same parameters and documentation; to be awaited but for create_batch."""
    blocking, awaited = _methods(Client), _methods(AsyncClient)
    assert blocking.keys() == awaited.keys()
    for name, method in blocking.items():
        other = awaited[name]
        assert inspect.signature(other).parameters == inspect.signature(method).parameters, name
        if name != "close":
            assert inspect.getdoc(other) == inspect.getdoc(method), name
        local = inspect.getmodule(other) is not inspect.getmodule(AsyncClient)
        assert inspect.iscoroutinefunction(other) or local or name == "create_batch", name


def test_making_one_needs_no_event_loop() -> None:
    """Nor does it send anything."""
    service = _service()
    client = service.async_client(do_version_check=True)
    assert "AsyncClient of http://service.test" in repr(client)
    assert service.requests == []


def test_calls_that_begin_together_check_the_version_once() -> None:
    """Fifty calls are fifty-one requests."""
    service = _service()

    async def ask() -> Any:
        async with service.async_client(do_version_check=True, request_limit=None) as client:
            calls = [client.get_batch_result([TASK_ID]) for _ in range(50)]
            return await asyncio.gather(*calls)

    assert asyncio.run(ask()) == [UNKNOWN] * 50
    assert service.paths.count("/v2/version") == 1
    assert len(service.requests) == 51


def test_tasks_that_are_cancelled_while_they_wait_leave_their_places() -> None:
    """The next call waits for those that were sent, and not for those that never were."""
    service = _service()

    async def ask() -> float:
        async with service.async_client(request_limit=(2, 100.0)) as client:
            for _ in range(2):
                await client.get_batch_result([TASK_ID])
            all_waiting, waiting = asyncio.Event(), 0

            async def sleep(seconds: float) -> None:
                nonlocal waiting
                waiting += 1
                if waiting == 30:
                    all_waiting.set()
                await asyncio.Event().wait()  # until it is cancelled

            client._api._sleep = sleep
            calls = [asyncio.create_task(client.get_batch_result([TASK_ID])) for _ in range(30)]
            await asyncio.wait_for(all_waiting.wait(), 10)
            for call in calls:
                call.cancel()
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(o, asyncio.CancelledError) for o in outcomes)

            waits: list[float] = []

            async def note(seconds: float) -> None:
                waits.append(seconds)

            client._api._sleep = note
            assert await client.get_batch_result([TASK_ID]) == UNKNOWN
            return sum(waits)

    assert 100 < asyncio.run(ask()) <= 100 * WINDOW_FACTOR
    assert len(service.requests) == 3


def test_a_wait_that_is_cancelled_ends_at_once() -> None:
    """And the client goes on."""
    service = _service()

    async def ask() -> Any:
        async with service.async_client(request_limit=None) as client:
            asleep = asyncio.Event()

            async def sleep(seconds: float) -> None:
                asleep.set()
                await asyncio.Event().wait()

            client._api._sleep = sleep
            waiting = asyncio.create_task(client.wait([TASK_ID]))
            await asyncio.wait_for(asleep.wait(), 10)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            return await client.get_batch_result([TASK_ID])

    assert asyncio.run(ask()) == UNKNOWN


def test_a_timeout_of_asyncio_ends_a_wait() -> None:
    """``asyncio.timeout`` around any method does what it says."""
    service = _service()

    async def ask() -> None:
        client = AsyncClient(
            transport=service,
            base_url="http://service.test",
            authorizer=StaticAuthorizer(),
            do_version_check=False,
        )
        async with client, asyncio.timeout(0.01):
            await client.wait([TASK_ID])

    with pytest.raises(TimeoutError):
        asyncio.run(ask())


def test_a_closed_client_says_so() -> None:
    """Closing twice is fine; a call afterwards is an error that says what to do."""

    async def ask() -> None:
        client = _service().async_client()
        await client.close()
        await client.close()
        with pytest.raises(RuntimeError, match="is closed: make another"):
            await client.get_batch_result([TASK_ID])

    asyncio.run(ask())


def test_a_client_belongs_to_one_event_loop() -> None:
    """In another one the error says what to do, in place of failing somewhere below."""
    client = _service().async_client()

    async def ask() -> Any:
        return await client.get_batch_result([TASK_ID])

    assert asyncio.run(ask()) == UNKNOWN
    with pytest.raises(RuntimeError, match="make a client in each loop"):
        asyncio.run(ask())
    asyncio.run(client.close())


def test_the_loop_goes_on_while_a_token_is_renewed() -> None:
    """An authorizer that asks Globus Auth, or a person, blocks its call only."""
    service = _service()

    async def ask() -> Any:
        loop, beat = asyncio.get_running_loop(), asyncio.Event()

        class Slow(StaticAuthorizer):
            def get_authorization_header(self) -> str | None:
                asyncio.run_coroutine_threadsafe(_set(beat), loop).result(10)
                return "Bearer one"

        async with service.async_client(authorizer=Slow()) as client:
            return await client.get_batch_result([TASK_ID])

    async def _set(event: asyncio.Event) -> None:
        event.set()

    assert asyncio.run(asyncio.wait_for(_as_coroutine(ask()), 10)) == UNKNOWN


async def _as_coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def test_warnings_point_at_the_line_that_awaits() -> None:
    """What the service warns of, and an older form."""
    submit = ("POST", f"/v3/endpoints/{ENDPOINT_ID}/submit")
    answer = {"tasks": {FUNCTION_ID: [TASK_ID]}, "ha_warning": "no HA data here"}

    async def ask() -> None:
        async with ScriptedService({submit: answer}).async_client() as client:
            await client.run(1, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
            batch = client.create_batch()
            batch.add(1, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
            await client.batch_run(batch)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(ask())
    assert [warning.filename for warning in caught] == [__file__] * 4


def test_many_calls_at_once_wait_before_they_reach_httpx() -> None:
    """It goes through all that wait for a connection at each step of each of them."""
    under_way, most, full = 0, 0, asyncio.Event()

    async def answer(_request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if most == 20:  # time for more to come, if more may
            asyncio.get_running_loop().call_later(0.1, full.set)
        await asyncio.wait_for(full.wait(), 30)
        under_way -= 1
        return httpx.Response(200, json={"status": "online"})

    async def ask() -> list[dict[str, Any]]:
        async with AsyncClient(
            authorizer=StaticAuthorizer(),
            request_limit=None,
            do_version_check=False,
            transport=httpx.MockTransport(answer),
        ) as client:
            calls = [client.get_endpoint_status(ENDPOINT_ID) for _ in range(200)]
            return await asyncio.gather(*calls)

    assert asyncio.run(ask()) == [{"status": "online"}] * 200
    assert most == 20
