"""What web services answer to somebody who is not logged in."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from gcompute.diagnosis import web
from gcompute.diagnosis.facts import Facts, Route
from gcompute.diagnosis.outcome import Outcome, State
from gcompute.diagnosis.redaction import Redactor
from gcompute.http import USER_AGENT

ROUTE = Route("http://service.test", "service.test", 80, tls=False)
VERSIONS = {"api": "1.37.0", "min_sdk_version": "2.28.0", "min_ep_version": "2.28.0"}

Answering = Callable[[httpx.Response | Exception], list[httpx.Request]]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Give a way to say what is answered; it gives the list of requests."""

    def say(answer: httpx.Response | Exception) -> list[httpx.Request]:
        requests: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            if isinstance(answer, Exception):
                raise answer
            return answer

        def get(url: str, *, timeout: float, verify: ssl.SSLContext, **more: Any) -> httpx.Response:
            assert verify.verify_mode is ssl.CERT_REQUIRED
            with httpx.Client(transport=httpx.MockTransport(handle), timeout=timeout) as client:
                return client.get(url, **more)

        monkeypatch.setattr(httpx, "get", get)
        return requests

    return say


def _asked(facts: Facts | None = None) -> Outcome:
    return web.check_service(ROUTE, facts or Facts(Redactor()), 1.0)


def test_the_service_tells_its_versions(answering: Answering) -> None:
    """It is asked once, without a token, by our name."""
    requests = answering(httpx.Response(200, json=VERSIONS))
    outcome = _asked()
    assert outcome.state is State.OK
    assert outcome.details["min_sdk_version"] == "2.28.0"
    (request,) = requests
    assert str(request.url) == "http://service.test/v2/version?service=all"
    assert request.headers["User-Agent"] == USER_AGENT
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    ("needed", "state"),
    [("99.0.0", State.PROBLEM), (None, State.OK), ("odd", State.OK)],
)
def test_a_client_that_is_too_old_is_a_problem(
    needed: str | None, state: State, answering: Answering
) -> None:
    """Where the service names a version that can be compared."""
    answering(httpx.Response(200, json=VERSIONS | {"min_sdk_version": needed}))
    assert _asked().state is state


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (httpx.Response(200, text="<html>"), State.WARNING, "no versions"),
        (httpx.Response(200, json="1.37.0"), State.WARNING, "no versions"),
        (httpx.Response(302, headers={"Location": "/login"}), State.PROBLEM, "moved to /login"),
        (httpx.Response(404), State.PROBLEM, "HTTP 404 Not Found"),
        (httpx.Response(429), State.WARNING, "HTTP 429"),
        (httpx.Response(503), State.PROBLEM, "HTTP 503"),
        (httpx.ReadTimeout("slow"), State.PROBLEM, "no answer within 1 s"),
        (httpx.ProxyError("407 Denied"), State.PROBLEM, "the proxy refuses: 407 Denied"),
        (httpx.RemoteProtocolError("no HTTP"), State.PROBLEM, "no HTTP"),
        (ImportError("socksio is missing"), State.PROBLEM, "socksio"),
    ],
)
def test_other_answers_are_told(
    answer: httpx.Response | Exception, state: State, said: str, answering: Answering
) -> None:
    """Each with a next step."""
    answering(answer)
    outcome = _asked()
    assert outcome.state is state
    assert said in outcome.found
    assert outcome.next_step


def test_globus_auth_describes_itself(answering: Answering) -> None:
    """Whatever it describes; an error is one."""
    (requests, outcome) = (answering(httpx.Response(200)), web.check_globus_auth(ROUTE, 1.0))
    assert outcome.state is State.OK
    assert requests[0].url.path == "/.well-known/openid-configuration"
    answering(httpx.Response(500))
    assert web.check_globus_auth(ROUTE, 1.0).state is State.PROBLEM
    answering(httpx.ConnectError("refused"))
    assert web.check_globus_auth(ROUTE, 1.0).found == "refused"


@pytest.mark.parametrize(
    ("behind_s", "state", "said"),
    [
        (0, State.OK, "agrees"),
        (12, State.OK, "behind the service's"),
        (60, State.WARNING, "60 s behind the service's"),
        (-60, State.WARNING, "60 s ahead of the service's"),
        (3600, State.PROBLEM, "3600 s behind"),
    ],
)
def test_clocks_are_compared(behind_s: int, state: State, said: str, answering: Answering) -> None:
    """With the date of the service's answer."""
    facts = Facts(Redactor())
    date = formatdate(time.time() + behind_s, usegmt=True)
    answering(httpx.Response(200, json=VERSIONS, headers={"Date": date}))
    _asked(facts)
    assert facts.clock_ahead_s == pytest.approx(behind_s, abs=10)  # a slow machine
    facts.clock_ahead_s = behind_s
    outcome = web.check_clock(facts)
    assert outcome.state is state
    assert said in outcome.found


@pytest.mark.parametrize("headers", [{}, {"Date": "noon"}])
def test_an_answer_without_a_date_tells_no_time(
    headers: dict[str, str], answering: Answering
) -> None:
    """And is no reason to fail."""
    facts = Facts(Redactor())
    answering(httpx.Response(200, json=VERSIONS, headers=headers))
    assert _asked(facts).state is State.OK
    assert web.check_clock(facts).state is State.SKIPPED
