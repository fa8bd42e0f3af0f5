"""The hardware report."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Any

import pytest

from gcompute import hardware_report


def test_sections_have_headlines() -> None:
    """Python and disks are everywhere; the title is on each."""
    report = hardware_report("Compute Endpoint Worker")
    assert f"Interpreter path: {sys.executable}" in report
    headlines = [line for line in report.splitlines() if line.startswith("== ")]
    assert "== Compute Endpoint Worker == == shell: df -h ==" in headlines
    assert all(line.startswith("== Compute Endpoint Worker == == ") for line in headlines)
    assert hardware_report().startswith("== python: python_runtime_host_info ==\n")


def test_what_a_machine_lacks_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tool, no section; without psutil the report says so."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "psutil", None)
    report = hardware_report()
    assert "== shell: " not in report
    assert "psutil is not installed here" in report


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (subprocess.TimeoutExpired("df", 30), "the command took more than 30 seconds"),
        (PermissionError("no"), "the command could not be run: no"),
        (subprocess.CompletedProcess([], 1, "", "oops"), "== shell: df -h ==\noops"),
        (subprocess.CompletedProcess([], 0, "", ""), "the command wrote nothing"),
    ],
)
def test_a_command_that_fails_costs_its_section_only(
    monkeypatch: pytest.MonkeyPatch, outcome: Any, text: str
) -> None:
    """The rest of the report is there."""

    def run(*_args: Any, **_settings: Any) -> Any:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    report = hardware_report()
    assert text in report
    assert "Interpreter path" in report


def test_memory_is_shown_where_psutil_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """In units for people, and exactly; the share in percent."""

    class Memory:
        def _asdict(self) -> dict[str, float]:
            return {"total": 3 * 2**30, "percent": 12.5, "free": 7}

    class Psutil:
        virtual_memory = swap_memory = Memory

    monkeypatch.setitem(sys.modules, "psutil", Psutil)
    report = hardware_report()
    assert "Total: 3.0 GiB (3221225472)\n" in report
    assert "Percent: 12.5 %\n" in report
    assert "Free: 7.0 B (7)" in report
