"""The services that the scenarios run on: one a broker, for the whole session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gcompute import Client, Executor
from gcompute.local import LocalService, User
from tests.support.rabbitmq import RabbitMQ, running_rabbitmq

#: A group that bob is in.
GROUP = "60000000-0000-4000-8000-000000000006"


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A private RabbitMQ with its management."""
    folder: Path = tmp_path_factory.mktemp("rabbitmq")
    with running_rabbitmq(folder, management=True) as node:
        yield node


@pytest.fixture(scope="session", params=["embedded", "rabbitmq"])
def service(request: pytest.FixtureRequest) -> Iterator[LocalService]:
    """A local service with two workers, on each broker in turn."""
    options: dict[str, Any] = {}
    if request.param == "rabbitmq":
        node: RabbitMQ = request.getfixturevalue("rabbitmq")
        options = {"broker": node.url(), "broker_management": node.management_url()}
    # Whoever is named second uses what the first one owns as far as it is shared with him.
    users: list[str | User] = ["ada", User("bob", groups=[GROUP])]
    with LocalService(workers=2, users=users, **options) as running:
        yield running


@pytest.fixture
def client(service: LocalService) -> Iterator[Client]:
    """A client of the service."""
    made = service.client()
    yield made
    made.close()


@pytest.fixture
def executor(service: LocalService, client: Client) -> Iterator[Executor]:
    """An executor on the service's endpoint, shut down at the end of the test."""
    with Executor(endpoint_id=service.endpoint_id, client=client) as made:
        yield made
