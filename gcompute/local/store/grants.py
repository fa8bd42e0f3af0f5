"""Tokens that the service's own Globus Auth has issued, as hashes.

What is kept of a token cannot be used as one: the column is the SHA-256 of its text. All tokens
of one login and one resource server share a grant, so that revoking the refresh token ends the
access tokens that came of it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import Literal

#: Expiry of a token that does not expire by time.
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for."""

    #: Common to the tokens of one login at one resource server.
    id: str
    user_id: str
    #: The client that it was issued to; only that one may refresh or revoke it.
    client_id: str
    resource_server: str
    #: Scopes, separated by spaces.
    scope: str
    #: Authentication policies that the login met.
    policies: frozenset[str] = frozenset()


class Grants:
    """The table ``auth_tokens``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(
        self, token: str, kind: Literal["access", "refresh"], grant: Grant, expires_at: float
    ) -> None:
        """Keep a token; ``expires_at`` is a Unix time in seconds."""
        self._connection.execute(
            "INSERT INTO auth_tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _hash(token),
                kind,
                grant.id,
                grant.user_id,
                grant.client_id,
                grant.resource_server,
                grant.scope,
                json.dumps(sorted(grant.policies)),
                expires_at,
            ),
        )

    def find(self, token: str, kind: Literal["access", "refresh"], now: float) -> Grant | None:
        """Find what a token stands for; ``None`` for one that is unknown, revoked or expired."""
        row = self._connection.execute(
            "SELECT grant_id, user_id, client_id, resource_server, scope, policies "
            "FROM auth_tokens WHERE hash = ? AND kind = ? AND expires_at > ?",
            (_hash(token), kind, now),
        ).fetchone()
        if row is None:
            return None
        grant_id, user_id, client_id, resource_server, scope, policies = row
        return Grant(
            grant_id, user_id, client_id, resource_server, scope, frozenset(json.loads(policies))
        )

    def revoke(self, token: str, client_id: str) -> None:
        """End a token of a client; with a refresh token all that came of it."""
        row = self._connection.execute(
            "SELECT kind, grant_id FROM auth_tokens WHERE hash = ? AND client_id = ?",
            (_hash(token), client_id),
        ).fetchone()
        if row is None:
            return
        kind, grant_id = row
        if kind == "refresh":
            self._connection.execute("DELETE FROM auth_tokens WHERE grant_id = ?", (grant_id,))
        else:
            self._connection.execute("DELETE FROM auth_tokens WHERE hash = ?", (_hash(token),))

    def forget_expired(self, now: float) -> None:
        """Delete what no longer stands for anything."""
        self._connection.execute("DELETE FROM auth_tokens WHERE expires_at <= ?", (now,))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
