"""Endpoints that demand a login which meets a policy: the service answers 403 with a GARE."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from gcompute import Client
from gcompute.errors import LoginRequired, PermissionDenied
from gcompute.local import LocalService
from gcompute.login import Login
from tests.scenarios.login.person import Person

POLICY = "60000000-0000-4000-8000-000000000006"


@pytest.fixture
def guarded(service: LocalService) -> str:
    """An endpoint whose users must meet a policy; nobody runs it."""
    return _guarded(service, f"Bearer {service.token}")


def _guarded(service: LocalService, header: str | None) -> str:
    answer = httpx.post(
        f"{service.url}/v3/endpoints",
        headers={"Authorization": str(header)},
        json={"endpoint_name": "guarded", "metadata": {}, "authentication_policy": POLICY},
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["endpoint_id"])


def _policies(address: str) -> list[str]:
    return parse_qs(urlsplit(address).query).get("session_required_policies", [])


def test_a_person_logs_in_again_and_the_task_is_taken(
    client: Client, person: Person, guarded: str
) -> None:
    """The second login asks for the policy, and says why; the submit is repeated once."""
    function = client.register_function(abs)
    assert uuid.UUID(client.run(-1, endpoint_id=guarded, function_id=function))
    assert [_policies(address) for address in person.asked] == [[], [POLICY]]
    assert f"requires a login that meets the policy {POLICY}" in person.screen.getvalue()
    client.run(-1, endpoint_id=guarded, function_id=function)
    assert len(person.asked) == 2


def test_many_threads_log_in_again_once(client: Client, person: Person, guarded: str) -> None:
    """All are refused; one person types one code for all of them."""
    function = client.register_function(abs)

    def submit(_: int) -> str:
        return client.run(-1, endpoint_id=guarded, function_id=function)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(submit, range(6)))) == 6
    assert [_policies(address) for address in person.asked] == [[], [POLICY]]


def test_a_login_that_still_does_not_do_is_the_services_refusal(
    client: Client, person: Person, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more login, not one after the other."""
    function = client.register_function(abs)
    monkeypatch.setattr("tests.scenarios.login.person.httpx.post", _without_policies, raising=True)
    with pytest.raises(PermissionDenied, match="AUTHENTICATION_POLICY_UNMET"):
        client.run(-1, endpoint_id=guarded, function_id=function)
    assert len(person.asked) == 2


def _without_policies(address: str, **more: object) -> httpx.Response:
    url = httpx.URL(address).copy_remove_param("session_required_policies")
    return httpx.request("POST", url, **more)  # type: ignore[arg-type]


def test_where_nobody_can_log_in_the_error_says_why(
    client: Client, person: Person, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the service demands, and what helps."""
    function = client.register_function(abs)
    person.leave(monkeypatch)
    with pytest.raises(LoginRequired, match=f"meets the policy {POLICY}"):
        client.run(-1, endpoint_id=guarded, function_id=function)


def test_a_program_cannot_meet_a_policy(
    service: LocalService, client: Client, credentials: tuple[str, str]
) -> None:
    """It logs in again, in vain, and the service's refusal is the error."""
    login = Login()
    guarded = _guarded(service, login.authorize().header)
    login.close()
    function = client.register_function(abs)
    with pytest.raises(PermissionDenied, match="AUTHENTICATION_POLICY_UNMET"):
        client.run(-1, endpoint_id=guarded, function_id=function)


def test_with_an_authorizer_the_refusal_is_the_users_to_see(
    service: LocalService, person: Person, guarded: str
) -> None:
    """Its token is not ours to replace."""
    import globus_sdk

    login = Login()
    token = str(login.authorize().header).removeprefix("Bearer ")
    login.close()
    client = Client(base_url=service.url, authorizer=globus_sdk.AccessTokenAuthorizer(token))
    function = client.register_function(abs)
    with pytest.raises(PermissionDenied, match="AUTHENTICATION_POLICY_UNMET"):
        client.run(-1, endpoint_id=guarded, function_id=function)
    client.close()
    assert len(person.asked) == 1
