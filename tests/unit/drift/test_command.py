"""The command compares what it is told to, and says by its status what it found."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.recordings.playing import CASSETTES
from tools.drift.__main__ import main


def test_nothing_of_ours_drifts(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the document from the contract, nor the recordings from the document: no difference
    is without a reason, and no reason for nothing. What is left needs the package index."""
    status = main(["contract", "recordings", "--strict"])
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert "\nrecordings: " in printed


def test_one_part(capsys: pytest.CaptureFixture[str]) -> None:
    """What was not asked for is not compared."""
    assert main(["contract"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("contract: ")
    assert "recordings: " not in printed


def test_drift(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without recordings is drift, and says what to run."""
    assert main(["contract", "recordings", "--cassettes", str(tmp_path)]) == 1
    assert "unexplained: there is no recording: run `make record`" in capsys.readouterr().out


def _removed(folder: Path, name: str) -> str:
    (folder / name).unlink()
    return f"{name}: is missing"


def _changed(folder: Path, name: str) -> str:
    with (folder / name).open("a") as file:
        file.write("\n")
    return f"{name}: was changed after it was recorded"


def _added(folder: Path, name: str) -> str:
    shutil.copy(folder / "client" / "poll.yaml", folder / name)
    return f"{name}: was not written by the recorder"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (_removed, "client/poll.yaml"),
        (_removed, "executor/reload.amqp.jsonl"),
        (_removed, "serialization/DillCode.jsonl"),
        (_changed, "executor/reload.amqp.jsonl"),
        (_added, "client/more.yaml"),
    ],
)
def test_recordings_that_are_not_all_there(
    change: Callable[[Path, str], str],
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each of them counts, also where another says the same."""
    folder = tmp_path / "cassettes"
    shutil.copytree(CASSETTES, folder)
    told = change(folder, name)
    assert main(["recordings", "--cassettes", str(folder)]) == 1
    assert f"unexplained: {told}" in capsys.readouterr().out


def test_a_broken_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be read ends the comparison, and is named."""
    (tmp_path / "broken.yaml").write_text("a: [", "utf-8")
    assert main(["recordings", "--cassettes", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "broken.yaml: is not a recording" in captured.err
