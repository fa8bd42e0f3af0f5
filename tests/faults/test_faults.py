"""Every failure, on purpose, with 500 tasks in flight: all futures end right.

The short form of ``make faults``: outages are short, and the official client is left out.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.catalogue import FAULTS, Fault
from tests.faults.client import Side
from tests.faults.run import run
from tests.faults.stage import BROKERS, BrokerName, Ground, ground

_OURS = Side("ours", "gcompute", sys.executable)


@pytest.fixture(scope="module", params=BROKERS)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """A service on each broker in turn."""
    broker: BrokerName = request.param
    with ground(broker, tmp_path_factory.mktemp(f"faults-{broker}")) as made:
        yield made


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_all_futures_end_right(fault: Fault, place: Ground, tmp_path: Path) -> None:
    """Each of 500 calls has its own result, or says why nobody can know; no task runs twice."""
    verdict = asyncio.run(run(fault, place, _OURS, tmp_path, full=False))
    assert verdict.good, f"{fault.name} on {place.broker}: {verdict.describe()}"
