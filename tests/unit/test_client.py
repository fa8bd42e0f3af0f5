"""The client: signatures, requests, and every task id answered."""

from __future__ import annotations

import inspect
import json
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import globus_sdk
import httpx
import pytest

from gcompute import Batch, Client, TaskExecutionFailed, TaskPending
from gcompute.errors import (
    ComputeAPIError,
    ComputeError,
    DeserializationError,
    NotFound,
    ResultsUnavailable,
    SerdeError,
    SerializationError,
    ServiceUnreachable,
    VersionMismatch,
)
from gcompute.serialize import ComputeSerializer, JSONData, PureSourceTextInspect, unpack_buffers
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    GROUP_ID,
    TASK_ID,
    ScriptedService,
    StaticAuthorizer,
)

SUBMIT = ("POST", f"/v3/endpoints/{ENDPOINT_ID}/submit")
REGISTER = ("POST", "/v3/functions")
STATUS = ("POST", "/v2/batch_status")
TASK = ("GET", f"/v2/tasks/{TASK_ID}")
VERSION = ("GET", "/v2/version")


def _submit_answer(*task_ids: str, **more: Any) -> dict[str, Any]:
    return {
        "tasks": {FUNCTION_ID: list(task_ids)},
        "task_group_id": GROUP_ID,
        "endpoint_id": ENDPOINT_ID,
        "request_id": "r-1",
        **more,
    }


def double(x: int) -> int:
    """Double a number."""
    return 2 * x


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


# Version check


def test_the_version_is_checked_once_before_the_first_request() -> None:
    """One request, first; none for the requests after it."""
    service = ScriptedService({VERSION: {"min_sdk_version": "4.0.0"}, STATUS: {"results": {}}})
    client = service.client(do_version_check=True)
    client.get_batch_result([TASK_ID])
    client.get_batch_result([TASK_ID])
    assert service.paths == ["/v2/version", "/v2/batch_status", "/v2/batch_status"]
    assert service.requests[0].url.params["service"] == "all"


def test_no_version_is_checked_where_none_is_wanted() -> None:
    """``do_version_check=False``."""
    service = ScriptedService({STATUS: {"results": {}}})
    service.client(do_version_check=False).get_batch_result([TASK_ID])
    assert service.paths == ["/v2/batch_status"]


def test_a_client_that_is_too_old_is_refused_each_time() -> None:
    """The message has both versions; nothing but the version is asked for, ever."""
    service = ScriptedService({VERSION: {"min_sdk_version": "99.0.0"}})
    client = service.client(do_version_check=True)
    for _ in range(2):
        with pytest.raises(VersionMismatch, match=r"4\.19\.0 is older than 99\.0\.0"):
            client.get_batch_result([TASK_ID])
    assert set(service.paths) == {"/v2/version"}


def test_a_version_that_could_not_be_asked_for_is_asked_for_again() -> None:
    """A service that was away for a moment does not switch the check off."""
    answers = iter([*[httpx.ConnectError("refused")] * 3, {"min_sdk_version": "99.0.0"}])
    service = ScriptedService({VERSION: lambda _: next(answers)})
    client = service.client(do_version_check=True)
    with pytest.raises(ServiceUnreachable):
        client.get_task(TASK_ID)
    with pytest.raises(VersionMismatch):
        client.get_task(TASK_ID)


@pytest.mark.parametrize(
    "answer", [{}, {"min_sdk_version": None, "min_ep_version": None}, "4.19.0"]
)
def test_a_service_without_a_minimum_accepts_all(answer: Any) -> None:
    """Nothing to compare with: nothing to refuse."""
    service = ScriptedService({VERSION: answer})
    service.client().version_check("1.0.0")


@pytest.mark.parametrize("name", ["min_ep_version", "min_endpoint_version"])
def test_an_endpoint_version_is_compared_as_well(name: str) -> None:
    """By both names that the minimum has been seen under."""
    service = ScriptedService({VERSION: {"min_sdk_version": "4.0.0", name: "3.0.0"}})
    client = service.client()
    client.version_check("3.0.0")
    client.version_check("10.0.0")
    with pytest.raises(VersionMismatch, match=r"globus-compute-endpoint 2\.9 is older than 3"):
        client.version_check("2.9")


def test_versions_that_cannot_be_compared_are_named() -> None:
    """The error says which two, and how to do without."""
    service = ScriptedService({VERSION: {"min_sdk_version": "soon"}})
    with pytest.raises(ComputeError, match=r"'4\.19\.0' with 'soon'.*do_version_check=False"):
        service.client().version_check()


# Functions


def test_registering_posts_code_and_description() -> None:
    """The docstring describes; the function's text is packed."""
    service = ScriptedService({REGISTER: {"function_uuid": FUNCTION_ID}})
    assert service.client().register_function(double) == FUNCTION_ID
    body = service.body()
    assert body["function_name"] == "double"
    assert body["description"] == "Double a number."
    (code,) = unpack_buffers(body["function_code"])
    assert ComputeSerializer().deserialize(code)(4) == 8


def test_a_function_that_cannot_be_sent_asks_nobody() -> None:
    """The error comes before the request."""
    unpicklable = (x for x in "text")
    service = ScriptedService()
    with pytest.raises(SerializationError):
        service.client().register_function(lambda: unpicklable)
    assert service.requests == []


def test_a_high_assurance_warning_is_shown() -> None:
    """What the service warns of reaches the user, where he made the call."""
    service = ScriptedService(
        {
            REGISTER: {"function_uuid": FUNCTION_ID, "ha_warning": "not for HA"},
            SUBMIT: _submit_answer(TASK_ID, ha_warning="no HA data here"),
        }
    )
    client = service.client()
    with pytest.warns(UserWarning, match="not for HA") as caught:
        client.register_function(double)
    assert caught[0].filename == __file__
    batch = client.create_batch()
    batch.add(FUNCTION_ID)
    with pytest.warns(UserWarning, match="no HA data here") as caught:
        client.batch_run(ENDPOINT_ID, batch)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("warning", [None, ""])
def test_no_warning_means_none(warning: str | None) -> None:
    """A field that is null or empty warns of nothing."""
    service = ScriptedService({REGISTER: {"function_uuid": FUNCTION_ID, "ha_warning": warning}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        service.client().register_function(double)


@pytest.mark.parametrize("answer", [{}, [], "text", {"function_uuid": None}])
def test_a_registration_without_an_id_is_an_error_of_the_service(answer: Any) -> None:
    """Not a KeyError: an error that names the request."""
    service = ScriptedService({REGISTER: answer})
    with pytest.raises(ComputeAPIError, match=r"no function_uuid|register_function is no object"):
        service.client().register_function(double)


# Submits


@pytest.mark.parametrize("as_object", [False, True])
def test_run_submits_one_task(as_object: bool) -> None:
    """With ids as texts or UUIDs; args and kwargs go packed."""
    service = ScriptedService({SUBMIT: _submit_answer(TASK_ID)})
    client = service.client(data_serialization_strategy=JSONData())
    kind: Callable[[str], Any] = uuid.UUID if as_object else str
    task_id = client.run(1, endpoint_id=kind(ENDPOINT_ID), function_id=kind(FUNCTION_ID), y=2)
    assert task_id == TASK_ID
    body = service.body()
    assert list(body["tasks"]) == [FUNCTION_ID]
    assert unpack_buffers(body["tasks"][FUNCTION_ID][0]) == ["11\n[1]", '11\n{"y": 2}']
    assert body["create_queue"] is False
    assert body["user_runtime"]["globus_compute_sdk_version"] == "4.19.0"


def test_a_malformed_id_sends_nothing() -> None:
    """Endpoint, function and task ids are checked before the request, by name."""
    service = ScriptedService()
    client = service.client()
    with pytest.raises(ValueError, match="function_id is no UUID"):
        client.run(endpoint_id=ENDPOINT_ID, function_id="f")
    with pytest.raises(ValueError, match="endpoint_id is no UUID"):
        client.run(endpoint_id="e", function_id=FUNCTION_ID)
    for ask in (client.get_task, client.get_result):
        with pytest.raises(ValueError, match="task_id is no UUID"):
            ask("t")
    with pytest.raises(ValueError, match="task_id is no UUID"):
        client.get_batch_result([TASK_ID, "t"])
    assert service.requests == []


def test_an_empty_batch_is_not_sent() -> None:
    """The error says what to do."""
    service = ScriptedService()
    client = service.client()
    with pytest.raises(ValueError, match=r"Batch\.add"):
        client.batch_run(ENDPOINT_ID, client.create_batch())
    assert service.requests == []


def test_a_batch_is_sent_whole_and_its_answer_given() -> None:
    """Body and answer as documented."""
    answer = _submit_answer(TASK_ID, str(uuid.uuid4()))
    service = ScriptedService({SUBMIT: answer})
    client = service.client()
    batch = client.create_batch(
        GROUP_ID,
        {"num_nodes": 2},
        {"account": "x"},
        True,
        ["globus_compute_sdk.serialize.JSONData"],
    )
    batch.add(FUNCTION_ID, (1,))
    batch.add(FUNCTION_ID, (2,))
    assert client.batch_run(uuid.UUID(ENDPOINT_ID), batch) == answer
    body = service.body()
    assert body.pop("user_runtime")
    assert body == {
        "create_queue": True,
        "task_group_id": GROUP_ID,
        "resource_specification": {"num_nodes": 2},
        "user_endpoint_config": {"account": "x"},
        "result_serializers": ["globus_compute_sdk.serialize.JSONData"],
        "tasks": batch.prepare()["tasks"],
    }
    assert body["tasks"][FUNCTION_ID][0] != body["tasks"][FUNCTION_ID][1]


@pytest.mark.parametrize("answer", [{}, [], {"tasks": {}}, {"tasks": {FUNCTION_ID: []}}])
def test_a_submit_without_a_task_id_is_an_error_of_the_service(answer: Any) -> None:
    """Not a KeyError or IndexError: an error that says what is missing."""
    service = ScriptedService({SUBMIT: answer})
    with pytest.raises(ComputeAPIError, match=r"no task id|submit is no object"):
        service.client().run(endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)


# Results


def _value(value: Any) -> str:
    return ComputeSerializer().serialize(value)


def _status(**fields: Any) -> dict[str, Any]:
    return {"task_id": TASK_ID, **fields}


SUCCESS = _status(status="success", result=_value(42), completion_t="1700000000.5", details=None)
FAILED = _status(status="failed", exception="Traceback: boom", completion_t="1700000000.5")
PENDING = _status(status="waiting-for-ep", completion_t=None, result=None)
GARBLED = _status(status="success", result="zz\nwho wrote this")


def test_a_finished_task_has_its_result() -> None:
    """State, result and time."""
    service = ScriptedService({TASK: SUCCESS})
    client = service.client()
    assert client.get_task(TASK_ID) == {
        "pending": False,
        "status": "success",
        "result": 42,
        "completion_t": "1700000000.5",
    }
    assert client.get_result(uuid.UUID(TASK_ID)) == 42


def test_a_finished_task_is_asked_for_once() -> None:
    """The service forgets a result once it was fetched, so the client remembers."""
    service = ScriptedService({TASK: SUCCESS})
    client = service.client()
    assert [client.get_result(TASK_ID) for _ in range(3)] == [42] * 3
    assert client.get_batch_result([TASK_ID])[TASK_ID]["result"] == 42
    assert len(service.requests) == 1


def test_what_a_user_does_to_a_state_stays_with_him() -> None:
    """A returned dict is the caller's own."""
    client = ScriptedService({TASK: SUCCESS}).client()
    for _ in range(2):  # the first comes from the service, the second was remembered
        client.get_task(TASK_ID).clear()
    client.get_batch_result([TASK_ID])[TASK_ID].clear()
    assert client.get_result(TASK_ID) == 42


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}])
def test_a_result_may_be_nothing(value: object) -> None:
    """Falsy results are results."""
    service = ScriptedService({TASK: _status(status="success", result=_value(value))})
    assert service.client().get_result(TASK_ID) == value


def test_a_failed_task_raises_what_failed() -> None:
    """The error names the task and carries the remote text, each time it is asked for."""
    client = ScriptedService({TASK: FAILED}).client()
    for ask in (client.get_task, client.get_result, client.get_result):
        with pytest.raises(TaskExecutionFailed, match=f"(?s){TASK_ID}.*boom") as caught:
            ask(TASK_ID)
        assert caught.value.task_id == TASK_ID
        assert caught.value.completion_t == "1700000000.5"
        assert caught.value.__cause__ is not None


def test_a_pending_task_has_no_result_yet() -> None:
    """get_task tells its status, get_result raises it; it is asked for anew each time."""
    service = ScriptedService({TASK: PENDING})
    client = service.client()
    assert client.get_task(TASK_ID) == {"pending": True, "status": "waiting-for-ep"}
    with pytest.raises(TaskPending, match="waiting-for-ep"):
        client.get_result(TASK_ID)
    assert len(service.requests) == 2


def test_an_unknown_task_is_not_found() -> None:
    """As the service says it."""
    service = ScriptedService({TASK: httpx.Response(404, json={"code": "TASK_NOT_FOUND"})})
    with pytest.raises(NotFound, match="TASK_NOT_FOUND"):
        service.client().get_task(TASK_ID)


def test_a_result_that_does_not_load_names_its_task() -> None:
    """A DeserializationError with the task's id."""
    client = ScriptedService({TASK: GARBLED}).client()
    with pytest.raises(DeserializationError, match=f"result of task {TASK_ID}: no known strategy"):
        client.get_result(TASK_ID)


def test_every_id_is_answered() -> None:
    """Succeeded, failed, pending, unloadable, unknown: none is left out."""
    ids = [str(uuid.uuid4()) for _ in range(7)]
    entries = [SUCCESS, FAILED, PENDING, GARBLED, None, "oddity"]
    results = {
        i: e and (e | {"task_id": i} if isinstance(e, dict) else e)
        for i, e in zip(ids, entries, strict=False)
    }
    service = ScriptedService({STATUS: {"results": results}})
    states = service.client().get_batch_result(ids)
    assert list(states) == ids
    assert service.body() == {"task_ids": ids}
    success, failed, pending, garbled, *unknown = states.values()
    assert success["result"] == 42
    assert isinstance(failed["exception"], TaskExecutionFailed)
    assert failed["status"] == "failed"
    assert not failed["pending"]
    assert "result" not in failed
    assert pending == {"pending": True, "status": "waiting-for-ep"}
    assert isinstance(garbled["exception"], DeserializationError)
    assert not garbled["pending"]
    assert unknown == [{"pending": True, "status": "unknown"}] * 3


def test_ids_are_answered_in_one_spelling() -> None:
    """UUID objects, other spellings and repetitions give one answer by the id's usual text."""
    service = ScriptedService({STATUS: {"results": {TASK_ID: SUCCESS}}})
    given: list[uuid.UUID | str] = [uuid.UUID(TASK_ID), TASK_ID.upper(), TASK_ID.replace("-", "")]
    assert set(service.client().get_batch_result(given)) == {TASK_ID}
    assert service.body() == {"task_ids": [TASK_ID]}


def test_no_ids_ask_nobody() -> None:
    """An empty list, or a generator of nothing."""
    service = ScriptedService()
    assert service.client().get_batch_result([]) == {}
    assert service.client().get_batch_result(iter(())) == {}
    assert service.requests == []


def test_one_text_is_no_list_of_ids() -> None:
    """A usual slip is refused with what to use."""
    with pytest.raises(TypeError, match="for one use get_task"):
        ScriptedService().client().get_batch_result(TASK_ID)


def test_a_success_without_a_result_says_so() -> None:
    """The task did not fail: its result is gone."""
    client = ScriptedService({TASK: _status(status="success", result=None)}).client()
    with pytest.raises(ResultsUnavailable, match=TASK_ID):
        client.get_result(TASK_ID)


def test_access_to_the_result_queues_is_given_as_it_came() -> None:
    """Both documented fields."""
    answer = {"queue_prefix": "results.", "connection_url": "amqps://u:p@broker.test:443/"}
    service = ScriptedService({("GET", "/v2/get_amqp_result_connection_url"): answer})
    assert service.client().get_result_amqp_url() == answer


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
