"""The service's Globus Auth over bare HTTP: what it refuses, and where it sends codes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gcompute.local import LocalService
from gcompute.protocol import COMPUTE_SCOPE, NATIVE_CLIENT_ID

_ASKED = {
    "client_id": NATIVE_CLIENT_ID,
    "redirect_uri": "http://localhost:1/",
    "response_type": "code",
    "scope": COMPUTE_SCOPE,
    "code_challenge": "x",
    "code_challenge_method": "S256",
}


@pytest.fixture
def http(service: LocalService) -> Iterator[httpx.Client]:
    """A client of the bare service."""
    with httpx.Client(base_url=service.url, timeout=30) as made:
        yield made


def test_the_login_page_asks_for_the_services_token(
    http: httpx.Client, service: LocalService
) -> None:
    """Nothing happens by looking at it; a wrong token is asked for again."""
    page = http.get("/v2/oauth2/authorize", params=_ASKED)
    assert page.status_code == 200
    assert 'type="password"' in page.text
    refused = http.post("/v2/oauth2/authorize", params=_ASKED, data={"token": "wrong"})
    assert refused.status_code == 403
    assert 'type="password"' in refused.text
    assert "location" not in refused.headers
    done = http.post(
        "/v2/oauth2/authorize", params=_ASKED | {"state": "a&b"}, data={"token": service.token}
    )
    assert done.status_code == 303
    target = httpx.URL(done.headers["location"])
    assert (target.host, target.port, target.params["state"]) == ("localhost", 1, "a&b")
    assert target.params["code"]


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "http://example.org/"},
        {"redirect_uri": "http://localhost.example.org/"},
        {"redirect_uri": "https://localhost/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://localhost:1/?x=1"},
        {"redirect_uri": ""},
        {"redirect_uri": "http://["},
        {"redirect_uri": "http://\u2100/"},
        {"redirect_uri": "http://localhost:port/"},
        {"redirect_uri": "http://localhost:99999/"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"client_id": "nobody"},
    ],
    ids=lambda change: "-".join(map(str, *change.items())),
)
def test_a_login_that_could_send_its_code_elsewhere_is_refused(
    http: httpx.Client, service: LocalService, change: dict[str, str]
) -> None:
    """Also with the right token; the answer sends nobody anywhere."""
    for answer in (
        http.get("/v2/oauth2/authorize", params=_ASKED | change),
        http.post("/v2/oauth2/authorize", params=_ASKED | change, data={"token": service.token}),
    ):
        assert answer.status_code in (400, 401)
        assert "location" not in answer.headers


def test_the_page_shows_a_code_as_text(http: httpx.Client) -> None:
    """Whatever the address has in it."""
    page = http.get("/v2/web/auth-code", params={"code": "<script>"})
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        ({"data": {"grant_type": "refresh_token"}}, 401, "invalid_client"),
        ({"content": b"\xff"}, 400, "invalid_request"),
        ({"content": b"x" * 70_000}, 413, "invalid_request"),
        ({"headers": {"Authorization": "Basic !"}}, 401, "invalid_client"),
        (
            {"headers": {"Authorization": "Basic " + base64.b64encode(b"\xff").decode()}},
            401,
            "invalid_client",
        ),
    ],
    ids=["no client", "no text", "too long", "no base64", "no text in base64"],
)
def test_odd_requests_for_tokens_are_refused(
    http: httpx.Client, request_: dict[str, Any], status: int, error: str
) -> None:
    """By name, and not kept by anybody in between."""
    answer = http.post("/v2/oauth2/token", **request_)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/v2/oauth2/userinfo", "/v2/api/identities?ids=x"])
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic eDp5"])
def test_nobody_learns_of_identities_without_a_token(
    http: httpx.Client, path: str, header: str | None
) -> None:
    """401, by the name that OAuth has for it."""
    headers = {} if header is None else {"Authorization": header}
    answer = http.get(path, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_the_configuration_leads_to_what_there_is(http: httpx.Client) -> None:
    """Every address in it is answered."""
    document = http.get("/.well-known/openid-configuration").json()
    assert document["issuer"] == str(http.base_url).rstrip("/")
    for name, address in document.items():
        if name.endswith(("_endpoint", "_uri")):
            assert http.get(address).status_code != 404, name
