"""The stages on which recorded operations play: the two service clients, and the bindings.

The bindings are called as they are generated, blocking and asynchronous, with the header that a
login would give. What none of them sends plays without them.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
from gcompute_api import AuthenticatedClient

from gcompute.errors import ComputeAPIError
from gcompute.http.operations import _fit
from gcompute.http.service import USER_AGENT
from gcompute.service_clients import ComputeClientV2, ComputeClientV3
from tests.recordings.stages import Json, ReplayStage
from tests.support.api_document import Operation, operations
from tests.unit.service_clients.methods import classes_for, method_name
from tools.recording.scenario import ADA
from tools.recording.scrubbing import SERVICE

#: Made once, as that takes longer than a scenario.
_TLS = ssl.create_default_context()
_OPERATIONS = {operation.name: operation for operation in operations()}


@dataclass(frozen=True)
class Asked:
    """What a scenario asks: an operation of the document, with what it is given, and for whom."""

    operation: Operation
    path: tuple[str, ...]
    body: Json
    query: Mapping[str, Json]
    user: str


class OperationStage(ReplayStage):
    """What the stages of operations have in common."""

    def call(
        self,
        operation: str,
        *path: str,
        body: Json = None,
        query: Mapping[str, Json] | None = None,
        user: str = ADA,
    ) -> Json:
        return self.send(Asked(_OPERATIONS[operation], path, body, query or {}, user))

    def send(self, asked: Asked) -> Json:
        """Make the call; give the decoded answer."""
        raise NotImplementedError


class ServiceClientStage(OperationStage):
    """``ComputeClientV2`` and ``ComputeClientV3``: the newest that has the operation."""

    def __init__(self, given: Mapping[str, Json], closing: ExitStack) -> None:
        super().__init__(given, closing)
        #: By class and user.
        self._clients: dict[tuple[type, str], ComputeClientV2 | ComputeClientV3] = {}

    def send(self, asked: Asked) -> Json:
        name = method_name(asked.operation)
        arguments = [] if asked.body is None else [asked.body]
        if asked.operation.name == "get_task_batch":
            arguments = [asked.body["task_ids"]]
        elif asked.operation.name == "set_subscription_admin_verified":
            arguments = [asked.body["subscription_admin_verified"]]
        answer = getattr(self._client(asked), name)(*asked.path, *arguments, **asked.query)
        assert answer.parsed is not None or not _promises(asked.operation)
        # Its data has names of its own beside those of the wire.
        return json.loads(answer.text) if answer.text else None

    def _client(self, asked: Asked) -> ComputeClientV2 | ComputeClientV3:
        kind: type[ComputeClientV2 | ComputeClientV3] = classes_for(asked.operation)[-1]
        key = (kind, asked.user)
        if key not in self._clients:
            settings = self.settings(asked.user, {})
            del settings["do_version_check"]
            self._clients[key] = kind(**settings)
            self._clients[key]._api._sleep = self.pauses.append
            self._closing.callback(self._clients[key].close)
        return self._clients[key]


class BindingStage(OperationStage):
    """The generated functions, blocking."""

    def send(self, asked: Asked) -> Json:
        client = AuthenticatedClient(
            SERVICE,
            f"token-of-{asked.user}",
            headers={"user-agent": USER_AGENT},
            timeout=None,
            verify_ssl=_TLS,
        )
        hints = asked.operation.module._get_kwargs.__annotations__
        given = {name: _fit(name, value, hints[name]) for name, value in asked.query.items()}
        if asked.body is not None:
            given["body"] = hints["body"].from_dict(asked.body)
        response = self.ask(client, asked, given)
        if response.status_code != HTTPStatus.OK:
            told = json.loads(response.content)
            raise ComputeAPIError(
                http_status=int(response.status_code),
                message=str(told.get("detail")),
                raw_json=told,
            )
        assert response.parsed is not None or not _promises(asked.operation)
        return json.loads(response.content) if response.content else None

    def ask(self, client: AuthenticatedClient, asked: Asked, given: dict[str, Any]) -> Any:
        """Call the generated function with a client, closing it, and what is given by name."""
        with client:
            return asked.operation.module.sync_detailed(*asked.path, client=client, **given)


class AsyncBindingStage(BindingStage):
    """The generated functions, asynchronous."""

    def ask(self, client: AuthenticatedClient, asked: Asked, given: dict[str, Any]) -> Any:
        function = asked.operation.module.asyncio_detailed

        async def ask() -> Any:
            async with client:
                return await function(*asked.path, client=client, **given)

        return asyncio.run(ask())


class DocumentStage(OperationStage):
    """The document and httpx alone, which send what our clients refuse to."""

    def send(self, asked: Asked) -> Json:
        response = httpx.request(
            asked.operation.method,
            SERVICE + re.sub(r"\{\w+\}", "{}", asked.operation.path).format(*asked.path),
            params=asked.query,
            json=asked.body,
            headers={"authorization": f"Bearer token-of-{asked.user}", "user-agent": USER_AGENT},
            verify=_TLS,
        )
        told = json.loads(response.content) if response.content else None
        if response.status_code != HTTPStatus.OK:
            raise ComputeAPIError(
                http_status=response.status_code, message=response.text, raw_json=told
            )
        return told


def _promises(operation: Operation) -> bool:
    """Tell whether the document says what a successful answer has in it."""
    return any(answer.schema for answer in operation.answers() if answer.status == HTTPStatus.OK)
