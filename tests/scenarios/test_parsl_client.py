"""Parsl's own client of Globus Compute, with our Executor where it expects the official one.

``parsl.executors.GlobusComputeExecutor`` imports ``globus_compute_sdk.Executor``; here that name
is ours. Everything else, the workflow engine included, is Parsl as it is.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import parsl
import pytest

import gcompute
from gcompute import Client, Executor
from gcompute.local import LocalService

_MODULE = "parsl.executors.globus_compute"

pytestmark = [
    # Parsl leaves closing a socket or a file to the garbage collector here and there.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def workflow(
    service: LocalService, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Executor]:
    """Load Parsl with its executor for Globus Compute; give our Executor behind that."""
    stand_in = types.ModuleType("globus_compute_sdk")
    stand_in.Executor = gcompute.Executor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "globus_compute_sdk", stand_in)
    monkeypatch.delitem(sys.modules, _MODULE, raising=False)
    kind: Any = importlib.import_module(_MODULE).GlobusComputeExecutor
    executor = Executor(service.endpoint_id, client=client)
    config = parsl.Config(
        executors=[kind(executor=executor, label="compute")],
        run_dir=str(tmp_path / "runinfo"),
        strategy="none",
        retries=0,
        initialize_logging=False,  # the file that it writes is left open
        usage_tracking=0,
    )
    with parsl.load(config):
        yield executor
    parsl.clear()


def square(x: int) -> int:
    """Square."""
    return x * x


def total(*values: int) -> int:
    """Add up."""
    return sum(values)


def fail(message: str) -> None:
    """Fail."""
    raise ValueError(message)


def test_a_workflow_of_parsl_runs(workflow: Executor) -> None:
    """Apps that depend on others get their results; Parsl itself finds nothing amiss."""
    square_app = parsl.python_app(square)
    total_app = parsl.python_app(total)
    squares = [square_app(n) for n in range(20)]
    assert total_app(*squares).result(60) == sum(n * n for n in range(20))
    assert workflow.task_count_submitted == 21


def test_a_failure_reaches_the_workflow(workflow: Executor) -> None:
    """Parsl sends it as a result of its own, so as it was raised; what depends on it is not run."""
    failed = parsl.python_app(fail)("too wet")
    dependent = parsl.python_app(square)(failed)
    error = failed.exception(60)
    assert isinstance(error, ValueError)
    assert str(error) == "too wet"
    assert dependent.exception(60) is not None
    assert workflow.task_count_submitted == 1


def test_settings_that_change_to_and_fro_do_not_cost_a_request_each(workflow: Executor) -> None:
    """Parsl sets the specification before each task, and back again after it."""
    before = workflow._destination
    futures = [workflow.submit(square, n) for n in range(3)]
    for _ in range(3):
        workflow.user_endpoint_config = {"a": 1}
        workflow._current_destination()
        workflow.user_endpoint_config = None
    assert [f.result(60) for f in futures] == [0, 1, 4]
    again = workflow._current_destination()
    assert before is None or before is again
    assert len(workflow._destinations) == 2
