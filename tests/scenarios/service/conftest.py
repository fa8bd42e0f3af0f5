"""The API of the running service, as its users and as nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gcompute.local import LocalService
from tests.scenarios.service.api import Api


@pytest.fixture
def api(service: LocalService) -> Iterator[Api]:
    """The API as the first user, ada."""
    made = Api(service.url, service.token)
    yield made
    made.close()


@pytest.fixture
def bob(service: LocalService) -> Iterator[Api]:
    """The API as another user."""
    made = Api(service.url, service.token_of("bob"))
    yield made
    made.close()


@pytest.fixture
def stranger(service: LocalService) -> Iterator[Api]:
    """The API without a token."""
    made = Api(service.url, None)
    yield made
    made.close()
