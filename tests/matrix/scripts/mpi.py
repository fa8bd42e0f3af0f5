"""Tasks that get nodes of their own, on an engine that gives some."""

from __future__ import annotations

from gcompute import MPIFunction
from gcompute.errors import TaskExecutionFailed
from tests.matrix.scripts.play import PATIENCE_S, Setting, play, raised


def prefix() -> str:
    """Tell how the engine would have an MPI program started."""
    import os

    return os.environ["PARSL_MPI_PREFIX"]


def nodes_of_a_task(setting: Setting) -> None:
    """The engine gives a task the nodes and ranks that its specification asks for."""
    with setting.executor(resource_specification={"num_nodes": 2, "ranks_per_node": 3}) as executor:
        told = executor.submit(prefix).result(PATIENCE_S)
        *start, nodes = told.split()
        assert start == ["mpiexec", "-n", "6", "-ppn", "3", "-hosts"], told
        assert sorted(nodes.split(",")) == ["node-a", "node-b"], told
        executor.resource_specification = {"num_nodes": 1, "ranks_per_node": 2}
        program = executor.submit(MPIFunction("hello {name}"), name="ada").result(PATIENCE_S)
    started, one_node = "mpiexec -n 2 -ppn 2 -hosts ", ("node-a", "node-b")
    assert program.returncode == 0, program.stderr
    possible = [f"{started}{node} hello ada" for node in one_node]
    assert program.stdout.strip() in possible, program.stdout


def unknown_resource(setting: Setting) -> None:
    """What the engine cannot make sense of it refuses, and the future says why."""
    with setting.executor(resource_specification={"num_nodes": 2, "sails": 3}) as executor:
        future = executor.submit(prefix)
        error = raised(TaskExecutionFailed, lambda: future.result(PATIENCE_S))
    assert "sails" in error.remote_data, error.remote_data


if __name__ == "__main__":
    play(nodes_of_a_task, unknown_resource)
