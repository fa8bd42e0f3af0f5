"""A wheel of the repository, and virtual environments to install it in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: This environment without what would let a new one see this repository.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}

#: Runs a command to its end in a folder, and gives what it printed.
Run = Callable[..., str]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run commands; a failure shows all that they said."""

    def run_command(*command: object, cwd: Path) -> str:
        done = subprocess.run(
            list(map(str, command)),
            cwd=cwd,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run_command


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """The wheel, built from the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def make_environment(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Callable[..., Path]:
    """Make virtual environments: given what pip is to install, give the interpreter."""

    def make(*requirements: object) -> Path:
        folder = tmp_path_factory.mktemp("environment")
        run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
        interpreter = folder / "venv" / "bin" / "python"
        run(interpreter, "-m", "pip", "install", "--quiet", *requirements, cwd=folder)
        return interpreter

    return make
