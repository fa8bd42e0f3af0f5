"""The users of a service: the same ones in the same folder, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gcompute.local.holders import Holders
from gcompute.local.identities import Identities
from gcompute.local.names import Names
from gcompute.local.store import Store
from gcompute.local.user import User

GROUP = "60000000-0000-4000-8000-000000000006"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(tmp_path)
    yield opened
    opened.close()


def test_a_name_is_the_same_user_again(store: Store) -> None:
    """Id, token, client and secret stay; the groups are what is said now."""
    first = Identities(store, [User("ada"), User("bob", groups=[GROUP])])
    again = Identities(store, [User("bob"), User("ada", groups=[GROUP])])
    for identity in first:
        (same,) = (other for other in again if other.user == identity.user)
        assert same.token == identity.token
        assert (same.client, same.client_secret) == (identity.client, identity.client_secret)
    assert (first.owner.user.name, again.owner.user.name) == ("ada", "bob")
    assert again.groups(first.owner.user.id) == {GROUP}
    assert again.groups(again.owner.user.id) == frozenset()


def test_users_have_nothing_in_common(store: Store) -> None:
    """Neither tokens nor clients, and a token is not one of another kind."""
    ada, bob = Identities(store, [User("ada"), User("bob")])
    texts = [ada.user.id, ada.token, ada.client.id, ada.client_secret]
    texts += [bob.user.id, bob.token, bob.client.id, bob.client_secret]
    assert len(set(texts)) == len(texts)
    users = Identities(store, [User("ada"), User("bob")])
    for text in texts:
        assert (users.by_token(text) is not None) == (text in (ada.token, bob.token))
        assert (users.by_client(text) is not None) == (text in (ada.client.id, bob.client.id))


def test_a_client_is_in_the_groups_of_its_user(store: Store) -> None:
    """And is found as itself."""
    users = Identities(store, [User("ada", groups=[GROUP])])
    ada = users.owner
    assert users.find(ada.client.id) == ada.client
    assert users.find(ada.user.id) == ada.user
    assert users.groups(ada.client.id) == users.groups(ada.user.id) == {GROUP}
    assert users.find("nobody") is None
    assert users.groups("nobody") == frozenset()


def test_who_is_not_named_any_more_is_a_former_user(store: Store) -> None:
    """He and his client; they are as they were when he is named again."""
    bob = Identities(store, [User("ada"), User("bob")]).by_token
    users = Identities(store, [User("ada")])
    assert len(users.former) == 2
    assert all(users.find(id_) is None for id_ in users.former)
    again = Identities(store, [User("bob"), User("ada")])
    assert again.former == []
    assert bob(again.owner.token) is not None


def test_secrets_are_in_no_repr(store: Store) -> None:
    """Who logs an identity shows who it is, and not how to become it."""
    ada = Identities(store, [User("ada")]).owner
    assert ada.token not in repr(ada)
    assert ada.client_secret not in repr(ada)


def test_all_accounts_of_a_user_have_one_holder(store: Store) -> None:
    """His own, his client's, and those of their endpoints; the service's endpoint is nobody's."""
    identities, names = Identities(store, [User("ada"), User("bob")]), Names("gcompute-1", "seal")
    ada, bob = identities
    own, of_client, of_bob = (f"{digit}0000000-0000-4000-8000-000000000000" for digit in "123")
    for endpoint, owner in ((own, ada.user), (of_client, ada.client), (of_bob, bob.user)):
        with store.transaction():
            store.endpoints.register(endpoint, owner.id, {}, 1.0)
    holder_of = Holders(names, store, identities, own)
    accounts = [*names.user_accounts(ada.user.id), *names.user_accounts(ada.client.id)]
    accounts.append(names.endpoint_account(of_client))
    assert {holder_of(account) for account in accounts} == {ada.user.id}
    assert holder_of(names.endpoint_account(of_bob)) == bob.user.id
    assert holder_of(names.endpoint_account(own)) == names.endpoint_account(own)
