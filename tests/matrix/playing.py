"""Plays every scenario in one cell.

::

    here ---- service, broker, official agent
      |  \\
      |   +-- clients.py, executors.py, tasks.py: one process each, at once
      +------ lost_worker.py, when those have ended

The scripts are copied to a folder of their own, with the package's name changed in their imports
for the official client. Each process knows the service by its environment, as a user's would.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gcompute.local import LocalService
from tests.matrix.cells import Cell
from tests.support.official import official_environment, official_python
from tests.support.official_agent import running_agent

_SCRIPTS = Path(__file__).with_name("scripts")
#: Those that can play at the same time, and then the one that leaves ruins.
_TOGETHER, _AFTERWARDS = ("clients", "executors", "tasks"), ("lost_worker",)
_PACKAGE = re.compile(r"^(\s*(?:from|import) )gcompute\b", re.MULTILINE)
#: How long a script may take, in seconds.
_PATIENCE_S = 300.0


@dataclass(frozen=True)
class Outcome:
    """How one scenario went."""

    scenario: str
    #: ``passed``, ``left out`` or ``failed``.
    outcome: str
    #: Why it was left out, or what went wrong.
    detail: str
    seconds: float


@contextmanager
def working(service: LocalService, worker: str, folder: Path) -> Iterator[str]:
    """Have somebody work for the length of a block; give the endpoint's id."""
    if worker == "own":
        yield service.endpoint_id
        return
    with running_agent(service, worker, folder) as endpoint_id:
        yield endpoint_id


def play(cell: Cell, folder: Path, broker: str | None) -> list[Outcome]:
    """Play every scenario in a cell.

    Args:
        cell: which one.
        folder: for everything that is written.
        broker: the URL of a RabbitMQ, ``None`` for the embedded broker.
    """
    workers = 2 if cell.worker == "own" else 0
    agent_home, client_home = folder / "agent", folder / "client"
    agent_home.mkdir(parents=True)
    with ExitStack() as stack:
        service = stack.enter_context(LocalService(workers=workers, broker=broker))
        endpoint_id = stack.enter_context(working(service, cell.worker, agent_home))
        player = make_player(service, cell.client, client_home, endpoint_id, cell.worker)
        with ThreadPoolExecutor(len(_TOGETHER)) as pool:
            told = list(pool.map(player.play, _TOGETHER))
        told += map(player.play, _AFTERWARDS)
    return [outcome for of_script in told for outcome in of_script]


@dataclass(frozen=True)
class Player:
    """A client of a cell, which plays scripts in a process each."""

    python: str
    environment: dict[str, str]
    folder: Path
    setting: str

    def play(self, script: str) -> list[Outcome]:
        """Run one script to its end; one that breaks down is a scenario that failed."""
        # Each has tokens of its own: globus_sdk makes their file while another process that shares
        # it may already read it.
        tokens = {"GLOBUS_COMPUTE_USER_DIR": str(self.folder / f"tokens-{script}")}
        try:
            done = subprocess.run(
                [self.python, "-m", f"tests.matrix.scripts.{script}", self.setting],
                env=self.environment | tokens,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            printed, said = _text(late.stdout), _text(late.stderr)
            trouble = f"did not end within {_PATIENCE_S:g} s\n{said}"
        else:
            printed = done.stdout
            trouble = f"ended with {done.returncode}\n{done.stderr}" if done.returncode else ""
        outcomes = [Outcome(**json.loads(line)) for line in printed.splitlines()]
        if trouble or not outcomes:
            outcomes.append(Outcome(script, "failed", trouble or "nothing was played", 0.0))
        return outcomes


def make_player(
    service: LocalService, client: str, home: Path, endpoint_id: str, worker: str
) -> Player:
    """Give a client its scripts and what it knows.

    Args:
        service: which it talks to.
        client: ``gcompute`` or ``official``.
        home: its folder, which is made.
        endpoint_id: where tasks run.
        worker: what runs them.
    """
    official = client == "official"
    _write_scripts(home, official=official)
    return Player(
        python=official_python() if official else sys.executable,
        environment=_environment(service, home, official=official),
        folder=home,
        setting=json.dumps({"endpoint_id": endpoint_id, "worker": worker}),
    )


def _write_scripts(home: Path, *, official: bool) -> None:
    target = home / "tests" / "matrix" / "scripts"
    target.mkdir(parents=True)
    for folder in (target, *target.parents[:2]):
        # Or else an installed package of the same name, which has this file, would win.
        (folder / "__init__.py").touch()
    for script in _SCRIPTS.glob("*.py"):
        text = script.read_text()
        if official:
            text = _PACKAGE.sub(r"\1globus_compute_sdk", text)
        (target / script.name).write_text(text)


def _environment(service: LocalService, home: Path, *, official: bool) -> dict[str, str]:
    environment = official_environment(service, home)
    if not official:
        # Ours takes the address from its own variable, and needs no proxy.
        del environment["HTTP_PROXY"], environment["GLOBUS_SDK_ENVIRONMENT"]
        environment |= {k: v for k, v in os.environ.items() if k == "PYTHONPATH"}
    return environment


def _text(output: str | bytes | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def failures(outcomes: Iterable[Outcome]) -> list[str]:
    """Say what went wrong, a text for each scenario that failed."""
    return [f"{o.scenario}: {o.detail}" for o in outcomes if o.outcome == "failed"]


def agent_log(folder: Path) -> str:
    """Give the end of the official agent's log, if there is one."""
    log = folder / "agent" / "globus_compute" / "official" / "endpoint.log"
    if not log.exists():
        return ""
    return f"the end of the agent's log:{os.linesep}{log.read_text(errors='replace')[-1500:]}"
