"""The answers that ``globus_sdk`` ships for its own tests: our clients read every one of them.

They are a second source that is independent of us: what its authors have seen the service say.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
from gcompute_api import AuthenticatedClient
from globus_sdk import ComputeClientV2 as GlobusV2
from globus_sdk import ComputeClientV3 as GlobusV3

from gcompute import AsyncClient, Client
from gcompute.service_clients import ComputeClientV2, ComputeClientV3
from tests.support.api_document import Operation, canonical, operations, to_json
from tests.support.both_clients import Awaited
from tests.support.scripted_service import StaticAuthorizer
from tests.unit.service_clients.methods import arguments, classes_for, method_name
from tools.recording.operations import operation_of

try:
    import globus_sdk.testing as shipped
except ImportError:  # its name before it was public
    import globus_sdk._testing as shipped  # type: ignore[import-not-found, no-redef]

Json = Any

_OPERATIONS = {operation.name: operation for operation in operations()}
#: Methods of ``globus_sdk``'s clients for which there are answers, by version.
_MODULES = {
    version: sorted(
        module.name
        for module in pkgutil.iter_modules(
            importlib.import_module(f"{shipped.__name__}.data.compute.{version}").__path__
        )
    )
    for version in ("v2", "v3")
}


def _shipped() -> list[Any]:
    return [
        pytest.param(response, id=f"{version}-{name}-{case}")
        for version, names in _MODULES.items()
        for name in names
        for case, response in shipped.get_response_set(f"compute.{version}.{name}")._data.items()
    ]


def _operation(response: Any) -> Operation:
    return _OPERATIONS[operation_of({"method": response.method, "uri": response.full_url})]


def _canonical(value: Json) -> Json:
    """Write each value in one way; times without a fraction that is nothing."""
    return json.loads(json.dumps(canonical(value)).replace(".000000", ""))


def test_there_is_one_for_every_method() -> None:
    """Of both clients; so none is forgotten that a newer globus_sdk brings."""
    for version, kind in {"v2": GlobusV2, "v3": GlobusV3}.items():
        methods = [name for name, each in vars(kind).items() if inspect.isfunction(each)]
        assert methods
        assert sorted(name for name in methods if name[0] != "_") == _MODULES[version]
    assert len(_shipped()) >= sum(map(len, _MODULES.values()))


@pytest.mark.parametrize("response", _shipped())
def test_our_clients_read_it(response: Any) -> None:
    """By the client of its version, as a model with all of the JSON in it."""
    operation = _operation(response)
    asked: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(response.status or 200, json=response.json)

    ids = [part for part in urlsplit(response.full_url).path.split("/") if part.count("-") == 4]
    positional, _ = arguments(operation, operation.body_examples()[0])
    for kind in classes_for(operation):
        with kind(
            base_url="http://service.test",
            authorizer=StaticAuthorizer(),
            transport=httpx.MockTransport(serve),
        ) as client:
            assert isinstance(client, ComputeClientV2 | ComputeClientV3)
            given = [*ids, *positional[len(ids) :]]
            answer = getattr(client, method_name(operation))(*given)
        (request,) = asked
        assert (request.method, request.url.path) == (
            response.method,
            urlsplit(response.full_url).path,
        )
        assert json.loads(answer.text) == response.json
        assert answer.parsed is not None
        assert _canonical(response.json) == _canonical(to_json(answer.parsed))
        asked.clear()


@pytest.mark.parametrize("response", _shipped())
def test_our_bindings_read_it(response: Any) -> None:
    """Blocking and asynchronous, as the same model."""
    operation = _operation(response)
    module = operation.module
    ids = [part for part in urlsplit(response.full_url).path.split("/") if part.count("-") == 4]
    body = operation.body_examples()[0]
    given = (
        {} if body is None else {"body": module._get_kwargs.__annotations__["body"].from_dict(body)}
    )

    def client() -> AuthenticatedClient:
        answer = httpx.Response(response.status or 200, json=response.json)
        transport = httpx.MockTransport(lambda _request: answer)
        return AuthenticatedClient(
            "http://service.test", "token", httpx_args={"transport": transport}
        )

    async def ask() -> Any:
        async with client() as asked:
            return await module.asyncio_detailed(*ids, client=asked, **given)

    with client() as asked:
        blocking = module.sync_detailed(*ids, client=asked, **given)
    for answer in (blocking, asyncio.run(ask())):
        assert _canonical(response.json) == _canonical(to_json(answer.parsed))


#: How a `Client` is asked for what an operation answers, where it gives that as it is.
_ASKING: dict[str, Callable[[Client, list[str]], Json]] = {
    "delete_endpoint_v2": lambda client, ids: client.delete_endpoint(*ids),
    "delete_function": lambda client, ids: client.delete_function(*ids),
    "get_endpoint": lambda client, ids: client.get_endpoint_metadata(*ids),
    "get_endpoint_status": lambda client, ids: client.get_endpoint_status(*ids),
    "get_endpoints": lambda client, ids: client.get_endpoints(),
    "get_function": lambda client, ids: client.get_function(*ids),
    "get_result_amqp_url": lambda client, ids: client.get_result_amqp_url(),
    "lock_endpoint": lambda client, ids: client.stop_endpoint(*ids),
    "get_endpoint_allowlist": lambda client, ids: client.get_allowed_functions(*ids),
    "get_task_group": lambda client, ids: client.get_task_group(*ids),
    "register_endpoint": lambda client, ids: client.register_endpoint("mine", None),
    "update_endpoint": lambda client, ids: client.register_endpoint("mine", ids[0]),
}


def _asked() -> list[Any]:
    return [each for each in _shipped() if _operation(each.values[0]).name in _ASKING]


def test_each_way_to_ask_is_tried() -> None:
    """There is a shipped answer for each."""
    assert {_operation(each.values[0]).name for each in _asked()} == _ASKING.keys()


@pytest.mark.parametrize("response", _asked())
def test_our_client_gives_it(response: Any) -> None:
    """As plain values, blocking and asynchronous."""
    operation = _operation(response)
    ids = [part for part in urlsplit(response.full_url).path.split("/") if part.count("-") == 4]
    asked: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(response.status or 200, json=response.json)

    settings: dict[str, Any] = {
        "base_url": "http://service.test",
        "authorizer": StaticAuthorizer(),
        "transport": httpx.MockTransport(serve),
        "do_version_check": False,
    }
    ask = _ASKING[operation.name]
    with Client(**settings) as client:
        assert ask(client, ids) == response.json
    with asyncio.Runner() as runner:
        unblocking = AsyncClient(**settings)
        assert ask(cast(Client, Awaited(unblocking, runner)), ids) == response.json
        runner.run(unblocking.close())
    told = [operation_of({"method": each.method, "uri": str(each.url)}) for each in asked]
    # Who registers an endpoint asks for the versions first.
    assert [name for name in told if name != "get_version"] == [operation.name] * 2
