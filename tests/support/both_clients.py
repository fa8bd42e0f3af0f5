"""The blocking and the asynchronous client behind one interface, for tests of what both do."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

from gcompute import AsyncClient, Client
from tests.support.scripted_service import ScriptedService


class Connect(Protocol):
    """Makes a client of a scripted service; either kind is used as the blocking one."""

    def __call__(self, service: ScriptedService, **options: Any) -> Client: ...


class Awaited:
    """An asynchronous client whose methods are awaited at once, all in one loop."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            result = value(*args, **kwargs)
            return self._runner.run(result) if inspect.iscoroutine(result) else result

        return call


@contextmanager
def connecting(kind: str) -> Iterator[Connect]:
    """Give what makes clients of a kind, ``blocking`` or ``asynchronous``; close them all."""
    closers: list[Callable[[], Any]] = []
    with asyncio.Runner() as runner:

        def connect(service: ScriptedService, **options: Any) -> Client:
            if kind == "blocking":
                client = service.client(**options)
            else:
                client = cast(Client, Awaited(service.async_client(**options), runner))
            closers.append(client.close)
            return client

        yield connect
        for close in closers:
            close()
