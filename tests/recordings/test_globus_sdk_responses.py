"""The answers that ``globus_sdk`` ships for its own tests: our clients read every one of them.

They are a second source that is independent of us: what its authors have seen the service say.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from globus_sdk import ComputeClientV2 as GlobusV2
from globus_sdk import ComputeClientV3 as GlobusV3

from gcompute.service_clients import ComputeClientV2, ComputeClientV3
from tests.support.api_document import Operation, canonical, operations, to_json
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
