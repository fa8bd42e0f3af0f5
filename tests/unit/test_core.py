"""What both clients have in common: the version check."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gcompute.errors import (
    ComputeError,
    ServiceUnreachable,
    VersionMismatch,
)
from tests.support.both_clients import Connect
from tests.support.scripted_service import (
    TASK_ID,
    ScriptedService,
)

STATUS = ("POST", "/v2/batch_status")
VERSION = ("GET", "/v2/version")


def test_the_version_is_checked_once_before_the_first_request(connect: Connect) -> None:
    """One request, first; none for the requests after it."""
    service = ScriptedService({VERSION: {"min_sdk_version": "4.0.0"}, STATUS: {"results": {}}})
    client = connect(service, do_version_check=True)
    client.get_batch_result([TASK_ID])
    client.get_batch_result([TASK_ID])
    assert service.paths == ["/v2/version", "/v2/batch_status", "/v2/batch_status"]
    assert service.requests[0].url.params["service"] == "all"


def test_no_version_is_checked_where_none_is_wanted(connect: Connect) -> None:
    """``do_version_check=False``."""
    service = ScriptedService({STATUS: {"results": {}}})
    connect(service, do_version_check=False).get_batch_result([TASK_ID])
    assert service.paths == ["/v2/batch_status"]


def test_a_client_that_is_too_old_is_refused_each_time(connect: Connect) -> None:
    """The message has both versions; nothing but the version is asked for, ever."""
    service = ScriptedService({VERSION: {"min_sdk_version": "99.0.0"}})
    client = connect(service, do_version_check=True)
    for _ in range(2):
        with pytest.raises(VersionMismatch, match=r"4\.19\.0 is older than 99\.0\.0"):
            client.get_batch_result([TASK_ID])
    assert set(service.paths) == {"/v2/version"}


def test_a_version_that_could_not_be_asked_for_is_asked_for_again(connect: Connect) -> None:
    """A service that was away for a moment does not switch the check off."""
    answers = iter([*[httpx.ConnectError("refused")] * 3, {"min_sdk_version": "99.0.0"}])
    service = ScriptedService({VERSION: lambda _: next(answers)})
    client = connect(service, do_version_check=True)
    with pytest.raises(ServiceUnreachable):
        client.get_task(TASK_ID)
    with pytest.raises(VersionMismatch):
        client.get_task(TASK_ID)


@pytest.mark.parametrize(
    "answer", [{}, {"min_sdk_version": None, "min_ep_version": None}, "4.19.0"]
)
def test_a_service_without_a_minimum_accepts_all(answer: Any, connect: Connect) -> None:
    """Nothing to compare with: nothing to refuse."""
    service = ScriptedService({VERSION: answer})
    connect(service).version_check("1.0.0")
    assert service.paths == [VERSION[1]]


@pytest.mark.parametrize("name", ["min_ep_version", "min_endpoint_version"])
def test_an_endpoint_version_is_compared_as_well(name: str, connect: Connect) -> None:
    """By both names that the minimum has been seen under."""
    service = ScriptedService({VERSION: {"min_sdk_version": "4.0.0", name: "3.0.0"}})
    client = connect(service)
    client.version_check("3.0.0")
    client.version_check("10.0.0")
    with pytest.raises(VersionMismatch, match=r"globus-compute-endpoint 2\.9 is older than 3"):
        client.version_check("2.9")


def test_versions_that_cannot_be_compared_are_named(connect: Connect) -> None:
    """The error says which two, and how to do without."""
    service = ScriptedService({VERSION: {"min_sdk_version": "soon"}})
    with pytest.raises(ComputeError, match=r"'4\.19\.0' with 'soon'.*do_version_check=False"):
        connect(service).version_check()
