"""What a refused request demands of the next login."""

from __future__ import annotations

from typing import Any

import pytest

from gcompute.login.requirements import demanded_logins

POLICY = "60000000-0000-4000-8000-000000000006"


def _gare(**parameters: Any) -> dict[str, Any]:
    return {"code": "AuthorizationRequired", "authorization_parameters": parameters}


def test_the_parameters_of_the_login_are_read() -> None:
    """With what the service says about why."""
    (login,) = demanded_logins(
        _gare(session_required_policies=[POLICY], session_message="for your safety")
        | {"status": "Failed", "http_status_code": 403}
    )
    assert login.session_required_policies == [POLICY]
    assert login.session_message == "for your safety"


def test_the_reason_of_the_answer_stands_in_for_a_message() -> None:
    """The service's own error body has one."""
    (login,) = demanded_logins(_gare(session_required_mfa=True) | {"reason": "MFA is needed"})
    assert login.session_message == "MFA is needed"
    (login,) = demanded_logins(_gare(session_required_mfa=True) | {"reason": ["odd"]})
    assert login.session_message is None


def test_an_answer_may_demand_several() -> None:
    """In their order; what is none is passed over."""
    document = {
        "errors": [
            _gare(required_scopes=["urn:globus:auth:scope:transfer.api.globus.org:all"]),
            {"code": "Other", "message": "no"},
            "odd",
            _gare(session_required_policies=[POLICY]),
        ]
    }
    first, second = demanded_logins(document)
    assert first.required_scopes == ["urn:globus:auth:scope:transfer.api.globus.org:all"]
    assert second.session_required_policies == [POLICY]


def test_the_older_spelling_of_a_missing_consent_is_understood() -> None:
    """``globus_sdk`` knows the variants that services have sent before."""
    (login,) = demanded_logins({"code": "ConsentRequired", "required_scopes": ["openid"]})
    assert login.required_scopes == ["openid"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {},
        {"code": "ENDPOINT_ACCESS_FORBIDDEN", "reason": "no"},
        {"code": "x", "authorization_parameters": "odd"},
        {"code": "x", "authorization_parameters": {"session_required_policies": 3}},
        {"errors": None},
        {"errors": [None, 1]},
    ],
)
def test_any_other_answer_demands_nothing(document: object) -> None:
    """Whatever it looks like."""
    assert demanded_logins(document) == []
