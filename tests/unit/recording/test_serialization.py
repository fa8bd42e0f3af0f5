"""Recorded pickles name no folder of the machine that made them."""

from __future__ import annotations

import pytest

from gcompute.serialize import ComputeSerializer, pack_buffers, unpack_buffers
from tools.recording.serialization import moved

FOLDER = "/opt/pythons/3.11/lib/"
SERIALIZER = ComputeSerializer()


@pytest.mark.parametrize("around", [0, 100])
def test_a_folder_within_a_pickle_is_moved(around: int) -> None:
    """Whatever else is in it, it loads as before."""
    value = ["x" * around, f"{FOLDER}dataclasses.py", {"y": 1}]
    text = pack_buffers([SERIALIZER.serialize(1), SERIALIZER.serialize(value)])
    changed = moved(text, FOLDER)
    assert len(changed) == len(text)
    one, (before, path, after) = map(SERIALIZER.deserialize, unpack_buffers(changed))
    assert (one, before, after) == (1, value[0], value[2])
    assert path == "/elsewhere/elsewhere//dataclasses.py"


@pytest.mark.parametrize(
    "text", ["st\nf:def f(): pass\n", "11\n[1]", "", SERIALIZER.serialize([1])]
)
def test_any_other_text_stays(text: str) -> None:
    """To the letter."""
    assert moved(text, FOLDER) == text
