"""The short form of the matrix; ``make interop`` plays all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matrix.cells import BROKERS, CELLS, CLIENTS, SHORT, WORKERS, Cell
from tests.matrix.playing import agent_log, failures, play
from tests.support.processes import started_with
from tests.support.rabbitmq import RabbitMQ

#: A cell takes half a minute on a machine at rest; its scripts have limits of their own.
pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("cell", SHORT, ids=str)
def test_every_scenario_passes(cell: Cell, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """In a cell for each kind of worker; and no process of its client or agent is left."""
    broker = None
    if cell.broker == "rabbitmq":
        node: RabbitMQ = request.getfixturevalue("rabbitmq")
        broker = node.url()
    outcomes = play(cell, tmp_path, broker)
    wrong = failures(outcomes)
    assert not wrong, "\n\n".join([*wrong, agent_log(tmp_path)])
    assert sum(outcome.outcome == "passed" for outcome in outcomes) > 20
    for home in ("agent", "client"):
        assert started_with("HOME", str(tmp_path / home)) == []


def test_the_short_form_covers_everything() -> None:
    """Each client, broker and worker, and cells that the whole matrix has."""
    assert set(SHORT) <= set(CELLS)
    assert {cell.client for cell in SHORT} == set(CLIENTS)
    assert {cell.broker for cell in SHORT} == set(BROKERS)
    assert {cell.worker for cell in SHORT} == set(WORKERS)
    assert len(set(CELLS)) == 16
