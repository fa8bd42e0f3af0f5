"""The lower bounds of the dependencies, with everything at its lowest."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]

#: For the first test, which has pip fetch and install what it needs.
pytestmark = pytest.mark.timeout(900)

#: Runs functions through the local service, with nothing but what was installed.
SCRIPT = """
from gcompute import TaskExecutionFailed
from gcompute.local import LocalService

def triple(x):
    return 3 * x

def fail():
    raise ValueError("as it should")

with LocalService(workers=1) as service, service.executor() as executor:
    assert [f.result(30) for f in [executor.submit(triple, n) for n in range(10)]][-1] == 27
    assert isinstance(executor.submit(fail).exception(30), TaskExecutionFailed)
    client = service.client()
    task_id = client.run(
        2, endpoint_id=service.endpoint_id, function_id=client.register_function(triple)
    )
    assert client.wait([task_id], timeout=30)[task_id]["result"] == 6
print("fine")
"""


def _lowest() -> list[str]:
    """Give each dependency of the package and of its local service at its lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = []
    for text in project["dependencies"] + project["optional-dependencies"]["local"]:
        requirement = Requirement(text)
        (bound,) = (s.version for s in requirement.specifier if s.operator == ">=")
        pinned.append(f"{requirement.name}=={bound}")
    return pinned


def test_every_dependency_has_a_lower_bound() -> None:
    """A range says what was tested; none is pinned, and an upper bound gives its reason."""
    text = (ROOT / "pyproject.toml").read_text()
    assert len(_lowest()) >= 8
    for line in re.findall(r'^  "[a-z-]+>=.*<.*$', text, re.MULTILINE):
        assert "#" in line, f"no reason for the upper bound: {line.strip()}"


def test_functions_run_with_the_lowest_versions(
    wheel: Path, make_environment: Callable[..., Path], run: Callable[..., str]
) -> None:
    """What the bounds allow works: client, executor and local service."""
    python = make_environment(wheel, *_lowest())
    script = python.parents[2] / "script.py"
    script.write_text(SCRIPT)
    assert run(python, script, cwd=script.parent) == "fine\n"
