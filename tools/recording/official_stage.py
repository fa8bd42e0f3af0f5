"""The stage on which scenarios play with the official SDK.

Runs under the interpreter that has it. What a scenario asks for beyond the SDK, the conductor
does: it is asked over the pipe, one JSON object a line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import globus_compute_sdk
import globus_sdk
from globus_compute_sdk.errors import ComputeError, TaskExecutionFailed
from globus_compute_sdk.sdk._environments import get_web_service_url
from globus_compute_sdk.serialize import ComputeSerializer

from tools.recording import functions
from tools.recording.official_operations import OfficialOperations
from tools.recording.scenario import ADA
from tools.recording.seeing import Seeing

Json = Any


def ask(**question: Json) -> Json:
    """Have the conductor do something, and give its answer."""
    print(json.dumps(question), flush=True)
    return json.loads(sys.stdin.readline())


class OfficialStage(Seeing):
    """See :class:`tools.recording.scenario.Stage`.

    Args:
        given: what the conductor knows: ``endpoint_id``, ``tokens``, ``identities``, ``amqp_port``.
        closing: closes what scenarios open.
        settle: waits until the SDK has acknowledged what it was delivered, and says by how many
            acknowledgements it did.
    """

    def __init__(
        self, given: Mapping[str, Json], closing: ExitStack, settle: Callable[[], int]
    ) -> None:
        super().__init__(globus_sdk.GlobusAPIError, TaskExecutionFailed, (ComputeError, ValueError))
        self._given = given
        self._closing = closing
        self._settle = settle
        self._serializer = ComputeSerializer()

    @property
    def endpoint_id(self) -> str:
        return str(self._given["endpoint_id"])

    def identity(self, user: str) -> str:
        return str(self._given["identities"][user])

    def _authorizer(self, user: str) -> globus_sdk.AccessTokenAuthorizer:
        return globus_sdk.AccessTokenAuthorizer(self._given["tokens"][user])

    def client(self, user: str = ADA, **options: Any) -> globus_compute_sdk.Client:
        return globus_compute_sdk.Client(
            authorizer=self._authorizer(user), **{"do_version_check": False, **options}
        )

    def executor(self, **options: Any) -> globus_compute_sdk.Executor:
        made = globus_compute_sdk.Executor(
            endpoint_id=self.endpoint_id,
            client=self.client(),
            amqp_port=self._given["amqp_port"],
            **options,
        )
        self._closing.callback(made.shutdown)
        return made

    def call(
        self,
        operation: str,
        *path: str,
        body: Json = None,
        query: Mapping[str, Json] | None = None,
        user: str = ADA,
    ) -> Json:
        operations = OfficialOperations(self._authorizer(user), get_web_service_url())
        return operations(operation, *path, body=body, query=query)

    def function(self, name: str) -> Callable[..., Any]:
        return functions.function(name)

    def payload(self, *args: Any, **kwargs: Any) -> str:
        serialize = self._serializer.serialize
        packed: str = self._serializer.pack_buffers([serialize(args), serialize(kwargs)])
        return packed

    def code(self, name: str) -> str:
        packed: str = self._serializer.pack_buffers(
            [self._serializer.serialize(self.function(name))]
        )
        return packed

    def until_finished(self, *task_ids: str) -> None:
        ask(do="await", tasks=list(task_ids))

    def inject(self, status: int, *, retry_after: int | None = None, times: int = 1) -> None:
        ask(do="inject", status=status, retry_after=retry_after, times=times)

    def disturb(self, how: str) -> None:
        ask(do="disturb", how=how, acknowledgements=self._settle())
