"""The blocking client: signatures, settings, logging in, and where its warnings point."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import globus_sdk
import pytest

from gcompute import Batch, Client
from gcompute.errors import (
    SerdeError,
)
from gcompute.serialize import JSONData, PureSourceTextInspect
from tests.support.names import stable
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    TASK_ID,
    ScriptedService,
    StaticAuthorizer,
)

SUBMIT = ("POST", f"/v3/endpoints/{ENDPOINT_ID}/submit")
STATUS = ("POST", "/v2/batch_status")


# Signatures


@pytest.mark.parametrize(
    ("function", "documented"),
    [
        (
            Client.__init__,
            [
                ("environment", None),
                ("local_compute_services", False),
                ("do_version_check", True),
                ("code_serialization_strategy", None),
                ("data_serialization_strategy", None),
                ("allowed_deserializers", None),
                ("app", None),
                ("authorizer", None),
            ],
        ),
        (Client.version_check, [("endpoint_version", None)]),
        (Client.get_task, [("task_id", ...)]),
        (Client.get_result, [("task_id", ...)]),
        (Client.get_batch_result, [("task_id_list", ...)]),
        (
            Client.create_batch,
            [
                ("task_group_id", None),
                ("resource_specification", None),
                ("user_endpoint_config", None),
                ("create_websocket_queue", False),
                ("result_serializers", None),
            ],
        ),
        (Client.batch_run, [("endpoint_id", ...), ("batch", None)]),
        (
            Client.register_function,
            [
                ("function", ...),
                ("description", None),
                ("metadata", None),
                ("public", False),
                ("group", None),
                ("ha_endpoint_id", None),
            ],
        ),
        (
            Batch.__init__,
            [
                ("task_group_id", ...),
                ("resource_specification", None),
                ("user_endpoint_config", None),
                ("request_queue", False),
                ("serializer", None),
                ("user_runtime", None),
                ("result_serializers", None),
            ],
        ),
        (Batch.add, [("function_id", ...), ("args", None), ("kwargs", None)]),
        (Batch.prepare, []),
    ],
    ids=lambda v: getattr(v, "__qualname__", None),
)
def test_signatures_are_those_of_the_reference(
    function: Callable[..., Any], documented: list[tuple[str, Any]]
) -> None:
    """Documented arguments come in their order, by their names, with their defaults."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    ours = [
        (p.name, ... if p.default is p.empty else p.default) for p in parameters[: len(documented)]
    ]
    assert ours == documented
    for extra in parameters[len(documented) :]:
        assert extra.kind in (extra.KEYWORD_ONLY, extra.VAR_KEYWORD)


def test_run_takes_both_ids_by_keyword() -> None:
    """``run(*args, endpoint_id, function_id, **kwargs)``."""
    parameters = inspect.signature(Client.run).parameters
    kinds = {p.name: p.kind for p in parameters.values()}
    assert kinds["args"] is inspect.Parameter.VAR_POSITIONAL
    assert kinds["endpoint_id"] is kinds["function_id"] is inspect.Parameter.KEYWORD_ONLY
    assert kinds["kwargs"] is inspect.Parameter.VAR_KEYWORD


# Making one


def test_making_one_sends_nothing_and_prompts_for_nothing() -> None:
    """Neither the service nor the login hears of a constructor."""

    class NoLogin(StaticAuthorizer):
        def get_authorization_header(self) -> str | None:
            raise AssertionError("asked for a token")

    service = ScriptedService()
    service.client(do_version_check=True, authorizer=NoLogin())
    assert service.requests == []


def test_app_and_authorizer_exclude_each_other() -> None:
    """Two ways to log in at once are a mistake."""
    app = globus_sdk.UserApp("test", client_id=str(uuid.uuid4()))
    with pytest.raises(ValueError, match="app and authorizer exclude each other"):
        Client(app=app, authorizer=StaticAuthorizer())


def test_an_unknown_argument_warns() -> None:
    """It is named, and ignored; the warning points at the caller."""
    with pytest.warns(UserWarning, match="does not know the argument 'http_timeout'") as caught:
        Client(authorizer=StaticAuthorizer(), http_timeout=3)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({}, "https://compute.api.globus.org"),
        ({"environment": "preview"}, "https://compute.api.preview.globus.org"),
        ({"environment": "sandbox"}, "https://compute.api.sandbox.globuscs.info"),
        ({"local_compute_services": True}, "http://localhost:5000"),
        ({"base_url": "http://127.0.0.1:8080"}, "http://127.0.0.1:8080"),
    ],
)
def test_the_address_follows_the_arguments(
    options: dict[str, Any], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment, local services, or an address."""
    monkeypatch.delenv("GLOBUS_SDK_ENVIRONMENT", raising=False)
    client = Client(authorizer=StaticAuthorizer(), **options)
    assert client.web_service_address == address
    assert address in repr(client)


def test_an_unknown_environment_is_refused() -> None:
    """At once, with the names that there are."""
    with pytest.raises(ValueError, match=r"unknown environment 'nowhere'.*production"):
        Client("nowhere", authorizer=StaticAuthorizer())


def test_strategies_are_checked_at_once() -> None:
    """A strategy of the wrong kind is found when the client is made."""
    with pytest.raises(SerdeError, match="JSONData is for data"):
        Client(authorizer=StaticAuthorizer(), code_serialization_strategy=JSONData())
    client = Client(
        authorizer=StaticAuthorizer(),
        code_serialization_strategy=PureSourceTextInspect(),
        data_serialization_strategy=JSONData(),
    )
    assert client.fx_serializer is client.serializer
    assert client.serializer.serialize([1]) == "11\n[1]"


# Logging in


def test_an_app_is_asked_for_the_scope_once() -> None:
    """Each request asks the app for its authorizer; the scope is required only the first time."""
    calls: list[str] = []

    class App:
        def add_scope_requirements(self, requirements: dict[str, list[str]]) -> None:
            calls.append(f"require {json.dumps(requirements)}")

        def get_authorizer(self, resource_server: str) -> StaticAuthorizer:
            calls.append(f"authorizer {resource_server}")
            return StaticAuthorizer()

    service = ScriptedService({STATUS: {"results": {}}})
    client = service.client(app=App(), authorizer=None)
    assert calls == []
    for _ in range(3):
        client.get_batch_result([TASK_ID])
    assert len([call for call in calls if call.startswith("require")]) == 1
    assert "funcx_service" in calls[0]
    assert "/all" in calls[0]
    assert calls[1:] == ["authorizer funcx_service"] * 3


def test_closing_is_not_the_end() -> None:
    """A closed client opens new connections when it is used again."""
    client = ScriptedService({STATUS: {"results": {}}}).client()
    client.close()
    assert client.get_batch_result([TASK_ID])
    client.close()


# Where warnings point, and what a client is not


def test_warnings_point_at_the_callers_line() -> None:
    """What the service warns of, a mismatch, and an older form."""
    endpoint = ("GET", f"/v2/endpoints/{ENDPOINT_ID}")
    service = ScriptedService(
        {
            ("GET", "/v2/version"): {},
            endpoint: {"python_version": "2.7.18"},
            SUBMIT: {"tasks": {FUNCTION_ID: [TASK_ID]}, "ha_warning": "no HA data here"},
        }
    )
    client = service.client(do_version_check=True)
    batch = client.create_batch()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client.run(1, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
        batch.add(1, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
        client.batch_run(batch)
    assert [warning.filename for warning in caught] == [__file__] * 5
    assert [warning.category for warning in caught] == [
        UserWarning,
        UserWarning,
        DeprecationWarning,
        DeprecationWarning,
        UserWarning,
    ]


@pytest.mark.parametrize("copying", [copy.copy, copy.deepcopy, pickle.dumps], ids=stable)
def test_a_client_does_not_travel(copying: Callable[[Client], object]) -> None:
    """The error says what to do, also where a function that is sent drags a client along."""
    with pytest.raises(TypeError, match="a Client cannot be copied or pickled"):
        copying(ScriptedService().client())
