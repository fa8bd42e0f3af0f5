"""What makes two recordings the same, and what does not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from gcompute.serialize import ComputeSerializer
from tools.recording.cassette_format import dump
from tools.recording.comparison import compared
from tools.recording.differences import ABSENT, differences

Json = Any
ONE, OTHER, THIRD = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "123")

TREE: Json = {
    "head": {"scenario": "s", "date": "2026-01-01", "service": "commit a"},
    "seen": [{"result": 3}],
    "interactions": [
        {
            "request": {"method": "POST", "uri": f"https://x/{ONE}", "json": {"ids": [ONE, OTHER]}},
            "response": {
                "status": 200,
                "json": {
                    "task_id": OTHER,
                    "status": "waiting-for-ep",
                    "completion_t": "1795272320.2226624",
                    "lock": 1795272320,
                    "at": "2026-01-01T10:00:00.5+00:00",
                    "result": ComputeSerializer().serialize([1, "a"]),
                },
            },
        }
    ],
}
FRAMES = [{"from": "broker", "channel": 1, "body_size": 9, "arguments": {"delivery_tag": 1}}]


def _write(folder: Path, name: str, tree: Json, frames: Json) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(dump(tree), "utf-8")
    path.with_suffix(".amqp.jsonl").write_text("\n".join(map(json.dumps, frames)), "utf-8")
    return path


def _differ(folder: Path, tree: Json, frames: Json = FRAMES) -> list[str]:
    one, other = _write(folder, "one", TREE, FRAMES), _write(folder, "other", tree, frames)
    return [place for place, _, _ in compared(one, other)]


def _with(*path: str | int, value: Json) -> Json:
    tree = copy.deepcopy(TREE)
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return tree


ANSWER = ("interactions", 0, "response", "json")


def test_what_is_made_afresh_is_the_same(tmp_path: Path) -> None:
    """Ids in their order, times, states before the end, pickles, date and commit."""
    tree = json.loads(json.dumps(TREE).replace(ONE, THIRD).replace("1795272320", "1795999999"))
    answer = tree["interactions"][0]["response"]["json"]
    answer |= {"status": "received", "at": "2026-02-02T10:00:00Z"}
    answer["result"] = answer["result"].replace("\n", "", 1).replace("00", "00\n", 1)
    tree["head"] |= {"date": "2026-05-05", "service": "commit b"}
    assert _differ(tmp_path, tree, [FRAMES[0] | {"body_size": 10}]) == []


def test_an_id_is_no_time(tmp_path: Path) -> None:
    """Whatever digits it ends with."""
    tree = json.loads(json.dumps(TREE).replace(ONE, f"{ONE[:24]}1795272320ab"))
    assert _differ(tmp_path, tree) == []


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        (_with("head", "scenario", value="t"), "head.scenario"),
        (_with("seen", value=[{"result": 4}]), "seen[0].result"),
        (_with(*ANSWER, "status", value="success"), "interactions[0].response.json.status"),
        (_with(*ANSWER, "lock", value=5), "interactions[0].response.json.lock"),
        (_with(*ANSWER, "lock", value=True), "interactions[0].response.json.lock"),
        (_with(*ANSWER, "task_id", value=ONE), "interactions[0].response.json.task_id"),
        (_with(*ANSWER, "more", value=None), "interactions[0].response.json.more"),
        (
            _with(*ANSWER, "result", value=ComputeSerializer().serialize([1, "b"])),
            "interactions[0].response.json.result",
        ),
    ],
)
def test_what_matters_differs(tree: Json, place: str, tmp_path: Path) -> None:
    """And is named by its place."""
    assert _differ(tmp_path, tree) == [place]


def test_frames_are_compared(tmp_path: Path) -> None:
    """Each, and how many there are."""
    changed = [FRAMES[0] | {"arguments": {"delivery_tag": 2}}]
    assert _differ(tmp_path, TREE, changed) == ["frames[0].arguments.delivery_tag"]
    assert _differ(tmp_path, TREE, FRAMES * 2) == ["frames"]


def test_differences_are_told_by_place_and_both_values() -> None:
    """Also where one has nothing, or something of another type."""
    one = {"a": [1, {"b": 1}], "c": 1, "d": 1}
    other = {"a": [1, {"b": 2}], "c": True, "e": 1}
    assert list(differences(one, other)) == [
        ("a[1].b", 1, 2),
        ("c", 1, True),
        ("d", 1, ABSENT),
        ("e", ABSENT, 1),
    ]
    assert f"{ABSENT!r}" == "nothing"


def test_no_value_is_taken_for_none() -> None:
    """Whatever a field holds, it is another thing than no field."""
    values: list[Json] = [None, "", "nothing", 0, False, [], {}]
    for value in values:
        assert list(differences({"a": value}, {})) == [("a", value, ABSENT)]
