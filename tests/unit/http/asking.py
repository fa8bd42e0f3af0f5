"""What the tests of the seam ask with: one call, of a scripted service."""

from __future__ import annotations

import httpx
import pytest

from gcompute import http
from gcompute.calls import Call
from gcompute.errors import ComputeAPIError
from gcompute.login import Authorizer, Login
from tests.support.scripted_service import Answer, ScriptedService, StaticAuthorizer

VERSION = ("GET", "/v2/version")

#: Asked once, whatever the answer.
ASK = Call("service.get_version", {})


def api_of(
    service: httpx.BaseTransport,
    authorizer: Authorizer | None = None,
    base_url: str = "http://service.test",
) -> http.ServiceAPI:
    """Make the seam to a service; it waits for nothing."""
    return http.ServiceAPI(
        base_url,
        Login(authorizer=authorizer or StaticAuthorizer()),
        transport=service,
        sleep=lambda _seconds: None,
    )


def answering(answer: Answer) -> http.ServiceAPI:
    """Make the seam to a service that always answers the same."""
    return api_of(ScriptedService({VERSION: answer}))


def error_of(answer: httpx.Response) -> ComputeAPIError:
    """Give the error that an answer becomes."""
    with pytest.raises(ComputeAPIError) as caught:
        answering(answer).call(ASK)
    return caught.value
