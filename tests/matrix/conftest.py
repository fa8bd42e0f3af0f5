"""What cells need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.rabbitmq import RabbitMQ, running_rabbitmq


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A private RabbitMQ."""
    with running_rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as node:
        yield node
