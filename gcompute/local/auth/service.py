"""Who may have which token, and whom a token stands for.

:class:`AuthService` belongs to the event loop and does no I/O but the store's. Every method is
told the time (Unix time in seconds) and raises :class:`~.failures.AuthFailure` for what it
refuses. Tokens are random text; the store has their hashes.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gcompute.local.store.grants import NEVER, Grant
from gcompute.local.store.users import User
from gcompute.protocol import COMPUTE_RESOURCE_SERVER, COMPUTE_SCOPE

from . import failures
from .codes import Authorization, Codes
from .scopes import AUTH_RESOURCE_SERVER, by_resource_server
from .signing import SigningKey

if TYPE_CHECKING:
    from gcompute.local.identities import Identities
    from gcompute.local.store import Store


class AuthService:
    """The tokens of one local service.

    Args:
        store: where tokens are kept.
        identities: who may have some: persons, who prove who they are by their tokens of the
            service, and their clients, which have secrets.
        token_lifetime_s: how long an access token is valid, in seconds.
    """

    def __init__(self, store: Store, identities: Identities, token_lifetime_s: float) -> None:
        self._store = store
        self._identities = identities
        self._lifetime_s = token_lifetime_s
        self._codes = Codes()
        self.key = SigningKey()

    # -- whom a token stands for ------------------------------------------------------------

    def caller(self, token: str, now: float) -> tuple[User, frozenset[str]] | None:
        """Tell whom a token of the web service stands for, and which policies his login met."""
        grant = self._store.grants.find(token, "access", now)
        if grant is None or grant.resource_server != COMPUTE_RESOURCE_SERVER:
            return None
        if COMPUTE_SCOPE not in grant.scope.split():
            return None
        user = self._identities.find(grant.user_id)
        return None if user is None else (user, grant.policies)

    def userinfo(self, token: str, now: float) -> dict[str, Any]:
        """Tell who has a token, as far as its scopes allow."""
        grant = self._of_auth(token, now)
        user = self._identities.find(grant.user_id)
        if user is None:
            raise failures.invalid_token()
        identity = self._described(user)
        scopes = grant.scope.split()
        answer: dict[str, Any] = {
            "sub": identity["id"],
            # Nobody here has linked another identity.
            "identity_set": [{"sub": identity["id"], "username": identity["username"]}],
        }
        if "profile" in scopes:
            answer |= {"name": identity["name"], "preferred_username": identity["username"]}
        if "email" in scopes:
            answer["email"] = identity["email"]
        return answer

    def identities(self, token: str, ids: list[str], now: float) -> dict[str, Any]:
        """Show identities by id, for who has any token for Globus Auth."""
        self._of_auth(token, now)
        known = [found for id_ in ids if (found := self._identities.find(id_)) is not None]
        return {"identities": [self._described(user) for user in known]}

    def _of_auth(self, token: str, now: float) -> Grant:
        grant = self._store.grants.find(token, "access", now)
        if grant is None or grant.resource_server != AUTH_RESOURCE_SERVER:
            raise failures.invalid_token()
        return grant

    def _described(self, user: User) -> dict[str, Any]:
        person = self._identities.by_client(user.id) is None
        return {
            "id": user.id,
            "username": f"{user.name}@localhost" if person else user.name,
            "name": user.name if person else None,
            "email": f"{user.name}@localhost" if person else None,
            "organization": None,
            "status": "used",
        }

    # -- a person logs in -------------------------------------------------------------------

    def authorize(self, authorization: Authorization, password: str, now: float) -> str:
        """Give the code for a person who proves who he is: the token says which user.

        Raises:
            AuthFailure: 403, he does not.
        """
        by_resource_server(authorization.scope)
        identity = self._identities.by_token(password)
        if identity is None:
            raise failures.AuthFailure(403, "access_denied", "this is nobody's token here")
        return self._codes.issue(authorization, identity.user.id, now)

    # -- tokens -----------------------------------------------------------------------------

    def tokens(
        self, form: Mapping[str, str], basic: tuple[str, str] | None, issuer: str, now: float
    ) -> dict[str, Any]:
        """Answer a request for tokens, by its ``grant_type``.

        Args:
            form: the fields of the request.
            basic: id and secret of the client, where the request has them.
            issuer: the address that this service is asked at.
            now: the time.
        """
        client_id = self.check_client(form, basic)
        kind = form.get("grant_type")
        with self._store.transaction():
            self._store.grants.forget_expired(now)
            if kind == "authorization_code":
                return self._exchange(form, client_id, issuer, now)
            if kind == "refresh_token":
                return self._refresh(form.get("refresh_token", ""), client_id, now)
            if kind == "client_credentials" and basic is not None:
                return self._issue(form.get("scope", ""), client_id, client_id, now)
        raise failures.AuthFailure(400, "unsupported_grant_type", f"no grant type {kind!r}")

    def revoke(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> None:
        """End a token; one that is not valid is none already."""
        client_id = self.check_client(form, basic)
        with self._store.transaction():
            self._store.grants.revoke(form.get("token", ""), client_id)

    def check_client(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> str:
        """Give the client that asks. Any UUID may be a client without a secret, but ours."""
        if basic is not None:
            client_id, secret = basic
            owner = self._identities.by_client(client_id)
            # An unknown client costs the same comparison as a wrong secret.
            expected = "" if owner is None else owner.client_secret
            if not hmac.compare_digest(secret.encode(), expected.encode()) or owner is None:
                raise failures.invalid_client()
            return client_id
        client_id = form.get("client_id", "")
        if self._identities.by_client(client_id) is not None or not _is_uuid(client_id):
            raise failures.invalid_client()
        return client_id

    def _exchange(
        self, form: Mapping[str, str], client_id: str, issuer: str, now: float
    ) -> dict[str, Any]:
        authorization, user_id = self._codes.redeem(
            form.get("code", ""),
            client_id,
            form.get("redirect_uri", ""),
            form.get("code_verifier", ""),
            now,
        )
        answer = self._issue(
            authorization.scope,
            user_id,
            client_id,
            now,
            offline=authorization.offline,
            policies=authorization.policies,
        )
        if "openid" in authorization.scope.split():
            times = {"iat": int(now), "exp": int(now) + 600}
            claims = {"iss": issuer, "aud": client_id, "sub": user_id} | times
            answer["id_token"] = self.key.sign(claims)
        return answer

    def _refresh(self, refresh_token: str, client_id: str, now: float) -> dict[str, Any]:
        grant = self._store.grants.find(refresh_token, "refresh", now)
        if grant is None or grant.client_id != client_id:
            raise failures.invalid_grant("the refresh token is unknown or revoked")
        return self._access(grant, now) | {"refresh_token": refresh_token}

    def _issue(
        self,
        scope: str,
        user_id: str,
        client_id: str,
        now: float,
        *,
        offline: bool = False,
        policies: frozenset[str] = frozenset(),
    ) -> dict[str, Any]:
        """Issue a token for each resource server, the first with the others inside."""
        answers = []
        for server, scopes in by_resource_server(scope).items():
            grant = Grant(str(uuid.uuid4()), user_id, client_id, server, " ".join(scopes), policies)
            answer = self._access(grant, now)
            if offline:
                answer["refresh_token"] = secrets.token_urlsafe(32)
                self._store.grants.add(answer["refresh_token"], "refresh", grant, NEVER)
            answers.append(answer)
        if not answers:
            raise failures.invalid_request("no scope was asked for")
        return answers[0] | {"other_tokens": answers[1:]}

    def _access(self, grant: Grant, now: float) -> dict[str, Any]:
        token = secrets.token_urlsafe(32)
        self._store.grants.add(token, "access", grant, now + self._lifetime_s)
        return {
            "access_token": token,
            "scope": grant.scope,
            "resource_server": grant.resource_server,
            "expires_in": int(self._lifetime_s),
            "token_type": "Bearer",
            "other_tokens": [],
        }


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
