"""The users of a local service, as its owner names them. Pure, and light to import.

>>> users_of(["ada", User("bob", groups=["8b5f1c6e-3d2a-4f7b-9c10-5e6d7f8091a2"])])
(User(name='ada'), User(name='bob', groups=('8b5f1c6e-3d2a-4f7b-9c10-5e6d7f8091a2',)))
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAME = re.compile(r"[\w.@+-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class User:
    """Somebody who may use a local service.

    Args:
        name: what to call him: letters, digits and ``. _ @ + -``.
        groups: ids of the groups that he is a member of. A function that is registered with one
            of them as its ``group`` may be called by all its members.

    Raises:
        ValueError: the name has other characters, or a group is no UUID.
    """

    name: str
    groups: Sequence[str | uuid.UUID] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} cannot be a user's name: use letters, digits and . _ @ + -"
            )
        if isinstance(self.groups, str | uuid.UUID):
            raise ValueError(f"groups of user {self.name} must be a list of UUIDs, not one of them")
        object.__setattr__(self, "groups", tuple(self._group(group) for group in self.groups))

    def _group(self, group: str | uuid.UUID) -> str:
        try:
            return str(uuid.UUID(str(group)))
        except ValueError as error:
            raise ValueError(
                f"{group!r} cannot be a group of user {self.name}: a group is named by its UUID"
            ) from error

    def __repr__(self) -> str:
        groups = f", groups={self.groups!r}" if self.groups else ""
        return f"User(name={self.name!r}{groups})"


#: The one user of a service that names none.
DEFAULT = (User("local"),)


def users_of(named: Iterable[str | User] | None) -> tuple[User, ...]:
    """Give the users that somebody names; one who is called ``local`` if he names none.

    Raises:
        ValueError: there is none, two have one name, or a name or group cannot be one.
    """
    if named is None:
        return DEFAULT
    if isinstance(named, str | User):
        raise ValueError(f"users must be a list, as in users=[{named!r}]")
    users = tuple(user if isinstance(user, User) else User(user) for user in named)
    if not users:
        raise ValueError("users must name somebody; leave it out for a service with one user")
    names = [user.name for user in users]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"users has {twice!r} more than once")
    return users
