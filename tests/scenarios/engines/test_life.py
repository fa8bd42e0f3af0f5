"""Engines from their start to their end."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from gcompute.local import LocalService, LocalServiceFailed
from tests.scenarios.engines.conftest import ENGINES
from tests.support.processes import started_with

MARK = "GCOMPUTE_TEST_MARK"
PATIENCE_S = 60.0


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """Mark the processes that are started from now on, and give the mark."""
    value = str(uuid.uuid4())
    monkeypatch.setenv(MARK, value)
    return value


def eventually(holds: Callable[[], bool]) -> bool:
    """Wait until something holds that other processes bring about."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)  # there is no event to wait for
    return True


@pytest.fixture
def work_for_ever() -> Callable[[str], None]:
    """A function that says that it runs, and never ends."""

    # Inside, so that it is sent by value: a worker cannot import this module.
    def work(started: str) -> None:
        import pathlib
        import threading

        pathlib.Path(started).touch()
        threading.Event().wait()

    return work


def start_work(service: LocalService, work: Callable[[str], None], started: Path) -> None:
    """Submit it, and return when it runs."""
    client = service.client()
    function_id = client.register_function(work)
    client.run(str(started), endpoint_id=service.endpoint_id, function_id=function_id)
    assert eventually(started.exists)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stop_leaves_nothing_behind(
    engine: str, mark: str, tmp_path: Path, work_for_ever: Callable[[str], None]
) -> None:
    """A task that never ends is ended, with the engine's processes and whatever started them."""
    service = LocalService(**ENGINES[engine], state_dir=tmp_path / "state").start()
    try:
        start_work(service, work_for_ever, tmp_path / "started")
        assert len(started_with(MARK, mark)) >= 2
    finally:
        service.stop()
    assert eventually(lambda: started_with(MARK, mark) == [])


def test_an_agent_that_is_killed_takes_its_engine_along(
    mark: str, tmp_path: Path, work_for_ever: Callable[[str], None]
) -> None:
    """The workers that it forked end, and the task runs again under the next agent."""
    started, state = tmp_path / "started", tmp_path / "state"
    with LocalService(**ENGINES["processes"], state_dir=state) as service:
        start_work(service, work_for_ever, started)
        before = set(started_with(MARK, mark))
        agent = agent_of(state)
        assert agent in before
        started.unlink()
        os.kill(agent, signal.SIGKILL)
        assert eventually(started.exists)
        # The service itself; not the agent nor what it forked.
        assert eventually(lambda: len(before & set(started_with(MARK, mark))) == 1)
        assert agent_of(state) not in before


def test_a_service_that_is_killed_leaves_nothing_behind(
    mark: str, tmp_path: Path, work_for_ever: Callable[[str], None]
) -> None:
    """The agent learns of it, and ends what its engine does not let go of."""
    service = LocalService(**ENGINES["processes"], state_dir=tmp_path / "state").start()
    try:
        start_work(service, work_for_ever, tmp_path / "started")
        (process,) = set(started_with(MARK, mark)) & set(children_of(os.getpid()))
        os.kill(process, signal.SIGKILL)
        assert eventually(lambda: started_with(MARK, mark) == [])
    finally:
        service.stop()


def children_of(pid: int) -> list[int]:
    """Give the processes that a process started."""
    return [child.pid for child in psutil.Process(pid).children()]


def agent_of(state_dir: Path) -> int:
    """Give the process id of the last agent, from the service's log."""
    lines = [
        line for line in (state_dir / "service.log").read_text().splitlines() if "(agent " in line
    ]
    return int(lines[-1].rpartition("(agent ")[2].removesuffix(")"))


def test_a_class_may_be_given_itself() -> None:
    """It is imported by its name in the endpoint's process."""
    with (
        LocalService(
            engine=concurrent.futures.ThreadPoolExecutor, engine_options={"max_workers": 1}
        ) as service,
        service.executor() as executor,
    ):
        assert executor.submit(pow, 2, 10).result(PATIENCE_S) == 1024


def test_a_module_beside_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process can import, the endpoint's can; a task finds its file's functions too."""
    name = f"pools_{uuid.uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(
        "from concurrent.futures import ProcessPoolExecutor\n"
        "def prepare():\n"
        "    global prepared\n"
        "    prepared = 'yes'\n"
        "def make():\n"
        "    return ProcessPoolExecutor(1, initializer=prepare)\n"
    )
    monkeypatch.chdir(tmp_path)

    def look(module: str) -> str:
        import importlib

        prepared: str = importlib.import_module(module).prepared
        return prepared

    with LocalService(engine=f"{name}:make") as service, service.executor() as executor:
        assert executor.submit(look, name).result(PATIENCE_S) == "yes"


def test_processes_are_not_forked_from_the_agent() -> None:
    """It has threads: what they have locked would stay locked."""

    def started() -> str | None:
        import multiprocessing

        return multiprocessing.get_start_method(allow_none=True)

    with (
        LocalService(
            engine=concurrent.futures.ProcessPoolExecutor, engine_options={"max_workers": 1}
        ) as service,
        service.executor() as executor,
    ):
        assert executor.submit(started).result(PATIENCE_S) == "forkserver"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"engine": "no_such_module:make"}, "engine no_such_module:make: importing"),
        ({"engine": "os:getcwd"}, "neither a concurrent.futures.Executor nor"),
        (
            {
                "engine": "concurrent.futures:ProcessPoolExecutor",
                "engine_options": {"max_workers": -1},
            },
            "making it raised ValueError: max_workers must be greater than 0",
        ),
    ],
)
def test_an_engine_that_cannot_be_had(arguments: dict[str, Any], reason: str) -> None:
    """The service does not start, and says why."""
    with pytest.raises(LocalServiceFailed, match=reason):
        LocalService(**arguments).start()
