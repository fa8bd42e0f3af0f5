"""`make drift` notices what a newer SDK changes, on a package index of files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.drift.packages import CLIENT, write_sdk
from tools.drift.newest import install_newest

ROOT = Path(__file__).parents[3]

Drift = Callable[..., "subprocess.CompletedProcess[str]"]


def index_variables(index: str) -> dict[str, str]:
    """Point pip at a folder of files and at nothing else."""
    return {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": index}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give an interpreter that has the release 4.19.0."""
    folder = tmp_path_factory.mktemp("recorded")
    write_sdk(folder / "index", "4.19.0")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in index_variables(str(folder / "index")).items():
            patch.setenv(name, value)
        return install_newest("globus-compute-sdk", folder / "environment")


@pytest.fixture
def drift(tmp_path: Path, recorded: str) -> Drift:
    """Give a function that compares with the newest release of the index in `tmp_path`."""

    def run(
        *arguments: str, reasons: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "explained.yaml").write_text(reasons, "utf-8")
        command = [sys.executable, "-m", "tools.drift", "sdk", "--recorded", recorded]
        command += [
            "--newest",
            str(tmp_path / "newest"),
            "--cassettes",
            str(tmp_path / "cassettes"),
        ]
        command += ["--explained", str(tmp_path / "explained.yaml"), *arguments]
        environment = {**os.environ, **index_variables(str(tmp_path / "index")), **variables}
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_the_same_release(tmp_path: Path, drift: Drift) -> None:
    """Nothing differs, and the report says what was compared."""
    write_sdk(tmp_path / "index", "4.19.0")
    done = drift("--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "globus-compute-sdk 4.19.0, newest 4.19.0: 4 names" in done.stdout
    assert "1 environment variables of globus-compute-sdk" in done.stdout
    assert done.stdout.endswith("drift: 0 differences without a reason\n")


def test_an_argument_and_a_variable_more(tmp_path: Path, drift: Drift) -> None:
    """The newer of two releases is compared; each difference needs a reason, and then has one."""
    client = CLIENT.replace("endpoint_id=None", "endpoint_id=None, priority=0")
    write_sdk(tmp_path / "index", "4.19.0")
    write_sdk(tmp_path / "index", "4.20.0", client.replace('"SDK_SCOPE"', '"SDK_NEW_SCOPE"'))
    done = drift()
    assert done.returncode == 1, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if "unexplained" in line] == [
        "  unexplained: environment variable SDK_NEW_SCOPE: added (client.py)",
        "  unexplained: environment variable SDK_SCOPE: missing (client.py)",
        "  unexplained: globus_compute_sdk.Client.run(priority): added",
    ]
    reasons = """
sdk:
  - reason: It is too new.
    differences: ["globus_compute_sdk.Client.run(priority): added"]
  - reason: The scope was renamed.
    differences: ["environment variable SDK_*: *"]
"""
    explained = drift(reasons=reasons)
    assert explained.returncode == 0, explained.stdout + explained.stderr
    assert "3 differences explained" in explained.stdout


def test_a_reason_for_nothing(tmp_path: Path, drift: Drift) -> None:
    """A reason that outlived its difference fails."""
    write_sdk(tmp_path / "index", "4.19.0")
    done = drift(reasons="sdk: [{reason: It was so., differences: [gone]}]")
    assert done.returncode == 1
    assert "  explains nothing: gone\n" in done.stdout


def test_without_an_index(tmp_path: Path, drift: Drift) -> None:
    """What could not be compared is told with pip's words; it is drift to the strict alone."""
    (tmp_path / "index").mkdir()
    done = drift()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  not compared: pip cannot install globus-compute-sdk: " in done.stdout
    assert "No matching distribution found for globus-compute-sdk" in done.stdout
    assert done.stdout.endswith("0 differences without a reason, 1 comparison not made\n")
    assert drift("--strict").returncode == 1


def test_without_the_recorded_one(tmp_path: Path, drift: Drift) -> None:
    """An interpreter that does not have the SDK is an error that names it."""
    write_sdk(tmp_path / "index", "4.19.0")
    done = drift("--recorded", str(tmp_path / "nowhere" / "python"))
    assert done.returncode == 2
    assert "nowhere/python cannot be run" in done.stderr


def test_wrong_use(drift: Drift) -> None:
    """A part that is none, and reasons that are none, are told; nothing is compared."""
    done = drift("amqp")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no such part: amqp; the parts are contract, recordings, sdk, wire" in done.stderr
    done = drift(reasons="sdk: [{reason: because, differences: [x]}]")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no reason in a full sentence for ['x']" in done.stderr
