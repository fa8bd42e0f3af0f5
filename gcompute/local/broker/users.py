"""Who may log in, and what he may do to which queue and exchange.

In: names, passwords and three regular expressions a user. Out: yes or no. As in RabbitMQ, an
expression is *searched* for in the name (anchor it with `^` and `$` to match the whole name), an
empty one grants nothing, and the default exchange goes by the name `amq.default`.

`Users` belongs to the event loop of the broker. Passwords live in memory only, are compared in
constant time and appear in no `repr`.
"""

from __future__ import annotations

import hmac
import re
from enum import Enum

#: The name by which permissions know the default exchange, whose real name is empty.
DEFAULT_EXCHANGE_ALIAS = "amq.default"
_NOTHING = "^$"


class Right(Enum):
    """What an operation needs: to change a resource, to put messages in, to take messages out."""

    CONFIGURE = "configure"
    WRITE = "write"
    READ = "read"


class User:
    """One account. Open connections share the object, so that new permissions hold at once."""

    def __init__(self, name: str, password: str, patterns: dict[Right, str], holder: str) -> None:
        self.name = name
        #: Who has it: the connections of all his accounts are counted together.
        self.holder = holder
        self.password = password
        self.patterns = {right: re.compile(text or _NOTHING) for right, text in patterns.items()}

    def __repr__(self) -> str:
        return f"<User {self.name!r}>"

    @property
    def may_publish(self) -> bool:
        """Whether there can be an exchange that the user may publish to."""
        return self.patterns[Right.WRITE].pattern != _NOTHING

    def may(self, right: Right, name: str) -> bool:
        """Tell whether the user has `right` on the queue or exchange `name`."""
        return self.patterns[right].search(name or DEFAULT_EXCHANGE_ALIAS) is not None


class Users:
    """All accounts by name."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}

    def add(
        self,
        name: str,
        password: str,
        *,
        configure: str,
        write: str,
        read: str,
        holder: str | None = None,
    ) -> None:
        """Add a user, or give a known one a fresh password and fresh permissions.

        A known one keeps his holder.

        Raises:
            re.error: if a permission is no regular expression; nothing has changed then.
        """
        patterns = {Right.CONFIGURE: configure, Right.WRITE: write, Right.READ: read}
        fresh = User(name, password, patterns, holder or name)
        known = self._users.setdefault(name, fresh)
        known.password, known.patterns = fresh.password, fresh.patterns

    def remove(self, name: str) -> None:
        """Forget a user: new logins fail. An unknown name is fine."""
        self._users.pop(name, None)

    def publishers(self) -> set[str]:
        """Give the names of all who may publish to some exchange."""
        return {user.name for user in self._users.values() if user.may_publish}

    def password(self, name: str) -> str:
        """Return the password of a user.

        Raises:
            KeyError: if there is no such user.
        """
        return self._users[name].password

    def log_in(self, response: bytes) -> User | None:
        """Check the answer to SASL PLAIN: `identity NUL name NUL password`; None refuses."""
        parts = response.split(b"\0")
        if len(parts) != 3:
            return None
        name = parts[1].decode("utf-8", "replace")
        user = self._users.get(name)
        # An unknown name costs the same comparison as a wrong password.
        expected = (user.password if user else "").encode()
        matches = hmac.compare_digest(expected, parts[2])
        return user if matches else None
