"""The official command line, ``globus-compute-endpoint``, as a user without privileges runs it.

With privileges it is another program: it registers endpoints of many users only, and starts what
they run as other users of the machine, who would have to be able to read its installation. So
where the tests run as root, the command gets a user namespace of its own, in which it is nobody.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_TIMEOUT_S = 60.0
_NOBODY = ("--user", "--map-user=65534", "--map-group=65534")


class NoPrivilegesToDrop(Exception):
    """This is root, and a user namespace cannot be made; the text says why."""


def without_privileges() -> list[str]:
    """Give what to put before a command so that it has no privileges.

    Raises:
        NoPrivilegesToDrop: there is no way.
    """
    if os.geteuid() != 0:
        return []
    unshare = shutil.which("unshare")
    if unshare is None:
        raise NoPrivilegesToDrop("these tests run as root, and there is no unshare (util-linux)")
    command = [unshare, *_NOBODY]
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise NoPrivilegesToDrop(f"no user namespace can be made: {tried.stderr.strip()}")
    return command


class OfficialCommand:
    """Runs ``globus-compute-endpoint``.

    Args:
        environment: all of it; ``PATH`` leads to the command.
        folder: where to run.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        command = shutil.which("globus-compute-endpoint", path=environment["PATH"])
        assert command is not None, "the official package has the command"
        self._command = [*without_privileges(), command]

    def __call__(self, *arguments: str) -> str:
        """Run the command to its end, which is to be a good one; give what it printed."""
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(arguments)} ended {done.returncode}: {printed}"
        return printed
