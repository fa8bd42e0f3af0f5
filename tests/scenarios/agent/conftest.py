"""An agent on each broker in turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gcompute.local.broker import Broker
from tests.scenarios.agent.endpoint import Attached, attached
from tests.support.rabbitmq import RabbitMQ

OnBroker = Callable[[], AbstractAsyncContextManager[str]]
Attach = Callable[..., AbstractAsyncContextManager[Attached]]


@pytest.fixture(params=["embedded", "rabbitmq"])
def on_broker(request: pytest.FixtureRequest) -> OnBroker:
    """Give a context manager for use in an event loop: a broker's URL."""
    url: str | None = None
    if request.param == "rabbitmq":
        node: RabbitMQ = request.getfixturevalue("rabbitmq")
        url = node.url()

    @asynccontextmanager
    async def broker() -> AsyncIterator[str]:
        if url is not None:
            yield url
            return
        embedded = Broker()
        embedded.add_user("tests", "tests", configure=".*", write=".*", read=".*")
        await embedded.start()
        try:
            yield f"amqp://tests:tests@127.0.0.1:{embedded.port}/%2F"
        finally:
            await embedded.stop()

    return broker


@pytest.fixture
def attach(on_broker: OnBroker, tmp_path: Path) -> Attach:
    """Give a context manager for use in an event loop: an agent that is ready."""

    @asynccontextmanager
    async def attach_agent(**config: Any) -> AsyncIterator[Attached]:
        async with on_broker() as url, attached(url, tmp_path, **config) as running:
            yield running

    return attach_agent
