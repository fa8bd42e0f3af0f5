"""Who may use the service: its users, each with a token and a client, and their groups.

In go the users that the service was started with; the store gives them the ids, tokens and
client secrets that they had before, or keeps those that are made for them. Who was a user of this
state folder once and is not named any more is nobody: his tokens open nothing, while what he
owns stays as it is, for the day that he is named again.

The client of a user is an identity of its own, as with Globus Auth: a program that logs in by
client credentials owns what it submits. It is in the groups of its user.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .store.users import User
from .user import User as NamedUser

if TYPE_CHECKING:
    from .store import Store


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of the service, with what he logs in by."""

    user: User
    #: Bearer token of the web service, and what he proves himself with on the login page.
    token: str = field(repr=False)
    #: The client that programs of his log in as.
    client: User
    client_secret: str = field(repr=False)
    groups: frozenset[str]


class Identities:
    """The users of a running service.

    Args:
        store: where their ids and secrets are kept.
        users: who they are, the service's owner first.
    """

    def __init__(self, store: Store, users: Sequence[NamedUser]) -> None:
        with store.transaction():
            self._all = [_identity(store, user) for user in users]
        self._by_token = {identity.token: identity for identity in self._all}
        self._by_client = {identity.client.id: identity for identity in self._all}
        #: By id of a user or a client.
        self._by_id = self._by_client | {identity.user.id: identity for identity in self._all}
        #: Ids of users and clients of this state folder that are not named any more.
        self.former = [id_ for id_ in store.users.ids() if id_ not in self._by_id]

    def __iter__(self) -> Iterator[Identity]:
        return iter(self._all)

    @property
    def owner(self) -> Identity:
        """The first user, whose endpoint the service starts."""
        return self._all[0]

    def by_token(self, token: str) -> Identity | None:
        """Tell whose token this is."""
        return self._by_token.get(token)

    def by_client(self, client_id: str) -> Identity | None:
        """Tell whose client this is."""
        return self._by_client.get(client_id)

    def find(self, user_id: str) -> User | None:
        """Find a user, or a user's client, by id."""
        identity = self._by_id.get(user_id)
        if identity is None:
            return None
        return identity.user if identity.user.id == user_id else identity.client

    def person(self, user_id: str) -> str:
        """Give the id of the user whose client this is, or who it is himself."""
        identity = self._by_id.get(user_id)
        return user_id if identity is None else identity.user.id

    def groups(self, user_id: str) -> frozenset[str]:
        """Give the groups that a user or a client is in."""
        identity = self._by_id.get(user_id)
        return frozenset() if identity is None else identity.groups


def _identity(store: Store, named: NamedUser) -> Identity:
    """Give what a user had before, or make it."""
    known = store.users.named(named.name)
    if known is None:
        known = User(str(uuid.uuid4()), named.name), secrets.token_urlsafe(32)
        store.users.add(known[0])
        store.users.add_token(known[1], known[0].id)
    user, token = known
    client_id = store.remembered(f"client of {user.id}", str(uuid.uuid4()))
    client = User(client_id, f"{client_id}@clients.auth.globus.org")
    store.users.ensure(client)
    secret = store.remembered(f"secret of {client_id}", secrets.token_urlsafe(32))
    groups = frozenset(str(group) for group in named.groups)
    return Identity(user, token, client, secret, groups)
