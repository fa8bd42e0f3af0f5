"""An environment with the newest official SDK that the package index offers.

It is made anew each time, as the index may also take a version back. pip finds the index where it
finds it for everything else: in its configuration and its environment variables.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

#: Seconds for the whole installation.
PATIENCE_S = 600


class NewestUnavailable(Exception):
    """The newest version could not be installed; the message has pip's reason."""


def install_newest(distribution: str, folder: Path) -> str:
    """Make an environment that has the newest version, and give its interpreter.

    Args:
        distribution: what to install, without a version.
        folder: where the environment is made; what is there is removed.

    Raises:
        NewestUnavailable: the index cannot be reached, or has nothing that can be installed.
    """
    venv.EnvBuilder(with_pip=False, clear=True, symlinks=True).create(folder)
    python = str(folder / "bin" / "python")
    install(distribution, python)
    return python


def install(requirement: str, python: str) -> None:
    """Install something more for an interpreter.

    Raises:
        NewestUnavailable: it cannot be installed.
    """
    command = [sys.executable, "-m", "pip", "--python", python, "install"]
    command += ["--quiet", "--quiet", "--retries", "1", "--disable-pip-version-check", requirement]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NewestUnavailable(
            f"pip did not install {requirement} within {PATIENCE_S} s"
        ) from error
    if done.returncode != 0:
        raise NewestUnavailable(f"pip cannot install {requirement}: {_reason(done.stderr)}")


def _reason(output: str) -> str:
    """Give the last error of pip's, which says what it comes to."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return errors[-1].removeprefix("ERROR: ") if errors else "it does not say why"
