"""The asynchronous client, on the local service."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import globus_sdk
import pytest

from gcompute import AsyncClient, TaskExecutionFailed, TaskPending
from gcompute.errors import NotFound
from gcompute.local import LocalService

SOON = 40.0


def _doubling() -> Callable[[int], int]:
    def double(x: int) -> int:
        if x < 0:
            raise ValueError("too small")
        return 2 * x

    return double


def _holding() -> Callable[[str], None]:
    def hold(path: str) -> None:
        import pathlib
        import time

        while not pathlib.Path(path).exists():
            time.sleep(0.01)

    return hold


def _client(service: LocalService) -> AsyncClient:
    authorizer = globus_sdk.AccessTokenAuthorizer(service.token)
    return AsyncClient(base_url=service.url, authorizer=authorizer, request_limit=None)


def _within(service: LocalService, use: Callable[[AsyncClient], Awaitable[None]]) -> None:
    """Run what uses a client, with a limit to its time."""

    async def main() -> None:
        async with _client(service) as client, asyncio.timeout(3 * SOON):
            await use(client)

    asyncio.run(main())


def test_run_and_wait(service: LocalService) -> None:
    """Register, run, wait, fetch: as with the blocking client, with ``await``."""

    async def use(client: AsyncClient) -> None:
        function_id = await client.register_function(_doubling())
        task_id = await client.run(21, endpoint_id=service.endpoint_id, function_id=function_id)
        states = await client.wait([task_id], timeout=SOON)
        assert states[task_id]["result"] == 42
        assert await client.get_result(task_id) == 42
        assert (await client.get_task(uuid.UUID(task_id)))["status"] == "success"
        failing = await client.run(-1, endpoint_id=service.endpoint_id, function_id=function_id)
        await client.wait([failing], timeout=SOON)
        with pytest.raises(TaskExecutionFailed, match="too small"):
            await client.get_result(failing)

    _within(service, use)


def test_many_at_once(service: LocalService) -> None:
    """Thirty calls that begin together, each with its own answer."""

    async def use(client: AsyncClient) -> None:
        function_id = await client.register_function(_doubling())

        async def double(n: int) -> int:
            task_id = await client.run(n, endpoint_id=service.endpoint_id, function_id=function_id)
            result: int = (await client.wait([task_id], timeout=SOON))[task_id]["result"]
            return result

        assert await asyncio.gather(*map(double, range(30))) == [2 * n for n in range(30)]

    _within(service, use)


def test_a_batch_and_its_group(service: LocalService) -> None:
    """A batch is made without waiting, and sent with ``await``."""

    async def use(client: AsyncClient) -> None:
        function_id = await client.register_function(_doubling())
        batch = client.create_batch()
        for n in range(10):
            batch.add(function_id, (n,))
        answer = await client.batch_run(service.endpoint_id, batch)
        ids = answer["tasks"][function_id]
        states = await client.wait(ids, timeout=SOON)
        assert [states[task_id]["result"] for task_id in ids] == [2 * n for n in range(10)]
        group = await client.get_task_group(answer["task_group_id"])
        assert [task["id"] for task in group["tasks"]] == ids

    _within(service, use)


def test_functions_and_endpoints(service: LocalService) -> None:
    """The methods beside running."""

    async def use(client: AsyncClient) -> None:
        await client.version_check()
        source = await client.register_source_code("def f(): return 1", "f")
        assert (await client.get_function(source))["function_name"] == "f"
        await client.delete_function(source)
        with pytest.raises(NotFound, match=source):
            await client.get_function(source)

        endpoint_id = (await client.register_endpoint("mine", None))["endpoint_id"]
        assert (await client.get_endpoint_metadata(endpoint_id))["name"] == "mine"
        assert (await client.get_endpoint_status(endpoint_id))["status"] == "offline"
        assert (await client.get_allowed_functions(endpoint_id))["restricted"] is False
        assert endpoint_id in [entry["uuid"] for entry in await client.get_endpoints()]
        assert (await client.stop_endpoint(endpoint_id))["endpoint_id"] == endpoint_id
        await client.delete_endpoint(endpoint_id)
        with pytest.raises(NotFound, match=endpoint_id):
            await client.get_endpoint_metadata(endpoint_id)

        assert (await client.get_result_amqp_url())["connection_url"].startswith("amqp")
        report = await client.get_worker_hardware_details(service.endpoint_id)
        assert (await client.wait([report], timeout=SOON))[report]["result"]

    _within(service, use)


def test_cancelling_a_wait_leaves_the_client_usable(service: LocalService, tmp_path: Any) -> None:
    """The wait ends at once; the task goes on, and its result can be fetched."""
    go_on = tmp_path / "go on"

    async def use(client: AsyncClient) -> None:
        function_id = await client.register_function(_holding())
        task_id = await client.run(
            str(go_on), endpoint_id=service.endpoint_id, function_id=function_id
        )
        with pytest.raises(TaskPending):
            await client.get_result(task_id)
        waiting = asyncio.create_task(client.wait([task_id]))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.touch()
        states = await client.wait([task_id], timeout=SOON)
        assert states[task_id]["result"] is None

    _within(service, use)


def test_cancelling_requests_leaves_the_client_usable(service: LocalService) -> None:
    """Connections that were broken off in the middle are replaced."""

    async def use(client: AsyncClient) -> None:
        for _ in range(5):
            calls = [asyncio.create_task(client.get_endpoints()) for _ in range(20)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        assert await client.get_endpoints()

    _within(service, use)


def test_closing_with_calls_under_way(service: LocalService) -> None:
    """They end, with their answers or an error, and nothing hangs."""

    async def main() -> None:
        client = _client(service)
        await client.version_check()
        calls = [asyncio.create_task(client.get_endpoints()) for _ in range(10)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        await client.close()
        async with asyncio.timeout(SOON):
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(outcomes[0], list | Exception)
        with pytest.raises(RuntimeError, match="is closed"):
            await client.get_endpoints()

    asyncio.run(main())
