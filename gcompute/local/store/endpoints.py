"""Registered endpoints and what they last reported."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

#: An endpoint that is silent for so many seconds is offline. Source: ``docs/wire.md``.
OFFLINE_AFTER_S = 120.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered endpoint."""

    id: str
    owner: str
    #: The last registration request: ``endpoint_name``, ``metadata``, ``allowed_functions``, ...
    registration: dict[str, Any] = field(default_factory=dict)
    subscription_admin_verified: bool = False
    #: Unix time in seconds; 0 where it never was locked.
    locked_until: float = 0.0
    #: ``global_state`` of the last status report, ``None`` before the first.
    report: dict[str, Any] | None = None
    #: When that came: Unix time in seconds.
    reported_at: float | None = None

    @property
    def name(self) -> str:
        """The name that its owner gave it."""
        return str(self.registration["endpoint_name"])

    @property
    def display_name(self) -> str:
        """The name to show to people."""
        return str(self.registration.get("display_name") or self.name)

    @property
    def multi_user(self) -> bool:
        """Whether it starts endpoints for its users instead of running tasks itself."""
        return bool(self.registration.get("multi_user", False))

    @property
    def is_manager(self) -> bool:
        """Whether its agent takes commands to start user endpoints, and no tasks.

        The agent 4.19.0 does so for every endpoint that it was configured for, with many users
        or without; the latter it registers as any other, but with the template in the metadata.
        """
        return self.multi_user or self.metadata.get("user_config_template") is not None

    @property
    def manager(self) -> str | None:
        """The endpoint that starts this one, where it is a user endpoint."""
        return self.registration.get("manager")

    @property
    def high_assurance(self) -> bool:
        """Whether its results are protected data: only HTTP may carry them to users."""
        return bool(self.registration.get("high_assurance", False))

    @property
    def authentication_policy(self) -> str | None:
        """The policy that logins of its users must meet."""
        return self.registration.get("authentication_policy")

    @property
    def public(self) -> bool:
        """Whether everybody may see it."""
        return bool(self.registration.get("public", False))

    @property
    def metadata(self) -> dict[str, Any]:
        """What the endpoint tells about itself and its host."""
        return self.registration.get("metadata") or {}

    @property
    def allowed_functions(self) -> list[str] | None:
        """The only functions that it runs; ``None`` for no restriction."""
        return self.registration.get("allowed_functions")

    def administered_by(self, user_id: str) -> bool:
        """Tell whether a user owns or administers it."""
        return user_id == self.owner or user_id in (self.registration.get("admins") or ())

    def is_online(self, now: float) -> bool:
        """Tell whether it is at work: it reported lately, and not that it is shutting down."""
        if self.report is None or self.reported_at is None:
            return False
        shutting_down = self.report.get("heartbeat_period") == 0
        return not shutting_down and now - self.reported_at < OFFLINE_AFTER_S


_COLUMNS = "id, owner, registration, subscription_admin_verified, locked_until, report, reported_at"


class Endpoints:
    """The table ``endpoints``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def register(
        self, endpoint_id: str, owner: str, registration: dict[str, Any], now: float
    ) -> None:
        """Add an endpoint, or replace its registration."""
        self._connection.execute(
            "INSERT INTO endpoints (id, owner, registration, high_assurance, registered_at) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "registration = excluded.registration, high_assurance = excluded.high_assurance, "
            "registered_at = excluded.registered_at, deleted_at = NULL",
            (
                endpoint_id,
                owner,
                json.dumps(registration),
                bool(registration.get("high_assurance", False)),
                now,
            ),
        )

    def give(self, endpoint_id: str, owner: str) -> None:
        """Make a known endpoint somebody's."""
        self._connection.execute(
            "UPDATE endpoints SET owner = ? WHERE id = ?", (owner, endpoint_id)
        )

    def find(self, endpoint_id: str, *, deleted: bool = False) -> Endpoint | None:
        """Find an endpoint; a deleted one only where asked."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM endpoints "  # noqa: S608 - constants
            "WHERE id = ? AND (? OR deleted_at IS NULL)",
            (endpoint_id, deleted),
        ).fetchone()
        return None if row is None else _endpoint(row)

    def all(self) -> Iterator[Endpoint]:
        """Give all that are not deleted, oldest first."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM endpoints "  # noqa: S608 - constants
            "WHERE deleted_at IS NULL ORDER BY rowid"
        )
        return (_endpoint(row) for row in rows.fetchall())

    def ever(self) -> list[str]:
        """Give the ids of all that ever were registered."""
        return [row[0] for row in self._connection.execute("SELECT id FROM endpoints")]

    def report(self, endpoint_id: str, state: dict[str, Any], now: float) -> None:
        """Keep a status report."""
        self._connection.execute(
            "UPDATE endpoints SET report = ?, reported_at = ? WHERE id = ?",
            (json.dumps(state), now, endpoint_id),
        )

    def lock(self, endpoint_id: str, until: float) -> None:
        """Refuse registrations up to a time; an endpoint that is locked counts as offline."""
        self._connection.execute(
            "UPDATE endpoints SET locked_until = ?, reported_at = NULL WHERE id = ?",
            (until, endpoint_id),
        )

    def silence(self, endpoint_id: str) -> None:
        """Count an endpoint as offline until it reports again."""
        self._connection.execute(
            "UPDATE endpoints SET reported_at = NULL WHERE id = ?", (endpoint_id,)
        )

    def verify_subscription(self, endpoint_id: str, verified: bool) -> None:
        """Keep whether the subscription's administrator vouches for the endpoint."""
        self._connection.execute(
            "UPDATE endpoints SET subscription_admin_verified = ? WHERE id = ?",
            (verified, endpoint_id),
        )

    def delete(self, endpoint_id: str, now: float) -> None:
        """Mark an endpoint as deleted."""
        self._connection.execute(
            "UPDATE endpoints SET deleted_at = ? WHERE id = ?", (now, endpoint_id)
        )


def _endpoint(row: tuple[Any, ...]) -> Endpoint:
    id_, owner, registration, verified, locked_until, report, reported_at = row
    return Endpoint(
        id=id_,
        owner=owner,
        registration=json.loads(registration),
        subscription_admin_verified=bool(verified),
        locked_until=locked_until,
        report=None if report is None else json.loads(report),
        reported_at=reported_at,
    )
