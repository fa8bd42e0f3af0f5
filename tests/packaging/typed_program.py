"""A program as users write it: ``mypy --strict`` must find its types, against the installed wheel.

Never run. ``assert_type`` fails the check where a type is another one, ``Any`` included.
"""

from concurrent.futures import Future, wait
from typing import Any, assert_type
from uuid import UUID

from gcompute_api import AuthenticatedClient
from gcompute_api.api.endpoints import get_endpoint_status
from gcompute_api.models import EndpointStatus, HTTPValidationError

import gcompute
from gcompute import AsyncClient, Client, ComputeFuture, Executor, ShellFunction, ShellResult
from gcompute.errors import TaskExecutionFailed, TaskPending
from gcompute.local import LocalService

ENDPOINT = "4b116d3c-1703-4f8f-9f6f-39921e5864df"


def area(radius: float, scale: float = 1.0) -> float:
    """Give the area of a circle."""
    return 3.14 * radius**2 * scale


def name(radius: float) -> str:
    """Name a circle."""
    return f"circle of {radius}"


def futures(executor: Executor) -> None:
    """The result's type is the function's."""
    future = executor.submit(area, 2, scale=3)
    assert_type(future, ComputeFuture[float])
    assert_type(future.result(timeout=3), float)
    assert_type(future.task_id, str | None)
    assert_type(list(executor.map(area, [1, 2])), list[float])
    for ended in gcompute.as_completed([future]):
        assert_type(ended.result(), float)
    waited = wait([future])
    assert_type(waited.done, set[Future[float]])
    mixed = gcompute.wait([future, executor.submit(name, 1)])
    assert_type(mixed.done, set[ComputeFuture[object]])
    unknown: list[ComputeFuture] = executor.reload_tasks()
    print(unknown, executor.submit(ShellFunction("echo {x}"), x=1).result().stdout)


def wrong_calls(executor: Executor) -> None:
    """Found before they run: the ignores would be unused otherwise."""
    executor.submit(area, "2")  # type: ignore[arg-type]
    executor.submit(area, 2, sclae=3)  # type: ignore[call-arg]
    executor.submit(area)  # type: ignore[call-arg]
    executor.submit(area(2))  # type: ignore[arg-type]
    executor.endpoint = ENDPOINT  # type: ignore[attr-defined]


def requests(client: Client) -> str:
    """Ids are text, answers have their keys."""
    function_id = client.register_function(area)
    assert_type(function_id, str)
    assert_type(client.run(2, endpoint_id=UUID(ENDPOINT), function_id=function_id), str)
    batch = client.create_batch()
    batch.add(function_id, args=(2,))
    submitted = client.batch_run(ENDPOINT, batch)
    assert_type(submitted["tasks"], dict[str, list[str]])
    assert_type(client.wait(submitted["tasks"][function_id]), dict[str, dict[str, Any]])
    try:
        print(client.get_result(ENDPOINT))
    except TaskPending as pending:
        assert_type(pending.task_id, str | None)
    except TaskExecutionFailed as error:
        assert_type(error.endpoint_id, str | None)
        assert_type(error.remote_traceback, str)
    return submitted["task_group_id"]


async def coroutines(executor: Executor) -> None:
    """As above, with await."""
    async with AsyncClient() as client:
        assert_type(await client.register_function(area), str)
        batch = client.create_batch()
        assert_type((await client.batch_run(ENDPOINT, batch))["request_id"], str)
    assert_type(await executor.submit(area, 2), float)
    async for future in gcompute.as_completed([executor.submit(name, 2)]):
        assert_type(await future, str)


def bindings(client: AuthenticatedClient) -> None:
    """Generated models."""
    status = get_endpoint_status.sync(UUID(ENDPOINT), client=client)
    assert_type(status, EndpointStatus | HTTPValidationError | None)


def local() -> ShellResult:
    """A service of one's own."""
    with LocalService(workers=1) as service, service.executor() as executor:
        assert_type(executor, Executor)
        result = executor.submit(ShellFunction("true")).result()
        assert isinstance(result, ShellResult)
        return result
