"""What becomes of one call: how often it is sent, and after what wait, with both clients."""

from __future__ import annotations

import itertools
import logging
import re
from typing import Any

import httpx
import pytest

from gcompute.core import WINDOW_FACTOR
from gcompute.errors import (
    AuthenticationFailed,
    ComputeError,
    RateLimited,
    ServiceFailed,
    ServiceUnreachable,
)
from tests.support.both_clients import Connect
from tests.support.names import stable
from tests.support.scripted_service import (
    ENDPOINT_ID,
    FUNCTION_ID,
    TASK_ID,
    Answer,
    ScriptedService,
    StaticAuthorizer,
)

SUBMIT = ("POST", f"/v3/endpoints/{ENDPOINT_ID}/submit")
TASK = ("GET", f"/v2/tasks/{TASK_ID}")
TAKEN = {"tasks": {FUNCTION_ID: [TASK_ID]}, "task_group_id": TASK_ID, "endpoint_id": ENDPOINT_ID}
PENDING = {"task_id": TASK_ID, "status": "waiting-for-ep"}


def _in_turn(*answers: Answer) -> ScriptedService:
    """A service with these answers to submits and to questions, the last of them for ever."""
    source = itertools.chain(answers, itertools.repeat(answers[-1]))

    def answer(_request: httpx.Request) -> Answer:
        given = next(source)
        return given() if callable(given) else given

    return ScriptedService({SUBMIT: answer, TASK: answer})


def _submit(service: ScriptedService, connect: Connect, **options: Any) -> str:
    client = connect(service, **options)
    return client.run(1, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)


#: A response is read once: each request gets its own.
AMBIGUOUS: list[Answer] = [
    lambda: httpx.Response(500),
    lambda: httpx.Response(502, text="<html>Bad gateway</html>"),
    lambda: httpx.Response(503, headers={"Retry-After": "1"}),
    lambda: httpx.Response(504),
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("disconnected without an answer"),
]


def _name(answer: Answer) -> str:
    return repr(answer() if callable(answer) else answer)


@pytest.mark.parametrize("answer", AMBIGUOUS, ids=_name)
def test_a_submit_that_may_have_arrived_is_sent_once(answer: Answer, connect: Connect) -> None:
    """Whatever comes after it was sent; the error says that the tasks may run."""
    service = _in_turn(answer, TAKEN)
    with pytest.raises((ServiceFailed, ServiceUnreachable)) as caught:
        _submit(service, connect)
    assert len(service.requests) == 1
    assert "may or may not have taken" in caught.value.__notes__[0]


@pytest.mark.parametrize("answer", AMBIGUOUS, ids=_name)
def test_a_question_is_asked_again(answer: Answer, connect: Connect) -> None:
    """A read does no harm: it is repeated until it is answered."""
    service = _in_turn(answer, answer, PENDING)
    assert connect(service).get_task(TASK_ID)["pending"]
    assert len(service.requests) == 3


@pytest.mark.parametrize("content", [b"", b"<html>", b"{", b"[]", b"null", b'{"tasks": []}'])
def test_a_submit_with_a_broken_answer_is_sent_once(content: bytes, connect: Connect) -> None:
    """It was taken: the answer is what is wrong."""
    service = _in_turn(lambda: httpx.Response(200, content=content), TAKEN)
    with pytest.raises(ComputeError):
        _submit(service, connect)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [httpx.ConnectError("refused"), httpx.ConnectTimeout("no route"), httpx.PoolTimeout("busy")],
    ids=stable,
)
def test_a_submit_that_never_arrived_is_sent_again(answer: Answer, connect: Connect) -> None:
    """Twice more, and then the error says that it was not sent, and nothing of lost tasks."""
    assert _submit(_in_turn(answer, answer, TAKEN), connect) == TASK_ID
    service = _in_turn(answer)
    with pytest.raises(ServiceUnreachable) as caught:
        _submit(service, connect)
    assert caught.value.sent is False
    assert not hasattr(caught.value, "__notes__")
    assert len(service.requests) == 3


@pytest.mark.parametrize(
    ("retry_after", "least_s"),
    [(None, 0.125), ("7", 7.0), ("0.5", 0.5), ("Wed, 21 Oct 2015 07:28:09 GMT", 9.0)],
)
def test_a_submit_that_came_too_soon_is_sent_again(
    retry_after: str | None, least_s: float, connect: Connect
) -> None:
    """429 means that it was not taken; ``Retry-After`` says when, in seconds or by a date."""
    headers = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    if retry_after:
        headers["Retry-After"] = retry_after
    service = _in_turn(lambda: httpx.Response(429, headers=headers), TAKEN)
    assert _submit(service, connect) == TASK_ID
    assert len(service.requests) == 2
    assert max(service.pauses) >= least_s


def test_a_pause_that_is_too_long_is_told(connect: Connect) -> None:
    """The caller hears how long, in place of waiting for an hour."""
    service = _in_turn(lambda: httpx.Response(429, headers={"Retry-After": "3600"}), TAKEN)
    with pytest.raises(RateLimited) as caught:
        _submit(service, connect)
    assert caught.value.retry_after_s == 3600
    assert len(service.requests) == 1
    assert service.pauses == []


def test_a_service_that_always_refuses_is_left_alone(connect: Connect) -> None:
    """Five attempts in all."""
    service = _in_turn(lambda: httpx.Response(429))
    with pytest.raises(RateLimited):
        _submit(service, connect)
    assert len(service.requests) == 5


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422, 302])
def test_a_refusal_is_not_repeated(status: int, connect: Connect) -> None:
    """The same request would get the same answer."""
    service = _in_turn(lambda: httpx.Response(status, json={"code": "NO"}))
    client = connect(service)
    for ask in (lambda: client.get_task(TASK_ID), lambda: _submit(service, connect)):
        before = len(service.requests)
        with pytest.raises(ComputeError, match=str(status)):
            ask()
        assert len(service.requests) == before + 1


def test_a_request_over_the_limit_waits(connect: Connect) -> None:
    """The third of two in ten seconds waits for them, and a bit longer than that."""
    service = _in_turn(PENDING)
    client = connect(service, request_limit=(2, 10.0))
    for _ in range(3):
        client.get_task(TASK_ID)
    (waited,) = service.pauses
    assert 10.0 < waited <= 10.0 * WINDOW_FACTOR


def test_waits_are_logged(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """A program that seems to hang tells why, to whoever asks it for more than warnings."""
    caplog.set_level(logging.INFO, "gcompute.http")
    service = _in_turn(httpx.ReadError("reset"), PENDING)
    client = connect(service, request_limit=(3, 10.0))
    for _ in range(3):
        client.get_task(TASK_ID)
    again, waits = (record.getMessage() for record in caplog.records)
    path = f"GET /v2/tasks/{TASK_ID}"
    assert re.fullmatch(rf"{path} goes again in [\d.]+ s: .*reset.*", again)
    assert re.fullmatch(rf"{path} waits for 1\d\.\d s: .*\(request_limit\)", waits)


class _Renewing(StaticAuthorizer):
    """Has a second token when the first is refused."""

    def handle_missing_authorization(self) -> bool:
        """Renew the token."""
        renewed = self.header != "Bearer two"
        self.header = "Bearer two"
        return renewed


@pytest.mark.parametrize("accepted", ["Bearer two", "Bearer three"])
def test_a_refused_token_is_renewed_once(accepted: str, connect: Connect) -> None:
    """One 401, one renewal, one repetition; a second refusal is final."""

    headers: list[str] = []

    def answer(request: httpx.Request) -> Answer:
        headers.append(request.headers["Authorization"])
        good = request.headers["Authorization"] == accepted
        return PENDING if good else httpx.Response(401, json={"code": "EXPIRED"})

    service = ScriptedService({TASK: answer})
    client = connect(service, authorizer=_Renewing())
    if accepted == "Bearer two":
        assert client.get_task(TASK_ID)["pending"]
    else:
        with pytest.raises(AuthenticationFailed, match="EXPIRED"):
            client.get_task(TASK_ID)
    assert headers == ["Bearer one", "Bearer two"]


def test_request_ids_are_in_the_error(connect: Connect) -> None:
    """From the body, for the service's support."""
    service = _in_turn(httpx.Response(404, json={"code": "NO_TASK", "request_id": "r-17"}))
    client = connect(service)
    with pytest.raises(ComputeError, match="r-17"):
        client.get_task(TASK_ID)
