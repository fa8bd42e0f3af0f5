"""The endpoint's Python is compared with ours before its first task, once."""

from __future__ import annotations

import platform
import threading
import warnings
from typing import Any

import httpx
import pytest

from gcompute.errors import (
    AuthenticationFailed,
    ComputeError,
    NotFound,
    PermissionDenied,
    VersionMismatch,
)
from gcompute.recipes.comparison import warn_if_offline
from gcompute.serialize import AllCodeStrategies, JSONData, PortableCode
from tests.support.both_clients import Connect
from tests.support.names import stable
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    GROUP_ID,
    TASK_ID,
    Answer,
    ScriptedService,
)

SUBMIT = ("POST", f"/v3/endpoints/{ENDPOINT_ID}/submit")
ENDPOINT = ("GET", f"/v2/endpoints/{ENDPOINT_ID}")
VERSION = ("GET", "/v2/version")
TAKEN = {"tasks": {FUNCTION_ID: [TASK_ID]}, "task_group_id": GROUP_ID, "endpoint_id": ENDPOINT_ID}
OURS = platform.python_version()


def _service(endpoint: Answer, submit: Answer = TAKEN) -> ScriptedService:
    return ScriptedService({SUBMIT: submit, ENDPOINT: endpoint, VERSION: {}})


def _run(client: Any) -> str:
    task_id: str = client.run(1, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
    return task_id


def test_a_mismatch_warns_once_before_the_first_submit(connect: Connect) -> None:
    """With both versions and the strategies that survive; the second submit asks nothing."""
    service = _service({"python_version": "2.7.18"})
    client = connect(service, do_version_check=True)
    with pytest.warns(UserWarning, match=r"(?s)2\.7\.18.*AllCodeStrategies.*JSONData") as caught:
        _run(client)
    assert len(caught) == 1
    assert ENDPOINT_ID in str(caught[0].message)
    _run(client)
    assert service.paths == [VERSION[1], ENDPOINT[1], SUBMIT[1], SUBMIT[1]]


def test_a_warning_that_is_an_error_stops_the_submit(connect: Connect) -> None:
    """It comes before anything is sent, so that nothing runs that was to be refused."""
    service = _service({"python_version": "2.7.18"})
    client = connect(service, do_version_check=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match=r"2\.7\.18"):
            _run(client)
    assert SUBMIT[1] not in service.paths


@pytest.mark.parametrize(
    "endpoint",
    [
        {"python_version": OURS},
        {"python_version": f"{OURS} (main)"},
        {"python_version": ".".join(OURS.split(".")[:2])},
        {"python_version": ".".join([*OURS.split(".")[:2], "999"])},
        {"python_version": "3"},
        {"python_version": "PyPy"},
        {"python_version": ""},
        {"python_version": None},
        {"python_version": [3, 11]},
        {"python_version": 3},
        {},
        [],
        "text",
        None,
    ],
    ids=stable,
)
def test_the_same_or_an_unknown_python_is_no_mismatch(endpoint: Any, connect: Connect) -> None:
    """What cannot be compared is left alone, and never stops a submit."""
    service = _service(lambda _: endpoint)
    assert _run(connect(service, do_version_check=True)) == TASK_ID


def test_strategies_that_survive_warn_of_nothing(connect: Connect) -> None:
    """Source and JSON are read by every Python."""
    service = _service({"python_version": "2.7.18"})
    client = connect(
        service,
        do_version_check=True,
        code_serialization_strategy=AllCodeStrategies(),
        data_serialization_strategy=JSONData(),
    )
    assert _run(client) == TASK_ID


def test_nothing_is_compared_where_no_check_is_wanted(connect: Connect) -> None:
    """``do_version_check=False``."""
    service = _service({"python_version": "2.7.18"})
    _run(connect(service, do_version_check=False))
    assert service.paths == [SUBMIT[1]]


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (403, PermissionDenied)])
def test_the_submits_own_error_is_what_the_user_sees(
    status: int, error: type[ComputeError], connect: Connect
) -> None:
    """An endpoint that cannot be described is asked for once; the submit says what is wrong."""

    def refuse(request: httpx.Request) -> Answer:
        return httpx.Response(status, json={"code": "NO", "detail": request.method})

    service = _service(refuse, refuse)
    client = connect(service, do_version_check=True)
    for _ in range(2):
        with pytest.raises(error, match=r"POST .*submit"):
            _run(client)
    assert service.paths == [VERSION[1], ENDPOINT[1], SUBMIT[1], SUBMIT[1]]


def test_a_service_that_is_away_is_asked_again(connect: Connect) -> None:
    """What could not be compared is compared at the next submit."""
    answers: list[Answer] = [httpx.ConnectError("refused")] * 3 + [{"python_version": "2.7.18"}]
    service = _service(lambda _: answers.pop(0))
    client = connect(service, do_version_check=True)
    assert _run(client) == TASK_ID
    with pytest.warns(UserWarning, match=r"2\.7\.18"):
        _run(client)


def test_nobody_is_asked_to_log_in_twice(connect: Connect) -> None:
    """A login that fails fails the call, before the submit tries the same."""
    service = _service(lambda _: httpx.Response(401), lambda _: httpx.Response(401))
    client = connect(service, do_version_check=True)
    for _ in range(2):
        with pytest.raises(AuthenticationFailed):
            _run(client)
    assert SUBMIT[1] not in service.paths


def test_a_client_that_is_too_old_submits_nothing(connect: Connect) -> None:
    """Neither the first time nor the second."""
    service = ScriptedService({VERSION: {"min_sdk_version": "99"}})
    client = connect(service, do_version_check=True)
    for _ in range(2):
        with pytest.raises(VersionMismatch):
            _run(client)
    assert service.paths == [VERSION[1]] * 2


def test_strategies_are_chosen_for_an_endpoint(connect: Connect) -> None:
    """The defaults for our Python, portable ones for another."""
    pythons = iter([OURS, "2.7.18"])
    client = connect(_service(lambda _: {"python_version": next(pythons)}))
    same, other = client.serializer_for(ENDPOINT_ID), client.serializer_for(ENDPOINT_ID)
    assert type(same.code_serializer) is type(client.serializer.code_serializer)
    assert isinstance(other.code_serializer, PortableCode)


def test_eight_threads_compare_once() -> None:
    """The version is checked once and the endpoint asked for once, and each thread submits."""
    service = _service({"python_version": OURS})
    client = service.client(do_version_check=True)
    start = threading.Barrier(8)

    def submit() -> None:
        start.wait(10)
        _run(client)

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = {path: service.paths.count(path) for path in service.paths}
    assert counts == {VERSION[1]: 1, ENDPOINT[1]: 1, SUBMIT[1]: 8}


# Whether an endpoint works

STATUS = ("GET", f"/v2/endpoints/{ENDPOINT_ID}/status")


def _warn_if_offline(client: Any) -> None:
    client._run(warn_if_offline(client, ENDPOINT_ID))


@pytest.mark.parametrize("status", ["offline", "disconnected", "Stopped"])
def test_an_endpoint_that_takes_no_tasks_is_told_of_once(status: str, connect: Connect) -> None:
    """By its id and the service's word, and what to do; the next tasks ask nothing."""
    service = ScriptedService({STATUS: {"status": status}, VERSION: {}})
    client = connect(service, do_version_check=True)
    with pytest.warns(UserWarning, match=f"endpoint {ENDPOINT_ID} is {status}.*start") as caught:
        _warn_if_offline(client)
    assert len(caught) == 1
    _warn_if_offline(client)  # warnings are errors here
    assert service.paths.count(STATUS[1]) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "online"},
        {"status": None},
        {},
        ["offline"],
        lambda _: httpx.Response(404, json={}),
        lambda _: httpx.Response(403, json={}),
        lambda _: httpx.Response(200, text="no JSON"),
    ],
    ids=["online", "null", "nothing", "a list", "404", "403", "no JSON"],
)
def test_nothing_is_said_of_one_that_works_or_is_not_known(
    answer: Answer, connect: Connect
) -> None:
    """An error is no reason to worry: the tasks were taken."""
    service = ScriptedService({STATUS: answer, VERSION: {}})
    client = connect(service, do_version_check=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _warn_if_offline(client)
        _warn_if_offline(client)
    assert service.paths.count(STATUS[1]) == 1


def test_nobody_asks_where_no_check_is_wanted(connect: Connect) -> None:
    """As for the comparison of runtimes."""
    service = ScriptedService()
    _warn_if_offline(connect(service))
    assert service.requests == []
