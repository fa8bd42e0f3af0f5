"""A service for executors that needs no network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gcompute.executor import results as results_module
from tests.unit.executor.stand_ins import Service, Stream


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Give a service whose gate is open again at the end."""
    monkeypatch.setattr(results_module, "ResultStream", Stream)
    made = Service()
    yield made
    made.gate.set()
