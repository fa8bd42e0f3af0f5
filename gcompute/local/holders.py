"""Whose an account at the broker is: by whom its connections are counted.

A user has accounts for his result queues, his client has others, and so has each endpoint of his.
The service's own endpoint works for all users, and is nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass

from .identities import Identities
from .names import Names
from .store import Store


@dataclass(frozen=True, slots=True)
class Holders:
    """The holders of accounts.

    Attributes:
        names: how accounts are called.
        store: the endpoints.
        identities: the users.
        own_endpoint: id of the service's own endpoint.
    """

    names: Names
    store: Store
    identities: Identities
    own_endpoint: str

    def __call__(self, account: str) -> str:
        """Tell whose an account is: a user's id, or the account's own name."""
        kind, id_ = self.names.read_account(account)
        if kind == "user":
            return self.identities.person(id_)
        endpoint = self.store.endpoints.find(id_, deleted=True)
        if endpoint is None or id_ == self.own_endpoint:
            return account
        return self.identities.person(endpoint.owner)
