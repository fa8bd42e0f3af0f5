"""A task that kills its worker; played last, as not every engine gets over it."""

from __future__ import annotations

from gcompute.errors import TaskExecutionFailed
from tests.matrix.scripts.play import PATIENCE_S, LeftOut, Setting, play, raised


def die() -> None:
    """End the worker's process with no word."""
    import os

    os._exit(17)


def alive() -> str:
    """Be there."""
    return "alive"


def lost_worker(setting: Setting) -> None:
    """The task fails with an error that names the cause; afterwards the endpoint works again.

    Except on the official process pool, which stays broken until its agent is started again.
    """
    if setting.worker == "threads":
        raise LeftOut("a thread's process is the agent itself")
    with setting.executor() as executor:
        dead = executor.submit(die)
        error = raised(TaskExecutionFailed, lambda: dead.result(PATIENCE_S))
        cause = "BrokenProcessPool" if setting.worker == "processes" else "WorkerLost"
        assert cause in error.remote_data, error.remote_data
        next_one = executor.submit(alive)
        if setting.worker == "processes":
            error = raised(TaskExecutionFailed, lambda: next_one.result(PATIENCE_S))
            assert "BrokenProcessPool" in error.remote_data, error.remote_data
        else:
            assert next_one.result(PATIENCE_S) == "alive"


if __name__ == "__main__":
    play(lost_worker)
