"""Scopes sorted by the server that they are for."""

from __future__ import annotations

import pytest

from gcompute.local.auth.failures import AuthFailure
from gcompute.local.auth.scopes import by_resource_server
from gcompute.protocol import COMPUTE_SCOPE

TRANSFER = "urn:globus:auth:scope:transfer.api.globus.org:all"
FLOW = "https://auth.globus.org/scopes/1a57bbe5-5272-477f-9d31-343b8258b7a5/flow_run"


def test_each_scope_belongs_to_one_server() -> None:
    """In the order of the request, each once."""
    requested = f"{COMPUTE_SCOPE} openid {TRANSFER} email openid {FLOW}"
    assert by_resource_server(requested) == {
        "funcx_service": [COMPUTE_SCOPE],
        "auth.globus.org": ["openid", "email"],
        "transfer.api.globus.org": [TRANSFER],
        "1a57bbe5-5272-477f-9d31-343b8258b7a5": [FLOW],
    }


def test_what_a_scope_depends_on_is_no_scope_of_the_answer() -> None:
    """Brackets may be nested, and hold whatever there is."""
    requested = f"{TRANSFER}[*urn:a:b c[d e]] openid"
    assert by_resource_server(requested) == {
        "transfer.api.globus.org": [TRANSFER],
        "auth.globus.org": ["openid"],
    }


@pytest.mark.parametrize("scope", ["root", "urn:globus:auth:scope:x", "https://example.org/all"])
def test_a_scope_that_is_spelled_like_none_is_refused(scope: str) -> None:
    """By its name."""
    with pytest.raises(AuthFailure, match=scope) as refused:
        by_resource_server(f"openid {scope}")
    assert refused.value.body()["error"] == "invalid_scope"
