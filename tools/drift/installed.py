"""What an interpreter has installed: versions, folders of source, and public surfaces."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The script that describes a package, of the standard library alone.
DESCRIBE = Path(__file__).parents[2] / "tests" / "surface" / "describe.py"

_LOCATE = """
import importlib.metadata, importlib.util, json, sys
distribution, package = sys.argv[1:]
spec = importlib.util.find_spec(package)
print(json.dumps([importlib.metadata.version(distribution), list(spec.submodule_search_locations)]))
"""


class InstalledUnreadable(Exception):
    """An interpreter does not have a package, or the package cannot be imported there."""


@dataclass(frozen=True)
class Installed:
    """One package in one environment.

    Attributes:
        version: of its distribution.
        folder: its source.
        surface: its modules' public names, as `tests/surface/describe.py` gives them.
    """

    version: str
    folder: Path
    surface: dict[str, Any]


def read_installed(python: str, distribution: str, package: str, *modules: str) -> Installed:
    """Read what an interpreter has.

    Args:
        python: the interpreter.
        distribution: the package's name to pip.
        package: its name to `import`.
        modules: the modules whose names are read; ``*`` for all public ones.

    Raises:
        InstalledUnreadable: with the interpreter's own words.
    """
    version, folders = json.loads(_run(python, "-c", _LOCATE, distribution, package))
    surface = json.loads(_run(python, str(DESCRIBE), package, *modules))
    return Installed(version, Path(folders[0]), surface)


def _run(python: str, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [python, *arguments], capture_output=True, text=True, timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstalledUnreadable(f"{python} cannot be run: {error}") from error
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or ["it does not say why"]
        raise InstalledUnreadable(f"{python}: {words[-1]}")
    return done.stdout
