"""What a RabbitMQ's management is asked, and what its answers mean."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import pytest

from gcompute.local.amqp import LinkError, LinkRefused, LinkUnreachable
from gcompute.local.managed_accounts import ManagedAccounts

T = TypeVar("T")
BROKER = "amqp://owner:p%40ss@broker:5671/my%2Fhost?heartbeat=10"
MANAGEMENT = "http://chief:hidden@manage:15672/path/"


class Node:
    """Answers requests, and remembers them."""

    def __init__(self, *answers: int | Exception, body: Any = None) -> None:
        self._answers = list(answers)
        self._body = body or {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Give the next answer; 204 when there is none left."""
        self.asked.append(request)
        answer = self._answers.pop(0) if self._answers else 204
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json=self._body)

    def run(
        self,
        call: Callable[[ManagedAccounts], Coroutine[Any, Any, T]],
        management: str = MANAGEMENT,
    ) -> T:
        """Call something of accounts that ask this node."""

        async def running() -> T:
            accounts = ManagedAccounts(BROKER, management, transport=httpx.MockTransport(self))
            try:
                return await call(accounts)
            finally:
                await accounts.close()

        return asyncio.run(running())

    def said(self) -> list[tuple[str, str]]:
        """Give methods and paths of the requests, as they were sent."""
        return [(request.method, request.url.raw_path.decode()) for request in self.asked]


def test_a_grant_makes_a_user_of_the_virtual_host() -> None:
    """With a password of his own in the broker's URL, and rights on what is named and no more."""
    node = Node(201, 201)
    url = node.run(lambda accounts: accounts.grant("a.b-c", write="^w$", read="^r"))
    assert node.said() == [
        ("PUT", "/path/api/users/a.b-c"),
        ("PUT", "/path/api/permissions/my%2Fhost/a.b-c"),
    ]
    user, permissions = (json.loads(request.content) for request in node.asked)
    assert permissions == {"configure": "", "write": "^w$", "read": "^r"}
    assert user["tags"] == ""
    parts = urlsplit(url)
    assert (parts.username, parts.password) == ("a.b-c", user["password"])
    assert url.endswith("@broker:5671/my%2Fhost?heartbeat=10")


def test_each_grant_has_a_fresh_password() -> None:
    """Also for the same user."""

    async def twice(accounts: ManagedAccounts) -> tuple[str, str]:
        return await accounts.grant("a"), await accounts.grant("a")

    first, second = Node().run(twice)
    assert first != second


@pytest.mark.parametrize(
    ("management", "credentials"),
    [(MANAGEMENT, b"chief:hidden"), ("http://manage:15672", b"owner:p@ss")],
)
def test_who_asks(management: str, credentials: bytes) -> None:
    """The user of the management's URL, or that of the broker's where it has none."""
    node = Node()
    node.run(lambda accounts: accounts.revoke("a"), management)
    scheme, _, encoded = node.asked[0].headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded)) == ("Basic", credentials)


@pytest.mark.parametrize("status", [204, 404])
def test_a_user_who_is_not_there_is_revoked(status: int) -> None:
    """Who is gone already need not be removed."""
    node = Node(status)
    node.run(lambda accounts: accounts.revoke("a"))
    assert node.said() == [("DELETE", "/path/api/users/a")]


@pytest.mark.parametrize("tags", ["administrator", "policymaker,administrator", ["administrator"]])
def test_an_administrator_passes_the_check(tags: Any) -> None:
    """However the node writes tags."""
    Node(200, body={"tags": tags}).run(lambda accounts: accounts.check())


@pytest.mark.parametrize("tags", ["", "management", ["monitoring"], []])
def test_others_do_not_pass_the_check(tags: Any) -> None:
    """The text says what they lack, and no password."""
    node = Node(200, body={"tags": tags})
    with pytest.raises(LinkRefused, match=r"'chief'.*set_user_tags chief administrator") as error:
        node.run(lambda accounts: accounts.check())
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (401, LinkRefused, "'chief'.*check his password"),
        (403, LinkRefused, "'chief'.*check his password"),
        (400, LinkError, "PUT /api/users/a with 400"),
        (404, LinkError, "PUT /api/users/a with 404"),
        (503, LinkError, "PUT /api/users/a with 503"),
    ],
)
def test_what_refusals_become(answer: int, kind: type[LinkError], text: str) -> None:
    """Errors that the service knows, with the address and without the password."""
    with pytest.raises(kind, match=text) as error:
        Node(answer).run(lambda accounts: accounts.grant("a"))
    assert "http://manage:15672/path" in str(error.value)
    assert "hidden" not in str(error.value)


def test_a_request_is_repeated_once() -> None:
    """A connection that was kept open may have closed meanwhile."""
    node = Node(httpx.RemoteProtocolError("closed"), 201, 201)
    node.run(lambda accounts: accounts.grant("a"))
    assert [method for method, _ in node.said()] == ["PUT", "PUT", "PUT"]
    node = Node(httpx.ConnectError("refused"), httpx.ConnectError("refused"), 201)
    with pytest.raises(LinkUnreachable, match="does not answer at http://manage:15672/path"):
        node.run(lambda accounts: accounts.grant("a"))
    assert len(node.asked) == 2
