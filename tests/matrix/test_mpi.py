"""Tasks with nodes of their own, on the official agent's engine for MPI programs.

There is no batch scheduler and no MPI: the scheduler's list of nodes is a file, and ``mpiexec``
prints how it was called. What travels from client to worker is all there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gcompute.local import LocalService
from tests.matrix.cells import CLIENTS
from tests.matrix.playing import failures, make_player
from tests.support.official_agent import running_agent

_ENGINE = """
engine:
  type: GlobusMPIEngine
  address: 127.0.0.1
  mpi_launcher: mpiexec
  max_workers_per_block: 2
  job_status_kwargs: {{strategy_period: 0.5, max_idletime: 3600}}
  provider:
    type: LocalProvider
    init_blocks: 1
    min_blocks: 1
    max_blocks: 1
    launcher: {{type: SimpleLauncher}}
    worker_init: export PBS_NODEFILE={folder}/nodes PATH={folder}:$PATH
"""


@pytest.fixture
def engine(tmp_path: Path) -> str:
    """The configuration of an engine that has two nodes and an mpiexec."""
    (tmp_path / "nodes").write_text("node-a\nnode-b\n")
    mpiexec = tmp_path / "mpiexec"
    mpiexec.write_text('#!/bin/sh\necho mpiexec "$@"\n')
    mpiexec.chmod(0o700)
    return _ENGINE.format(folder=tmp_path)


def test_a_resource_specification_reaches_its_engine(engine: str, tmp_path: Path) -> None:
    """From both clients."""
    agent_home = tmp_path / "agent"
    agent_home.mkdir()
    with (
        LocalService(workers=0) as service,
        running_agent(service, engine, agent_home) as endpoint_id,
    ):
        for client in CLIENTS:
            player = make_player(service, client, tmp_path / client, endpoint_id, "mpi")
            outcomes = player.play("mpi")
            assert not failures(outcomes), f"{client}: {failures(outcomes)}"
            assert len(outcomes) == 2
