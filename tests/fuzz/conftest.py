"""The service and the broker under fuzz."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gcompute.local.stack import Announcement
from tests.fuzz.broker_process import RunningBroker, running_broker
from tests.fuzz.running import service_in_thread


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Announcement]:
    """A service for the whole campaign: where it is, and its users ann and bob."""
    with service_in_thread(tmp_path_factory.mktemp("fuzzed")) as announcement:
        yield announcement


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    """A broker with small limits, in a process of its own; its log is clean at the end."""
    with running_broker(tmp_path) as running:
        yield running
    log = running.log.read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log
    assert "secret" not in log
