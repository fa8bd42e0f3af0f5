"""The official package: where its interpreter is, and what points it at a local service.

Its virtual environment is not ours, and nothing in it is changed. The official SDK 4.19.0 knows
one address of a local service, ``http://localhost:5000``, which ``GLOBUS_SDK_ENVIRONMENT=local``
selects. ``HTTP_PROXY`` makes the service that listens at any other port answer for that address.
"""

from __future__ import annotations

import os
from pathlib import Path

from gcompute.local import LocalService

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


def official_environment(service: LocalService, folder: Path) -> dict[str, str]:
    """Give the whole environment of an official process that knows a service and nothing else.

    Args:
        service: the service; the process logs in as its client, with credentials.
        folder: home of the process and of its tokens.
    """
    binaries = str(Path(official_python()).parent)
    return {
        "PATH": os.pathsep.join([binaries, os.environ.get("PATH", os.defpath)]),
        "HOME": str(folder),
        "GLOBUS_COMPUTE_USER_DIR": str(folder / "globus_compute"),
        "GLOBUS_SDK_ENVIRONMENT": "local",
        "HTTP_PROXY": service.url,
        **service.environment(client_credentials=True),
    }
