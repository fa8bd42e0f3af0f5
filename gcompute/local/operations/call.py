"""One call of an operation, checked against the document and ready for its handler."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gcompute.local.errors import unauthenticated
from gcompute.local.service import Service
from gcompute.local.store.users import User


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose parameters and body fit the document."""

    #: Who calls; ``None`` only for operations without security.
    caller: User | None
    path: Mapping[str, str]
    query: Mapping[str, str]
    #: The parsed body, ``None`` for operations without.
    body: Any
    #: Unix time in seconds.
    now: float
    #: Address of the caller, where known.
    host: str | None = None
    #: Authentication policies that the caller's login met; ``None`` for all: the service's own
    #: token is not a login.
    policies: frozenset[str] | None = None

    @property
    def user(self) -> User:
        """Who calls an operation with security."""
        if self.caller is None:
            raise unauthenticated("this operation is for known users")
        return self.caller

    def id(self, name: str) -> str:
        """Give a parameter of the path that is a UUID, in its one spelling."""
        return canonical(self.path[name])


def canonical(uuid_text: str) -> str:
    """Give the one spelling of a UUID.

    Raises:
        ValueError: it is none.
    """
    return str(uuid.UUID(uuid_text))


@dataclass(frozen=True, slots=True)
class Pieces:
    """An answer that may be too large to be made as a whole: its JSON text, piece by piece."""

    text: Iterator[str]


#: Gives the answer of status 200, as values or :class:`Pieces`; raises ``ServiceError`` or
#: ``RequestInvalid`` for others.
Handler = Callable[[Service, Call], Awaitable[Any]]
