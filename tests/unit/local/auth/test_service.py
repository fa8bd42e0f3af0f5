"""Tokens: who gets which, whom they stand for, and when they end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from gcompute.local.auth import AuthService
from gcompute.local.auth.codes import Authorization, challenge_of
from gcompute.local.auth.failures import AuthFailure
from gcompute.local.identities import Identities
from gcompute.local.store import Store
from gcompute.local.user import User
from gcompute.protocol import COMPUTE_SCOPE, NATIVE_CLIENT_ID

ISSUER = "http://127.0.0.1:1"
ADDRESS = "http://localhost:2/"
NOW = 1_000_000.0
LIFETIME_S = 100.0
BOTH = f"openid {COMPUTE_SCOPE}"
ASKED = Authorization(NATIVE_CLIENT_ID, ADDRESS, BOTH, challenge_of("verifier"), offline=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def users(store: Store) -> Identities:
    """Two users of a service."""
    return Identities(store, [User("ada"), User("bob")])


@pytest.fixture
def auth(store: Store, users: Identities) -> Auth:
    """The Globus Auth of their service."""
    return Auth(store, users)


class Auth(AuthService):
    """A Globus Auth whose users are known to the test."""

    def __init__(self, store: Store, users: Identities) -> None:
        super().__init__(store, users, LIFETIME_S)
        self.ada, self.bob = users
        self.client_id, self.client_secret = self.ada.client.id, self.ada.client_secret


def _log_in(
    auth: Auth, asked: Authorization = ASKED, now: float = NOW, password: str | None = None
) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "client_id": asked.client_id,
        "code": auth.authorize(asked, password or auth.ada.token, now),
        "redirect_uri": ADDRESS,
        "code_verifier": "verifier",
    }
    return auth.tokens(form, None, ISSUER, now)


def _by_server(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {token["resource_server"]: token for token in (answer, *answer["other_tokens"])}


def _refresh(auth: Auth, token: str, now: float, client: str = NATIVE_CLIENT_ID) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client}
    return auth.tokens(form, None, ISSUER, now)


def _as_program(auth: Auth, scope: str, now: float = NOW) -> dict[str, Any]:
    basic = (auth.client_id, auth.client_secret)
    return auth.tokens({"grant_type": "client_credentials", "scope": scope}, basic, ISSUER, now)


def test_a_person_gets_a_token_for_each_server(auth: Auth) -> None:
    """With one that says who he is, signed by the key that the service shows."""
    answer = _log_in(auth)
    tokens = _by_server(answer)
    assert {server: token["scope"] for server, token in tokens.items()} == {
        "auth.globus.org": "openid",
        "funcx_service": COMPUTE_SCOPE,
    }
    assert auth.caller(tokens["funcx_service"]["access_token"], NOW) == (auth.ada.user, frozenset())
    assert auth.userinfo(tokens["auth.globus.org"]["access_token"], NOW) == {
        "sub": auth.ada.user.id,
        "identity_set": [{"sub": auth.ada.user.id, "username": "ada@localhost"}],
    }
    key = jwt.PyJWKSet.from_dict(auth.key.public()).keys[0]
    claims = jwt.decode(
        answer["id_token"],
        key,
        audience=NATIVE_CLIENT_ID,
        issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sub"] == auth.ada.user.id


def test_refresh_tokens_are_for_who_asked_for_them(auth: Auth) -> None:
    """Not for a login that is to end with its access token."""
    answer = _log_in(auth, dataclasses.replace(ASKED, offline=False))
    assert all("refresh_token" not in token for token in _by_server(answer).values())


def test_only_who_has_a_token_logs_in(auth: Auth) -> None:
    """Anybody on the machine can reach the page; the secret of a client is no token."""
    for wrong in ("", "é", auth.ada.token + " ", auth.client_secret):
        with pytest.raises(AuthFailure, match="nobody's token") as refused:
            auth.authorize(ASKED, wrong, NOW)
        assert refused.value.http_status == 403


def test_the_token_says_which_user_logs_in(auth: Auth) -> None:
    """Each gets tokens that stand for himself."""
    for identity in (auth.bob, auth.ada):
        tokens = _by_server(_log_in(auth, password=identity.token))
        caller = auth.caller(tokens["funcx_service"]["access_token"], NOW)
        assert caller == (identity.user, frozenset())
        told = auth.userinfo(tokens["auth.globus.org"]["access_token"], NOW)
        assert told["sub"] == identity.user.id


def test_who_is_no_user_any_more_has_no_valid_token(auth: Auth, store: Store) -> None:
    """What he was given before stands for nobody, until he is a user again."""
    tokens = _by_server(_log_in(auth, password=auth.bob.token))
    without = Identities(store, [User("ada")])
    later = AuthService(store, without, LIFETIME_S)
    assert later.caller(tokens["funcx_service"]["access_token"], NOW) is None
    with pytest.raises(AuthFailure, match="not valid here"):
        later.userinfo(tokens["auth.globus.org"]["access_token"], NOW)
    with pytest.raises(AuthFailure, match="nobody's token"):
        later.authorize(ASKED, auth.bob.token, NOW)
    assert {auth.bob.user.id, auth.bob.client.id} == set(without.former)
    again = AuthService(store, Identities(store, [User("bob")]), LIFETIME_S)
    assert again.caller(tokens["funcx_service"]["access_token"], NOW) is not None


def test_a_program_is_an_identity_of_its_own(auth: Auth) -> None:
    """Known by the id of the client."""
    token = _as_program(auth, COMPUTE_SCOPE)
    assert "refresh_token" not in token
    caller = auth.caller(token["access_token"], NOW)
    assert caller is not None
    assert caller[0].id == auth.client_id


@pytest.mark.parametrize(
    "basic",
    [
        ("{id}", "wrong"),
        ("{id}", ""),
        ("{id}", "{other}"),
        (NATIVE_CLIENT_ID, "{secret}"),
        (NATIVE_CLIENT_ID, ""),
        ("é", "é"),
    ],
)
def test_a_wrong_secret_gets_nothing(auth: Auth, basic: tuple[str, str]) -> None:
    """Nor the right one of another client."""
    client_id, secret = (
        text.format(id=auth.client_id, secret=auth.client_secret, other=auth.bob.client_secret)
        for text in basic
    )
    form = {"grant_type": "client_credentials", "scope": COMPUTE_SCOPE}
    with pytest.raises(AuthFailure, match="not known here") as refused:
        auth.tokens(form, (client_id, secret), ISSUER, NOW)
    assert (refused.value.http_status, refused.value.error) == (401, "invalid_client")


@pytest.mark.parametrize("client_id", ["", "no uuid", "{ours}"])
def test_a_client_without_a_secret_is_any_uuid_but_ours(auth: Auth, client_id: str) -> None:
    """The client with a secret must show it."""
    form = {"grant_type": "refresh_token", "client_id": client_id.format(ours=auth.client_id)}
    with pytest.raises(AuthFailure, match="not known here"):
        auth.tokens(form, None, ISSUER, NOW)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
    ],
)
def test_requests_that_lack_something_are_refused(
    auth: AuthService, form: dict[str, str], error: str
) -> None:
    """By the names of OAuth."""
    with pytest.raises(AuthFailure) as refused:
        auth.tokens({"client_id": NATIVE_CLIENT_ID} | form, None, ISSUER, NOW)
    assert refused.value.error == error


def test_a_program_must_say_what_for(auth: Auth) -> None:
    """No scope, no token."""
    with pytest.raises(AuthFailure, match="no scope"):
        _as_program(auth, "")


# Their end


def test_an_access_token_ends_by_time(auth: Auth) -> None:
    """To the second that its answer told."""
    answer = _as_program(auth, COMPUTE_SCOPE)
    assert answer["expires_in"] == LIFETIME_S
    assert auth.caller(answer["access_token"], NOW + LIFETIME_S - 1) is not None
    assert auth.caller(answer["access_token"], NOW + LIFETIME_S) is None


def test_a_refresh_token_gives_others_and_stays(auth: Auth) -> None:
    """For the same person, server and scope, again and again."""
    first = _by_server(_log_in(auth))["funcx_service"]
    late = NOW + 10_000 * LIFETIME_S
    for _ in range(2):
        answer = _refresh(auth, first["refresh_token"], late)
        assert answer["refresh_token"] == first["refresh_token"]
        assert answer["access_token"] != first["access_token"]
        assert answer["scope"] == COMPUTE_SCOPE
        assert auth.caller(answer["access_token"], late) == (auth.ada.user, frozenset())
    assert auth.caller(first["access_token"], late) is None


def test_a_refresh_token_is_one_clients(auth: Auth) -> None:
    """And an access token is none."""
    token = _by_server(_log_in(auth))["funcx_service"]
    other = "80000000-0000-4000-8000-000000000008"
    for text, client in ((token["refresh_token"], other), (token["access_token"], None)):
        with pytest.raises(AuthFailure, match="unknown or revoked"):
            _refresh(auth, text, NOW, client or NATIVE_CLIENT_ID)


def test_revoking_ends_what_came_of_a_token(auth: Auth) -> None:
    """An access token ends alone; a refresh token with all access tokens of its server."""
    tokens = _by_server(_log_in(auth))
    token = tokens["funcx_service"]
    second = _refresh(auth, token["refresh_token"], NOW)
    form = {"client_id": NATIVE_CLIENT_ID}
    auth.revoke(form | {"token": token["access_token"]}, None)
    assert auth.caller(token["access_token"], NOW) is None
    assert auth.caller(second["access_token"], NOW) is not None
    auth.revoke(form | {"token": token["refresh_token"]}, None)
    assert auth.caller(second["access_token"], NOW) is None
    with pytest.raises(AuthFailure):
        _refresh(auth, token["refresh_token"], NOW)
    assert auth.userinfo(tokens["auth.globus.org"]["access_token"], NOW)


def test_only_its_client_revokes_a_token(auth: Auth) -> None:
    """What is not valid is nobody's, and no error."""
    token = _by_server(_log_in(auth))["funcx_service"]
    basic = (auth.client_id, auth.client_secret)
    auth.revoke({"token": token["access_token"]}, basic)
    auth.revoke({"token": "unknown"}, basic)
    assert auth.caller(token["access_token"], NOW) is not None


def test_the_store_has_no_token(auth: Auth, tmp_path: Path) -> None:
    """Who reads the state file cannot use what he finds of them."""
    answer = _log_in(auth)
    texts = [
        t[key] for t in _by_server(answer).values() for key in ("access_token", "refresh_token")
    ]
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert NATIVE_CLIENT_ID.encode() in content
    assert not [text for text in texts if text.encode() in content]


# What they are good for


def test_a_token_is_for_one_server(auth: Auth) -> None:
    """The service takes none of Globus Auth, and Globus Auth none of the service."""
    tokens = _by_server(_log_in(auth))
    assert auth.caller(tokens["auth.globus.org"]["access_token"], NOW) is None
    for text in (tokens["funcx_service"]["access_token"], "unknown"):
        with pytest.raises(AuthFailure, match="not valid here"):
            auth.userinfo(text, NOW)
        with pytest.raises(AuthFailure, match="not valid here"):
            auth.identities(text, [auth.ada.user.id], NOW)
    assert auth.caller(tokens["funcx_service"]["refresh_token"], NOW) is None


def test_scopes_decide_what_is_told(auth: Auth) -> None:
    """The id and the identities always; names and addresses for their scopes."""
    token = _log_in(auth, dataclasses.replace(ASKED, scope="openid profile email"))
    assert auth.userinfo(token["access_token"], NOW) == {
        "sub": auth.ada.user.id,
        "identity_set": [{"sub": auth.ada.user.id, "username": "ada@localhost"}],
        "name": "ada",
        "preferred_username": "ada@localhost",
        "email": "ada@localhost",
    }


def test_identities_are_found_by_id(auth: Auth) -> None:
    """Those that are known, in the order of the request."""
    token = _as_program(auth, "openid")["access_token"]
    found = auth.identities(token, [auth.client_id, "unknown", auth.ada.user.id], NOW)["identities"]
    assert [identity["id"] for identity in found] == [auth.client_id, auth.ada.user.id]


def test_the_policies_that_a_login_met_stay_with_its_tokens(auth: Auth) -> None:
    """Also with those that the refresh token gives."""
    policies = frozenset({"p", "q"})
    token = _by_server(_log_in(auth, dataclasses.replace(ASKED, policies=policies)))
    for answer in (
        token["funcx_service"],
        _refresh(auth, token["funcx_service"]["refresh_token"], NOW),
    ):
        assert auth.caller(answer["access_token"], NOW) == (auth.ada.user, policies)


def test_the_same_store_has_the_same_clients(auth: Auth, store: Store) -> None:
    """A service that starts again keeps its credentials and what it gave out."""
    token = _as_program(auth, COMPUTE_SCOPE)["access_token"]
    again = Auth(store, Identities(store, [User("ada"), User("bob")]))
    assert (again.client_id, again.client_secret) == (auth.client_id, auth.client_secret)
    assert again.caller(token, NOW) == auth.caller(token, NOW)
