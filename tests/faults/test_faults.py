"""Every failure, on purpose, with 500 tasks in flight: all futures end right.

The short form of ``make faults``: outages are short, and the official client is left out. The
runs go side by side, as they mostly wait; each test looks at one of them.
"""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.faults.catalogue import FAULTS, Fault
from tests.faults.client import Side
from tests.faults.run import run_all
from tests.faults.stage import BROKERS, BrokerName, ground
from tests.faults.verdict import Verdict

_OURS = Side("ours", "gcompute", sys.executable)
_AT_ONCE = 3

#: For the first test on a broker, which waits for all runs there.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", params=BROKERS)
def verdicts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Verdict]]:
    """The verdicts on one broker, of the faults whose tests were chosen."""
    broker: BrokerName = request.param
    folder = tmp_path_factory.mktemp(f"faults-{broker}")
    (folder / "ground").mkdir()
    chosen = [fault for fault in FAULTS if (fault, broker) in _chosen(request.session)]
    with ground(broker, folder / "ground") as on:
        return asyncio.run(run_all(chosen, on, [_OURS], folder, at_once=_AT_ONCE, full=False))


def _chosen(session: pytest.Session) -> list[tuple[object, object]]:
    """List the tests of this module that will run."""
    parameters = [
        item.callspec.params
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    ]
    return [(p["fault"], p["verdicts"]) for p in parameters if {"fault", "verdicts"} <= p.keys()]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_all_futures_end_right(fault: Fault, verdicts: dict[str, dict[str, Verdict]]) -> None:
    """Each of 500 calls has its own result, or says why nobody can know; no task runs twice."""
    verdict = verdicts[fault.name][_OURS.name]
    assert verdict.good, f"{fault.name}: {verdict.describe()}"
