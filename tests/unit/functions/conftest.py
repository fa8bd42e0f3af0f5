"""Commands write into the directory that they run in."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a working directory of its own, and no task's environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GC_TASK_SANDBOX_DIR", raising=False)
    monkeypatch.delenv("GC_TASK_UUID", raising=False)
    return tmp_path
