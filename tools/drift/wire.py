"""The part that records anew with the newest SDK, and compares what it says with the recordings.

The recorder of `make record` plays the same scenarios with the newest SDK, against a local service
with the same agent. So whatever differs is the SDK's doing, or a recording is not what `make
record` makes of its scenario any more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tools.drift.exchanges import WrongRecording
from tools.drift.findings import Difference, Part
from tools.drift.newest import NewestUnavailable, install
from tools.drift.statements import statements, versions
from tools.recording.cassette_format import load

Json = Any

REASONS = "tools/drift/explained.yaml"
ROOT = Path(__file__).parents[2]

#: What the recorder needs beside the SDK.
_RECORDER = "vcrpy>=7"
#: Seconds for all scenarios.
_PATIENCE_S = 1800
#: The longest line in a report; what a function means takes many more characters.
_LONGEST = 240


class RecordingFailed(Exception):
    """The recorder recorded nothing at all; the message has its last words."""


class Recorded:
    """What a recording says: its statements, and with which minor version of Python."""

    def __init__(self, recording: Json, frames: Sequence[Json]) -> None:
        self.statements = statements(recording, frames)
        python = versions(recording["head"]).get("Python", "an unknown version")
        self.python = ".".join(python.split(".")[:2])


def compare_wire(cassettes: Path, newest: Callable[[], str], words: Sequence[str] = ()) -> Part:
    """Record, and compare.

    Args:
        cassettes: the folder of recordings.
        newest: gives an interpreter that has the newest SDK.
        words: words of the names of the scenarios to record; none for all.
    """
    part = Part("wire", "cassettes/ and the same scenarios with the newest SDK", REASONS)
    recorded = {
        name: path
        for name, path in _scenarios(cassettes).items()
        if not words or any(word in name for word in words)
    }
    with tempfile.TemporaryDirectory(prefix="gcompute-drift-") as folder:
        try:
            python = newest()
            install(_RECORDER, python)
            record(python, Path(folder), words)
        except (NewestUnavailable, RecordingFailed) as error:
            part.not_compared.append(str(error))
            return part
        compare_scenarios(part, _read(recorded), _read(_scenarios(Path(folder))))
    if words:
        part.not_compared.append(f"scenarios without {' or '.join(words)} in their names")
    return part


def record(python: str, folder: Path, words: Sequence[str] = ()) -> None:
    """Have scenarios recorded into a folder; one that fails is missing there.

    Raises:
        RecordingFailed: all of them are.
    """
    command = [sys.executable, "-m", "tools.recording", "--python", python]
    command += ["--folder", str(folder), *words]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise RecordingFailed(f"the recorder was not done within {_PATIENCE_S} s") from error
    if not _scenarios(folder):
        output = (done.stderr.strip() or done.stdout.strip() or "it does not say why").splitlines()
        raise RecordingFailed(f"nothing could be recorded: {output[-1]}")


def compare_scenarios(
    part: Part, recorded: Mapping[str, Recorded], newest: Mapping[str, Recorded]
) -> None:
    """Compare what both clients said, scenario by scenario.

    Args:
        part: where differences go; one that many scenarios show is one.
        recorded: by the scenario's name, what the recordings hold.
        newest: what was recorded now.
    """
    found: dict[str, str] = {}
    lines = 0
    for name in sorted(recorded.keys() | newest.keys()):
        if name not in newest:
            found.setdefault(f"{name}: cannot be recorded any more", "")
        elif name not in recorded:
            found.setdefault(f"{name}: is a scenario without a recording", "")
        elif recorded[name].python != newest[name].python:
            part.not_compared.append(
                f"{name}: recorded with Python {recorded[name].python}, and now with "
                f"{newest[name].python}, which writes functions in other bytes"
            )
        else:
            before, now = recorded[name].statements, newest[name].statements
            lines += len(before)
            for line in sorted(before ^ now):
                what = "is said no more" if line in before else "is new"
                found.setdefault(f"{_shortened(line)}: {what}", name)
    part.compared.append(f"{lines} facts of {len(recorded.keys() & newest.keys())} scenarios")
    part.differences += [Difference(what, where) for what, where in found.items()]


def _scenarios(folder: Path) -> dict[str, Path]:
    """Find the recordings of scenarios below a folder, those of other services left out."""
    return {
        str(file.relative_to(folder).with_suffix("")): file
        for file in sorted(folder.glob("*/*.yaml"))
    }


def _read(files: Mapping[str, Path]) -> dict[str, Recorded]:
    return {name: _recorded(file) for name, file in files.items()}


def _recorded(file: Path) -> Recorded:
    events = file.with_suffix(".amqp.jsonl")
    lines = events.read_text("utf-8").splitlines() if events.exists() else []
    try:
        return Recorded(load(file.read_text("utf-8")), [json.loads(line) for line in lines])
    except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise WrongRecording(
            f"{file}: is not a recording as `make record` writes them: {error!r}"
        ) from error


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
