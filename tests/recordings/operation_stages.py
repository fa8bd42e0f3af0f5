"""The stages on which recorded operations play: the two service clients, and the bindings.

The bindings are called as they are generated, blocking and asynchronous, with the header that a
login would give.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

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
        return self.send(_OPERATIONS[operation], path, body, dict(query or {}), user)

    def send(
        self,
        operation: Operation,
        path: tuple[str, ...],
        body: Json,
        query: dict[str, Json],
        user: str,
    ) -> Json:
        """Make the call; give the decoded answer."""
        raise NotImplementedError


class ServiceClientStage(OperationStage):
    """``ComputeClientV2`` and ``ComputeClientV3``: the newest that has the operation."""

    def __init__(self, given: Mapping[str, Json], closing: ExitStack) -> None:
        super().__init__(given, closing)
        #: By class and user.
        self._clients: dict[tuple[type, str], ComputeClientV2 | ComputeClientV3] = {}

    def send(
        self,
        operation: Operation,
        path: tuple[str, ...],
        body: Json,
        query: dict[str, Json],
        user: str,
    ) -> Json:
        settings = self.settings(user, {})
        del settings["do_version_check"]
        kind: type[ComputeClientV2 | ComputeClientV3] = classes_for(operation)[-1]
        arguments = [] if body is None else [body]
        if operation.name == "get_task_batch":
            arguments = [body["task_ids"]]
        elif operation.name == "set_subscription_admin_verified":
            arguments = [body["subscription_admin_verified"]]
        key = (kind, user)
        if key not in self._clients:
            self._clients[key] = kind(**settings)
            self._clients[key]._api._sleep = self.pauses.append
            self._closing.callback(self._clients[key].close)
        answer = getattr(self._clients[key], method_name(operation))(*path, *arguments, **query)
        assert answer.parsed is not None or not _promises(operation)
        # Its data has names of its own beside those of the wire.
        return json.loads(answer.text) if answer.text else None


class BindingStage(OperationStage):
    """The generated functions, blocking."""

    def send(
        self,
        operation: Operation,
        path: tuple[str, ...],
        body: Json,
        query: dict[str, Json],
        user: str,
    ) -> Json:
        client = AuthenticatedClient(
            SERVICE,
            f"token-of-{user}",
            headers={"user-agent": USER_AGENT},
            timeout=None,
            verify_ssl=_TLS,
        )
        hints = operation.module._get_kwargs.__annotations__
        given = {name: _fit(name, value, hints[name]) for name, value in query.items()}
        if body is not None:
            given["body"] = _model(operation).from_dict(body)
        response = self.ask(operation, client, path, given)
        if response.status_code != HTTPStatus.OK:
            told = json.loads(response.content)
            raise ComputeAPIError(
                http_status=int(response.status_code),
                message=str(told.get("detail")),
                raw_json=told,
            )
        assert response.parsed is not None or not _promises(operation)
        return json.loads(response.content) if response.content else None

    def ask(
        self,
        operation: Operation,
        client: AuthenticatedClient,
        path: tuple[str, ...],
        given: dict[str, Any],
    ) -> Any:
        """Call the generated function."""
        with client:
            return operation.module.sync_detailed(*path, client=client, **given)


class AsyncBindingStage(BindingStage):
    """The generated functions, asynchronous."""

    def ask(
        self,
        operation: Operation,
        client: AuthenticatedClient,
        path: tuple[str, ...],
        given: dict[str, Any],
    ) -> Any:
        async def ask() -> Any:
            async with client:
                return await operation.module.asyncio_detailed(*path, client=client, **given)

        return asyncio.run(ask())


def _promises(operation: Operation) -> bool:
    """Tell whether the document says what a successful answer has in it."""
    return any(answer.schema for answer in operation.answers() if answer.status == HTTPStatus.OK)


def _model(operation: Operation) -> Any:
    """Give the model of an operation's body."""
    return operation.module._get_kwargs.__annotations__["body"]
