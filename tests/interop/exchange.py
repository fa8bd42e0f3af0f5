"""The two packages side by side, each in its own processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.support.official import official_python

from .catalogue import Sample

OURS = "gcompute"
OFFICIAL = "globus_compute_sdk"

#: (who writes, who loads), in the order of the table's columns.
DIRECTIONS = ((OFFICIAL, OFFICIAL), (OURS, OFFICIAL), (OFFICIAL, OURS), (OURS, OURS))

_ROOT = Path(__file__).parents[2]


class Peer:
    """A process that writes and loads with one package; see :mod:`tests.interop.peer`."""

    def __init__(self, script: str, package: str, folder: str, *, beside: bool) -> None:
        python = sys.executable if package == OURS and not beside else official_python()
        path = str(_ROOT) if beside else ""
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name(script)), package],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment,
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Have something done, and give the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a peer ended with {self._process.wait()} over {do} {request}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


@contextmanager
def peer(package: str, *, script: str = "peer.py", beside: bool = False) -> Iterator[Peer]:
    """Start a peer in a folder of its own.

    Args:
        package: which package it uses.
        script: ``"peer.py"`` for a worker, ``"samples.py"`` for a user.
        beside: run ours by the official interpreter, so that both packages are installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Peer(script, package, folder, beside=beside)
        try:
            yield made
        finally:
            made.close()


class Exchange:
    """A user's script and a worker for each package."""

    def __init__(self, users: dict[str, Peer], workers: dict[str, Peer]) -> None:
        self.users = users
        self.workers = workers
        self._texts: dict[tuple[str, str, str], dict[str, Any]] = {}

    def text(self, package: str, strategy: str, name: str) -> dict[str, Any]:
        """Give what a package writes for a sample: ``text``, or ``error`` and ``reason``."""
        key = (package, strategy, name)
        if key not in self._texts:
            answer = self.users[package].ask("write", expression=name, strategy=strategy)
            self._texts[key] = answer
        return self._texts[key]

    def outcome(self, direction: tuple[str, str], strategy: str, sample: Sample) -> str:
        """Say in a few words how a sample fares: ``yes``, or what goes wrong where."""
        writer, loader = direction
        written = self.text(writer, strategy, sample.name)
        if "error" in written:
            return f"not written: {written['error']}"
        loaded = self.workers[loader].ask("load", text=written["text"], probe=sample.probe)
        if "error" in loaded:
            return f"not usable: {loaded['error']}"
        return "yes" if loaded["holds"] else "changed"


@contextmanager
def exchange() -> Iterator[Exchange]:
    """Start all four processes."""
    with ExitStack() as stack:
        start = stack.enter_context
        yield Exchange(
            users={p: start(peer(p, script="samples.py")) for p in (OFFICIAL, OURS)},
            workers={p: start(peer(p)) for p in (OFFICIAL, OURS)},
        )
