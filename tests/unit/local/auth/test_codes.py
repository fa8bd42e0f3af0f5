"""Authorization codes: for one client, one address, one verifier, once, and for ten minutes."""

from __future__ import annotations

import dataclasses

import pytest

from gcompute.local.auth.codes import Authorization, Codes, challenge_of
from gcompute.local.auth.failures import AuthFailure

#: The example of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

ASKED = Authorization("client", "http://localhost:1/", "openid", CHALLENGE)
NOW = 1000.0


def test_the_challenge_is_the_one_of_the_rfc() -> None:
    """SHA-256, in base64 without padding."""
    assert challenge_of(VERIFIER) == CHALLENGE


def test_a_code_gives_what_was_asked_for_once() -> None:
    """Who has overheard it comes too late."""
    codes = Codes()
    code = codes.issue(ASKED, "user", NOW)
    redeemed = codes.redeem(code, "client", "http://localhost:1/", VERIFIER, NOW + 599)
    assert redeemed == (ASKED, "user")
    with pytest.raises(AuthFailure, match="unknown, used or expired"):
        codes.redeem(code, "client", "http://localhost:1/", VERIFIER, NOW + 599)


@pytest.mark.parametrize(
    ("client", "address", "verifier"),
    [
        ("other", "http://localhost:1/", VERIFIER),
        ("client", "http://localhost:2/", VERIFIER),
        ("client", "http://localhost:1/", "another"),
        ("client", "http://localhost:1/", ""),
        ("client", "http://localhost:1/", "é"),
    ],
)
def test_a_code_is_nobody_elses(client: str, address: str, verifier: str) -> None:
    """An attempt by somebody else uses it up."""
    codes = Codes()
    code = codes.issue(ASKED, "user", NOW)
    with pytest.raises(AuthFailure, match="another request") as refused:
        codes.redeem(code, client, address, verifier, NOW)
    assert refused.value.error == "invalid_grant"
    with pytest.raises(AuthFailure, match="used"):
        codes.redeem(code, "client", "http://localhost:1/", VERIFIER, NOW)


def test_a_code_expires() -> None:
    """After ten minutes, also where others are made in between."""
    codes = Codes()
    code = codes.issue(ASKED, "user", NOW)
    other = codes.issue(dataclasses.replace(ASKED, client_id="other"), "user", NOW + 600)
    assert other != code
    with pytest.raises(AuthFailure, match="expired"):
        codes.redeem(code, "client", "http://localhost:1/", VERIFIER, NOW + 600)
