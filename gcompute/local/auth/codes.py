"""Authorization codes: made when a person logs in, exchanged once for tokens.

A code is bound to the client, the redirect address and the challenge of the request that it
answers (PKCE, RFC 7636), so that only who made that request can use it. Codes are kept in memory
only. Times are Unix times in seconds, told by the caller.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from .failures import invalid_grant

#: How long a person may take to bring a code back, in seconds.
_LIFETIME_S = 600.0


@dataclass(frozen=True, slots=True)
class Authorization:
    """A request to log in, as checked when its page was shown."""

    client_id: str
    redirect_uri: str
    scope: str
    #: Base64 of the verifier's SHA-256, without padding.
    challenge: str
    state: str | None = None
    #: Whether refresh tokens are wanted.
    offline: bool = False
    #: Authentication policies that this login is to meet.
    policies: frozenset[str] = frozenset()


class Codes:
    """The codes that were not used yet."""

    def __init__(self) -> None:
        #: By code: what it answers, who logged in, and when it expires.
        self._waiting: dict[str, tuple[Authorization, str, float]] = {}

    def issue(self, authorization: Authorization, user_id: str, now: float) -> str:
        """Make a code for a user who logged in."""
        self._waiting = {k: v for k, v in self._waiting.items() if v[2] > now}
        code = secrets.token_urlsafe(24)
        self._waiting[code] = (authorization, user_id, now + _LIFETIME_S)
        return code

    def redeem(
        self, code: str, client_id: str, redirect_uri: str, verifier: str, now: float
    ) -> tuple[Authorization, str]:
        """Use a code up; give what it answers, and the user.

        Raises:
            AuthFailure: it is not valid, or it is not this client's. It is used up all the same.
        """
        authorization, user_id, expires_at = self._waiting.pop(code, (None, "", 0.0))
        if authorization is None or expires_at <= now:
            raise invalid_grant("the code is unknown, used or expired")
        given = (client_id, redirect_uri, challenge_of(verifier))
        asked = (authorization.client_id, authorization.redirect_uri, authorization.challenge)
        if not all(
            hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(given, asked, strict=True)
        ):
            raise invalid_grant("the code was made for another request")
        return authorization, user_id


def challenge_of(verifier: str) -> str:
    """Give the challenge that a verifier answers. Source: RFC 7636, method ``S256``."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
