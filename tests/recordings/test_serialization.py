"""What the official package wrote by each strategy loads here, without that package."""

from __future__ import annotations

import base64
import json
import platform
from pathlib import Path
from typing import Any

import pytest

import gcompute.serialize
from tests.interop import peer
from tests.interop.catalogue import ROWS
from tests.recordings.playing import CASSETTES

Json = Any

_HEADS: dict[str, Json] = {}
_VECTORS: list[tuple[str, Json]] = []
for _path in sorted((CASSETTES / "serialization").glob("*.jsonl")):
    _head, *_lines = map(json.loads, _path.read_text("utf-8").splitlines())
    _HEADS[_path.stem] = _head
    _VECTORS += [(_path.stem, _line) for _line in _lines]

#: Samples that are too long for a recording.
_LONG = {"five_megabytes", "many_integers"}
#: dill's function that makes code, in base64: from each of the three places in a group of bytes.
_MAKES_CODE = [base64.b64encode(b"_create_code"[n : n + 9]).decode() for n in range(3)]


def _has_bytecode(text: str) -> bool:
    joined = text.replace("\n", "")
    return any(piece in joined for piece in _MAKES_CODE)


def test_every_sample_is_recorded_by_every_strategy() -> None:
    """With its text; but for those that the official package cannot write, and two long ones."""
    assert {(strategy, line["sample"]) for strategy, line in _VECTORS} == {
        (strategy, sample.name) for strategy, sample in ROWS
    }
    assert {line["sample"] for _, line in _VECTORS if "left_out" in line} == _LONG
    assert all(
        "text" in line or "not_written" in line or "left_out" in line for _, line in _VECTORS
    )


def test_each_file_says_what_made_it() -> None:
    """The package, dill and Python."""
    for strategy, head in _HEADS.items():
        assert head["strategy"] == strategy
        assert head["client"].startswith("globus-compute-sdk 4.19.0, dill 0.3.9, Python 3.")


@pytest.mark.parametrize(
    ("strategy", "line"),
    [
        pytest.param(strategy, line, id=f"{strategy}-{line['sample']}")
        for strategy, line in _VECTORS
        if line.get("outcome") == "loaded"
    ],
)
def test_what_it_loads_loads_here(
    strategy: str, line: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same meaning."""
    monkeypatch.chdir(tmp_path)  # a command writes what it prints to files of its folder
    python = _HEADS[strategy]["client"].rpartition(" ")[2]
    same = python.split(".")[:2] == platform.python_version().split(".")[:2]
    if not same and _has_bytecode(line["text"]):
        pytest.skip(f"bytecode of Python {python}")
    loaded = peer.load("gcompute", gcompute.serialize, line["text"], line["probe"])
    assert loaded == {"holds": True}
