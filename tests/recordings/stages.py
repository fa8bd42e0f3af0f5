"""The stages on which recorded scenarios play with our clients.

What the recorder's conductor did is done already: nothing is waited for or injected, since the
recorded answers are as they are; the stage notes what must be among them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, cast

from gcompute import AsyncClient, Client
from gcompute.errors import ComputeAPIError, ComputeError, TaskExecutionFailed
from gcompute.serialize import ComputeSerializer, pack_buffers
from tests.support.both_clients import Awaited
from tests.support.scripted_service import StaticAuthorizer
from tools.recording import functions
from tools.recording.scenario import ADA
from tools.recording.scrubbing import SERVICE
from tools.recording.seeing import Seeing

Json = Any


class ReplayStage(Seeing):
    """What all of our stages have in common; see :class:`tools.recording.scenario.Stage`.

    Args:
        given: what the scenario was given when it was recorded.
        closing: closes what scenarios open.
    """

    def __init__(self, given: Mapping[str, Json], closing: ExitStack) -> None:
        super().__init__(ComputeAPIError, TaskExecutionFailed, (ComputeError, ValueError))
        self._given = given
        self._closing = closing
        self._serializer = ComputeSerializer()
        #: Seconds that clients would have waited.
        self.pauses: list[float] = []
        #: The answers in the service's place that the scenario has asked for, by status.
        self.injected: list[int] = []

    @property
    def endpoint_id(self) -> str:
        return str(self._given["endpoint_id"])

    def identity(self, user: str) -> str:
        return str(self._given["identities"][user])

    def settings(self, user: str, options: dict[str, Any]) -> dict[str, Any]:
        """Give the arguments of a client."""
        return {
            "base_url": SERVICE,
            "authorizer": StaticAuthorizer(f"Bearer token-of-{user}"),
            "do_version_check": False,
            "request_limit": None,
        } | options

    def function(self, name: str) -> Callable[..., Any]:
        return functions.function(name)

    def payload(self, *args: Any, **kwargs: Any) -> str:
        serialize = self._serializer.serialize
        return pack_buffers([serialize(args), serialize(kwargs)])

    def code(self, name: str) -> str:
        return pack_buffers([self._serializer.serialize(self.function(name))])

    def until_finished(self, *task_ids: str) -> None:
        pass

    def inject(self, status: int, *, retry_after: int | None = None, times: int = 1) -> None:
        self.injected += [status] * times

    def disturb(self, how: str) -> None:
        pass


class BlockingStage(ReplayStage):
    """Scenarios of ``Client``."""

    def client(self, user: str = ADA, **options: Any) -> Client:
        made = Client(**self.settings(user, options))
        made._api._sleep = self.pauses.append
        self._closing.callback(made.close)
        return made


class AsyncStage(ReplayStage):
    """The same with ``AsyncClient``, each of whose calls is awaited at once."""

    def client(self, user: str = ADA, **options: Any) -> Client:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        runner = self._closing.enter_context(asyncio.Runner())
        made = AsyncClient(**self.settings(user, options))
        made._api._sleep = sleep
        self._closing.callback(lambda: runner.run(made.close()))
        return cast(Client, Awaited(made, runner))
