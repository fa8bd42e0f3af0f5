"""The broker under fuzz."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.broker_process import RunningBroker, running_broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    """A broker with small limits, in a process of its own; its log is clean at the end."""
    with running_broker(tmp_path) as running:
        yield running
    log = running.log.read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log
    assert "secret" not in log
