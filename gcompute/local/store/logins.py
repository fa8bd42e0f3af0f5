"""Accounts at the embedded broker, which has no memory of its own.

Agents hold on to the credentials of their registration for as long as they run, so what was
granted before a restart must let them in after it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """An account and what it may do; ``write`` and ``read`` are patterns as of the broker."""

    name: str
    password: str = field(repr=False)
    write: str = ""
    read: str = ""


class Logins:
    """The table ``broker_logins``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def keep(self, login: Login) -> None:
        """Add an account, or replace the one of that name."""
        self._connection.execute(
            "INSERT OR REPLACE INTO broker_logins VALUES (?, ?, ?, ?)",
            (login.name, login.password, login.write, login.read),
        )

    def forget(self, name: str) -> None:
        """Remove an account; one that does not exist is fine."""
        self._connection.execute("DELETE FROM broker_logins WHERE name = ?", (name,))

    def all(self) -> list[Login]:
        """Give all accounts."""
        rows = self._connection.execute("SELECT name, password, write, read FROM broker_logins")
        return [Login(*row) for row in rows]
