"""A local service on each engine in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gcompute import Executor
from gcompute.local import LocalService

_MAKERS = Path(__file__).with_name("makers.py")

#: Engine to the arguments of a service on it.
ENGINES: dict[str, dict[str, Any]] = {
    "threads": {
        "engine": "concurrent.futures:ThreadPoolExecutor",
        "engine_options": {"max_workers": 2},
    },
    "processes": {
        "engine": "concurrent.futures:ProcessPoolExecutor",
        "engine_options": {"max_workers": 2},
    },
    "loky": {"engine": "loky:get_reusable_executor", "engine_options": {"max_workers": 2}},
    "parsl": {"engine": f"{_MAKERS}:parsl_high_throughput", "engine_options": {"workers": 2}},
    "dask": {"engine": f"{_MAKERS}:dask_cluster", "engine_options": {"workers": 2}},
}
#: The limit of time for each task there, in seconds: those that are quick must stay within it.
TASK_TIMEOUT_S = 6


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the engine in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def engine_service(engine: str) -> Iterator[LocalService]:
    """A service on the engine; its tasks have a limit of time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GC_TASK_TIMEOUT", str(TASK_TIMEOUT_S))
        service = LocalService(**ENGINES[engine]).start()
    with service:
        yield service


@pytest.fixture
def engine_executor(engine_service: LocalService) -> Iterator[Executor]:
    """An executor on the endpoint that has the engine."""
    with engine_service.executor() as executor:
        yield executor
