"""Reasons are for differences: none without, and none for nothing."""

from pathlib import Path
from typing import Any

import pytest

from tools.drift.explained import Explanations, WrongExplanations, load_explanations
from tools.drift.findings import Difference, Part

PARTS = ("recordings", "sdk")


def explain(*patterns: str) -> Explanations:
    """Give a reason for the patterns, in the part `sdk`."""
    entry = {"reason": "It is so.", "differences": list(patterns)}
    return Explanations({"sdk": [entry]}, PARTS)


def part(*differences: str, not_compared: list[str] | None = None) -> Part:
    """Make the part `sdk` with differences."""
    found = [Difference(each) for each in differences]
    return Part("sdk", "", "", differences=found, not_compared=not_compared or [])


@pytest.mark.parametrize(
    ("pattern", "what", "fits"),
    [
        ("Client.run(new): added", "Client.run(new): added", True),
        ("Client.run(new): added", "Client.run(new): missing", False),
        ("Client.run(new)", "Client.run(new): added", False),
        ("Client.run(*): added", "Client.run(new): added", True),
        ("*: added", "Client.run(new): added", True),
        ("tasks[]: *", "tasks[]: unknown field x", True),
        ("Client?run", "Client.run", False),
    ],
)
def test_patterns(pattern: str, what: str, fits: bool) -> None:
    """A pattern means itself, and `*` any text; brackets and question marks are none."""
    verdict = explain(pattern).judge(part(what))
    assert verdict.unexplained == ([] if fits else [Difference(what)])
    assert verdict.stale == ([] if fits else [pattern])
    assert verdict.is_clean is fits


def test_reasons_are_for_one_part() -> None:
    """A reason of one part explains nothing in another."""
    other = Part("recordings", "", "", differences=[Difference("same")])
    assert explain("same").judge(other).unexplained == [Difference("same")]


def test_nobody_can_tell_what_was_not_compared() -> None:
    """Without the newest SDK its reasons are not called stale."""
    assert explain("old").judge(part(not_compared=["no index"])).stale == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"sdc": []}, "'sdc' is no part of the comparison: recordings, sdk"),
        ({"sdk": ["x"]}, "has a reason and differences; this one is 'x'"),
        ({"sdk": [{"differences": ["x"]}]}, "has a reason and differences"),
        ({"sdk": [{"reason": "", "differences": ["x"]}]}, "no reason in a full sentence"),
        ({"sdk": [{"reason": "because", "differences": ["x"]}]}, "no reason in a full sentence"),
        ({"sdk": [{"reason": "So.", "differences": []}]}, "lists no differences"),
        (["sdk"], "were expected"),
    ],
)
def test_wrong_entries_are_told(content: Any, message: str) -> None:
    """What is no reason for a difference is an error that quotes it."""
    with pytest.raises(WrongExplanations, match=message):
        Explanations(content, PARTS)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    """A file that is missing, or no YAML, is named."""
    file = tmp_path / "reasons.yaml"
    with pytest.raises(WrongExplanations, match=r"reasons\.yaml: cannot be read"):
        load_explanations(PARTS, file)
    file.write_text("a: [", "utf-8")
    with pytest.raises(WrongExplanations, match=r"reasons\.yaml: cannot be read"):
        load_explanations(PARTS, file)
