"""Users of the service and the bearer tokens that stand for them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may use the service."""

    id: str
    name: str


class Users:
    """The tables ``users`` and ``tokens``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, user: User) -> None:
        """Add a user."""
        self._connection.execute("INSERT INTO users VALUES (?, ?)", (user.id, user.name))

    def add_token(self, token: str, user_id: str) -> None:
        """Let a token stand for a user."""
        self._connection.execute("INSERT INTO tokens VALUES (?, ?)", (token, user_id))

    def ensure(self, user: User) -> None:
        """Add a user, unless there is one with the same id."""
        self._connection.execute("INSERT OR IGNORE INTO users VALUES (?, ?)", (user.id, user.name))

    def find(self, user_id: str) -> User | None:
        """Find a user by id."""
        row = self._connection.execute(
            "SELECT id, name FROM users WHERE id = ?", (user_id,)
        ).fetchone()
        return None if row is None else User(*row)

    def named(self, name: str) -> tuple[User, str] | None:
        """Find a user by name, with one of his tokens."""
        row = self._connection.execute(
            "SELECT id, name, token FROM users JOIN tokens ON user_id = id WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else (User(row[0], row[1]), row[2])

    def ids(self) -> list[str]:
        """Give the ids of all that this state folder ever knew."""
        return [row[0] for row in self._connection.execute("SELECT id FROM users")]
