"""The services that the scenarios run on: one a broker, for the whole session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gcompute import Client, Executor
from gcompute.local import LocalService
from tests.support.rabbitmq import RabbitMQ, running_rabbitmq


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A private RabbitMQ."""
    folder: Path = tmp_path_factory.mktemp("rabbitmq")
    with running_rabbitmq(folder) as node:
        yield node


@pytest.fixture(scope="session", params=["embedded", "rabbitmq"])
def service(request: pytest.FixtureRequest) -> Iterator[LocalService]:
    """A local service with two workers, on each broker in turn."""
    broker = None
    if request.param == "rabbitmq":
        node: RabbitMQ = request.getfixturevalue("rabbitmq")
        broker = node.url()
    with LocalService(workers=2, broker=broker) as running:
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
