"""Scripts of the reference documents: run by a Python of their own, on both brokers.

A script is an example with the import changed and the placeholder ids replaced. It finds the
local service where the hosted one would be, and client credentials in its environment. Where an
example is a fragment or waits for nothing, the lines that make it a whole are marked with
``# added``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gcompute.local import LocalService

#: The endpoint that the examples name.
TUTORIAL_ENDPOINT = "4b116d3c-1703-4f8f-9f6f-39921e5864df"

#: Put where Python finds it before a script runs: the service is at the hosted one's address.
_SITE = """\
import os
import gcompute.environment
gcompute.environment._SERVICES["production"] = os.environ["LOCAL_SERVICE"]
"""

#: Runs a script; gives the lines that it wrote, those of errors and warnings last.
Script = Callable[[str], list[str]]


@pytest.fixture
def script(service: LocalService, tmp_path: Path) -> Script:
    """Give a function that runs a script."""
    file = tmp_path / "example.py"
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(_SITE, "utf-8")
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("GLOBUS_")},
        **service.environment(client_credentials=True),
        "GLOBUS_COMPUTE_USER_DIR": str(tmp_path / "tokens"),
        "HOME": str(tmp_path),
        "LOCAL_SERVICE": service.url,
        "PYTHONPATH": str(site),
    }

    def run(text: str) -> list[str]:
        file.write_text(text.replace(TUTORIAL_ENDPOINT, service.endpoint_id), "utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "always", str(file)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr
        return (done.stdout + done.stderr).splitlines()

    return run
