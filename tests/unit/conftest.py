"""What several folders of unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.both_clients import Connect, connecting


@pytest.fixture(params=["blocking", "asynchronous"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """What makes a client of a scripted service: the test runs on both kinds of client."""
    with connecting(request.param) as made:
        yield made
