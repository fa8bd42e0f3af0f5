"""The Python of ``README.md`` and ``docs/``, run as it stands: against a local service.

What a page leaves to its reader is in :data:`READERS_PART`. The hosted service's address, and the
endpoint on it, become those of the service here. ``docs/local.md`` and ``docs/local-users.md``
have tests of their own, ``docs/testing.md`` is tried by ``scenarios/pytest_plugin``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gcompute.local import LocalService

ROOT = Path(__file__).parents[2]
TUTORIAL_ENDPOINT = "4b116d3c-1703-4f8f-9f6f-39921e5864df"
HOSTED = "https://compute.api.globus.org"

READERS_PART = """
endpoint_id, token = {endpoint!r}, {token!r}

def simulate(seed):
    if seed == 7:
        raise ValueError("no luck")
    return seed
"""


def blocks(page: Path) -> list[str]:
    """Give the Python of a page."""
    found = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S)
    assert found, page
    return found


def run(page: Path, service: LocalService, folder: Path) -> str:
    """Run the Python of a page, in order, as one script; give what it prints."""
    reader = READERS_PART.format(endpoint=service.endpoint_id, token=service.token)
    code = "\n".join([reader, *blocks(page)])
    code = code.replace(TUTORIAL_ENDPOINT, service.endpoint_id).replace(HOSTED, service.url)
    script = folder / "page.py"
    script.write_text(code)
    ran = subprocess.run(
        [sys.executable, "-W", "error", script.name],
        cwd=folder,
        env={**service.environment(client_credentials=True), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_readme_does_what_it_says(service: LocalService, tmp_path: Path) -> None:
    """Each of its parts prints what a reader expects."""
    said = run(ROOT / "README.md", service, tmp_path)
    lines = said.splitlines()
    assert lines[0].startswith("[0.0, 3.14159")
    assert lines[1].startswith("12.566")  # area(2), by an Executor
    assert len([line for line in lines if re.fullmatch(r"(\d+) \1", line)]) == 999  # simulate
    assert f"7 failed on {service.endpoint_id}" in lines
    assert "ValueError: no luck" in lines
    assert lines[-3].startswith("12.566")  # the same, by a Client
    assert lines[-2].startswith("1031")  # the sum over its batch
    assert lines[-1] == "online"  # the endpoint, by the typed bindings


@pytest.mark.parametrize("page", ["serialization"])
def test_the_pages_examples_run(page: str, service: LocalService, tmp_path: Path) -> None:
    """They print nothing; that they end well is enough."""
    run(ROOT / "docs" / f"{page}.md", service, tmp_path)
