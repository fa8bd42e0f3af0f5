"""Where the official package's interpreter is: its virtual environment is not ours."""

from __future__ import annotations

import os
from pathlib import Path

_DEFAULT = Path(__file__).parents[2] / ".tools" / "official" / "bin" / "python"


class OfficialPackageMissing(Exception):
    """There is no interpreter that has the official package."""


def official_python() -> str:
    """Give the path of the interpreter that has the official package.

    Raises:
        OfficialPackageMissing: it is not where it should be.
    """
    path = os.environ.get("GCOMPUTE_OFFICIAL_PYTHON") or str(_DEFAULT)
    if not os.access(path, os.X_OK):
        raise OfficialPackageMissing(
            f"no interpreter with the official package at {path}: run "
            "'make .tools/official/.ready', or set GCOMPUTE_OFFICIAL_PYTHON to one that has it"
        )
    return path
