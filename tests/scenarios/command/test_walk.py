"""The walk of ``docs/local.md``, word for word, as a newcomer would go it.

It starts in an empty folder, as a user who has nothing, on a machine with no network where the
system lets a test have one: there port 5000 is free, too.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.scenarios.command.conftest import Program
from tests.support.official import official_python

DOCUMENT = Path(__file__).parents[3] / "docs" / "local.md"
_TIMEOUT_S = 120
#: A shell in a network of its own, which has loopback and nothing else.
_ALONE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


@dataclass
class Step:
    """Commands of the walk, and what they are to print; ``None`` for whatever they do."""

    commands: str
    official: bool
    output: str | None = field(default=None)


def walk(folder: Path) -> list[Step]:
    """Read the steps of the walk, and write the files that it shows."""
    text = DOCUMENT.read_text()
    section = text.split("\n## A walk\n")[1].split("\n## ")[0]
    steps: list[Step] = []
    for kind, content in re.findall(r"^```(\w+(?: \w+)?)\n(.*?)^```$", section, re.M | re.S):
        if kind == "python":
            name = content.splitlines()[0].removeprefix("# ")
            (folder / name).write_text(content)
        elif kind == "text":
            steps[-1].output = content
        else:
            assert kind in ("sh", "sh official"), kind
            steps.append(Step(content, official=kind == "sh official"))
    return steps


def script(steps: list[Step]) -> str:
    """Write all steps as one script for one shell; each prints into a file of its own."""
    paths = {False: Path(sys.executable).parent, True: Path(official_python()).parent}
    lines = ["set -eu", 'system="$PATH"']
    for number, step in enumerate(steps):
        lines.append(f'PATH="{paths[step.official]}:$system"')
        # In this shell, and no other: it is to keep its variables.
        lines.append(f"{{\n{step.commands}}} > {number}.out")
    return "\n".join(lines)


@pytest.fixture
def alone() -> list[str]:
    """What a command is to begin with to be alone with the walk."""
    if shutil.which("unshare") and shutil.which("ip"):
        tried = subprocess.run([*_ALONE, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return _ALONE
    try:
        with socket.create_server(("127.0.0.1", 5000)):
            return []
    except OSError:
        pytest.skip("port 5000 is taken, and this system gives tests no network of their own")


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Program]:
    """Somebody with an empty home, where no service is left behind."""
    home = tmp_path / "home"
    home.mkdir()
    program = Program(home)
    yield program
    program.close()


def test_a_newcomers_walk(newcomer: Program, tmp_path: Path, alone: list[str]) -> None:
    """Every command works, and what the document says is what they print."""
    folder = tmp_path / "work"
    folder.mkdir()
    steps = walk(folder)
    assert [step.official for step in steps if step.output] == [False, True]
    done = subprocess.run(
        [*alone, "bash", "-c", script(steps)],
        cwd=folder,
        env=newcomer.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for number, step in enumerate(steps):
        if step.output is not None:
            assert (folder / f"{number}.out").read_text() == step.output
    last = (folder / f"{len(steps) - 1}.out").read_text()
    assert "A compute service runs at http://127.0.0.1:5000" in last
    assert "Stopped the service at http://127.0.0.1:5000" in last
    assert newcomer.json("status")["state"] == "absent"
    assert not os.path.exists(newcomer.folder / "service.json")
