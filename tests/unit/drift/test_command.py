"""The command compares what it is told to, and says by its status what it found."""

from pathlib import Path

import pytest

from tools.drift.__main__ import main


def test_one_part(capsys: pytest.CaptureFixture[str]) -> None:
    """The project's contract does not drift, and its reasons have the form that they must have."""
    assert main(["contract"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("contract: ")
    assert "recordings: " not in printed


def test_drift(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without recordings is drift, and says what to run."""
    assert main(["contract", "recordings", "--cassettes", str(tmp_path)]) == 1
    assert "unexplained: there is no recording: run `make record`" in capsys.readouterr().out


def test_a_broken_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be read ends the comparison, and is named."""
    (tmp_path / "broken.yaml").write_text("a: [", "utf-8")
    assert main(["recordings", "--cassettes", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "broken.yaml: is not a recording" in captured.err
