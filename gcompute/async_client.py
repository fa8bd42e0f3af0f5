"""The client of the web service with ``await``: the same methods as :class:`gcompute.Client`.

It runs the same recipes (:mod:`gcompute.recipes`), on httpx's asynchronous client.
"""

from __future__ import annotations

import asyncio
import functools
import warnings
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from gcompute import core, http
from gcompute.calls import Notice, Pause, Recipe
from gcompute.client import method_of
from gcompute.core import ClientCore
from gcompute.recipes import comparison, endpoints, functions, tasks

if TYPE_CHECKING:
    import httpx

P = ParamSpec("P")
R = TypeVar("R")


def _awaiting(
    recipe: Callable[Concatenate[ClientCore, P], Recipe[R]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]]:
    """Make a coroutine method that runs a recipe."""

    @functools.wraps(recipe)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._run(recipe(self, *args, **kwargs))

    return method_of(method, recipe)


class AsyncClient(ClientCore):
    """Talks to the Globus Compute web service, with ``await``.

    ::

        async with AsyncClient() as client:
            task_id = await client.run(2, endpoint_id=endpoint_id, function_id=function_id)
            states = await client.wait([task_id])

    For one event loop. The arguments are those of :class:`gcompute.Client`, but for
    ``transport``, which is an asynchronous one.
    """

    def _open(self, transport: httpx.AsyncBaseTransport | None) -> None:
        self._api = http.AsyncServiceAPI(
            self.web_service_address,
            self._login,
            budget=self._budget,
            transport=transport,
        )

    version_check = _awaiting(core.version_check)

    register_function = _awaiting(functions.register_function)
    register_source_code = _awaiting(functions.register_source_code)
    get_function = _awaiting(functions.get_function)
    delete_function = _awaiting(functions.delete_function)

    serializer_for = _awaiting(comparison.serializer_for)
    create_batch = tasks.create_batch
    run = _awaiting(tasks.run)
    batch_run = _awaiting(tasks.batch_run)
    get_task = _awaiting(tasks.get_task)
    get_result = _awaiting(tasks.get_result)
    get_batch_result = _awaiting(tasks.get_batch_result)
    wait = _awaiting(tasks.wait)
    get_task_group = _awaiting(tasks.get_task_group)
    get_result_amqp_url = _awaiting(tasks.get_result_amqp_url)

    register_endpoint = _awaiting(endpoints.register_endpoint)
    get_endpoint_status = _awaiting(endpoints.get_endpoint_status)
    get_endpoint_metadata = _awaiting(endpoints.get_endpoint_metadata)
    get_endpoints = _awaiting(endpoints.get_endpoints)
    get_allowed_functions = _awaiting(endpoints.get_allowed_functions)
    stop_endpoint = _awaiting(endpoints.stop_endpoint)
    delete_endpoint = _awaiting(endpoints.delete_endpoint)
    get_worker_hardware_details = _awaiting(endpoints.get_worker_hardware_details)

    async def login(self, *, force: bool = False) -> None:
        """Log in where that is needed; see :meth:`gcompute.login.Login.login`."""
        await asyncio.to_thread(self._login.login, force=force)

    async def login_required(self) -> bool:
        """Tell whether the next request needs a login first; nobody is prompted."""
        return await asyncio.to_thread(self._login.login_required)

    async def logout(self) -> None:
        """Revoke the tokens and remove them; the next request needs a login."""
        await asyncio.to_thread(self._login.logout)

    async def whoami(self) -> dict[str, Any]:
        """Tell who is logged in: ``id``, ``username``, ``name``, ``email``."""
        return await asyncio.to_thread(self._login.whoami)

    async def close(self) -> None:
        """Close the connections, those in use when their requests end; no call can follow."""
        await self._api.close()
        await asyncio.to_thread(self._login.close)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await self.close()

    async def _run(self, recipe: Recipe[R]) -> R:
        """Run a recipe to its end."""
        try:
            step = next(recipe)
            while True:
                if isinstance(step, Notice):
                    warnings.warn(step.text, step.category, stacklevel=3)
                    step = next(recipe)
                elif isinstance(step, Pause):
                    await self._api.pause(step.seconds)
                    step = next(recipe)
                else:
                    try:
                        answer = await self._api.call(step)
                    except Exception as error:
                        step = recipe.throw(error)
                    else:
                        step = recipe.send(answer)
        except StopIteration as end:
            result: R = end.value
            return result
        finally:
            recipe.close()
