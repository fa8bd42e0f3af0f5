"""Logins and permissions."""

from __future__ import annotations

import re

import pytest

from gcompute.local.broker.users import Right, Users


@pytest.fixture
def users() -> Users:
    """One user who may write to what begins with `q` and configure nothing."""
    users = Users()
    users.add("ann", "s3cret", configure="", write="^q", read=".*")
    return users


def test_the_right_password_logs_in(users: Users) -> None:
    """With any authorization identity."""
    user = users.log_in(b"whoever\0ann\0s3cret")
    assert user is not None
    assert user.name == "ann"


@pytest.mark.parametrize(
    "response",
    [b"\0ann\0wrong", b"\0ann\0", b"\0bob\0s3cret", b"\0bob\0", b"", b"ann", b"\0\xff\0\xff"],
)
def test_anything_else_does_not(users: Users, response: bytes) -> None:
    """A wrong password, an unknown user, no SASL PLAIN at all."""
    assert users.log_in(response) is None


def test_patterns_are_searched_for(users: Users) -> None:
    """An empty one matches no name; the default exchange is called amq.default."""
    user = users.log_in(b"\0ann\0s3cret")
    assert user is not None
    assert user.may(Right.WRITE, "queue")
    assert not user.may(Right.WRITE, "my-queue")
    assert not user.may(Right.WRITE, "")
    assert not user.may(Right.CONFIGURE, "anything")
    assert user.may(Right.READ, "")


def test_adding_again_changes_password_and_permissions(users: Users) -> None:
    """Also for who is logged in."""
    user = users.log_in(b"\0ann\0s3cret")
    users.add("ann", "new", configure=".*", write="", read="")
    assert users.log_in(b"\0ann\0s3cret") is None
    assert users.log_in(b"\0ann\0new") is user
    assert user is not None
    assert user.may(Right.CONFIGURE, "anything")
    assert not user.may(Right.WRITE, "queue")


def test_a_wrong_pattern_changes_nothing(users: Users) -> None:
    """The user keeps password and permissions."""
    with pytest.raises(re.error):
        users.add("ann", "new", configure="(", write="", read="")
    assert users.log_in(b"\0ann\0s3cret")


def test_a_removed_user_cannot_log_in(users: Users) -> None:
    """Removing twice is fine."""
    users.remove("ann")
    users.remove("ann")
    assert users.log_in(b"\0ann\0s3cret") is None


def test_passwords_are_not_shown(users: Users) -> None:
    """Not in the representation of a user."""
    assert "s3cret" not in repr(users.log_in(b"\0ann\0s3cret"))
