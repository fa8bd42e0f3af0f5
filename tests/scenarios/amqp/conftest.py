"""The brokers under test: each test of this folder runs against all of them.

In the embedded broker lies the code under test; RabbitMQ is there to keep the tests honest: a
check that it does not pass would be a check of our own opinion.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from gcompute.local.broker import Broker, BrokerLimits
from tests.scenarios.amqp.driver import LIMITED, MAX_MESSAGE_SIZE, OWNER, Client, Target
from tests.support.rabbitmq import Account, running_rabbitmq

_MINE = "^mine-|anywhere"
ACCOUNTS = (
    Account(OWNER, "owner/secret", administrator=True),
    Account(LIMITED, "limited secret", configure=_MINE, write=_MINE, read=_MINE),
)


class EmbeddedBroker:
    """A broker in a thread with an event loop of its own."""

    def __init__(self, limits: BrokerLimits) -> None:
        self.broker = Broker(limits=limits)
        self.loop = asyncio.new_event_loop()
        #: How far the loop's clock is ahead, in seconds.
        self._ahead_s = 0.0
        clock = self.loop.time
        self.loop.time = lambda: clock() + self._ahead_s  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self.loop.run_forever, name="broker under test")

    def start(self) -> None:
        """Start the thread and the broker in it."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.broker.start(), self.loop).result(15)
        for account in ACCOUNTS:
            self.call(self._add, account)

    def stop(self) -> None:
        """Stop the broker and the thread; harmless when they have stopped."""
        if not self.loop.is_closed():
            asyncio.run_coroutine_threadsafe(self.broker.stop(), self.loop).result(15)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(15)
            self.loop.close()

    def call(self, function: object, *args: object) -> None:
        """Run a function in the loop's thread and wait for it."""

        async def run() -> None:
            assert callable(function)
            function(*args)

        asyncio.run_coroutine_threadsafe(run(), self.loop).result(15)

    def later(self, seconds: float) -> None:
        """Let time pass for the broker."""

        def forward() -> None:
            self._ahead_s += seconds

        self.call(forward)

    @property
    def open_connections(self) -> int:
        """Count the connections."""
        return self.broker.open_connections

    @property
    def target(self) -> Target:
        """The broker, as the tests see it."""
        return _target("embedded", {a.name: self.broker.url(a.name) for a in ACCOUNTS})

    def _add(self, account: Account) -> None:
        self.broker.add_user(
            account.name,
            account.password,
            configure=account.configure,
            write=account.write,
            read=account.read,
        )


def _target(kind: str, urls: dict[str, str]) -> Target:
    address = urlsplit(urls[OWNER])
    assert address.hostname is not None
    assert address.port is not None
    return Target(kind, address.hostname, address.port, urls)


@contextmanager
def embedded_broker(limits: BrokerLimits) -> Iterator[EmbeddedBroker]:
    """Run an embedded broker for the length of a `with` block."""
    running = EmbeddedBroker(limits)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session", params=["embedded", "rabbitmq"])
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """One broker after the other, each started once."""
    if request.param == "embedded":
        with embedded_broker(BrokerLimits(max_message_size=MAX_MESSAGE_SIZE)) as running:
            yield running.target
    else:
        folder = tmp_path_factory.mktemp("rabbitmq")
        settings = (f"max_message_size = {MAX_MESSAGE_SIZE}",)
        with running_rabbitmq(folder, ACCOUNTS, settings) as node:
            yield _target(
                "rabbitmq", {account.name: node.url(account.name) for account in ACCOUNTS}
            )


@pytest.fixture
def client(target: Target) -> Iterator[Client]:
    """A connection of the user who may do everything."""
    with target.connect() as connected:
        yield connected


@pytest.fixture
def other(target: Target) -> Iterator[Client]:
    """A second connection of the same user."""
    with target.connect() as connected:
        yield connected


@pytest.fixture
def embedded() -> Iterator[EmbeddedBroker]:
    """An embedded broker for one test alone, with small limits."""
    with embedded_broker(BrokerLimits(max_queued_bytes=2**20, close_timeout_s=1.0)) as running:
        yield running
