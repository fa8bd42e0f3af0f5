"""The comparison finds what differs: names, arguments, their defaults, kinds and places."""

from __future__ import annotations

from typing import Any

import pytest

from .comparison import Comparison, Difference, Import, compare
from .explanations import Explanations
from .reference import compare_with_documents, parameters_of


def _method(signature: str) -> dict[str, Any]:
    return {"what": "method", "parameters": parameters_of(signature)}


def _cls(home: str, **members: dict[str, Any]) -> dict[str, Any]:
    return {"what": "class", "home": home, "parameters": [], "members": members}


def _compared(theirs: str, ours: str) -> set[tuple[str, str]]:
    done = compare(
        [Import("globus_compute_sdk", "gcompute")],
        {"globus_compute_sdk": {"C": _cls("a.C", m=_method(theirs))}},
        {"gcompute": {"C": _cls("b.C", m=_method(ours))}},
    )
    return {difference.key for difference in done.differences}


@pytest.mark.parametrize(
    ("theirs", "ours", "found"),
    [
        ("(x, y=1, *a, k=2, **b)", "(x, y=1, *args, k=2, **kwargs)", set()),
        ("(x, y=1)", "(x)", {("missing", "C.m(y)")}),
        ("(x)", "(x, z=None)", {("added", "C.m(z)")}),
        ("(x=1)", "(x=2)", {("changed", "C.m(x)")}),
        ("(x=None)", "(x)", {("changed", "C.m(x)")}),
        ("(x)", "(*, x)", {("changed", "C.m(x)")}),
        ("(x, y)", "(y, x)", {("changed", "C.m(x)"), ("changed", "C.m(y)")}),
        ("(**kwargs)", "()", {("missing", "C.m(**)")}),
    ],
)
def test_arguments(theirs: str, ours: str, found: set[tuple[str, str]]) -> None:
    """By name, kind, default and place; what ``*args`` are called is nobody's business."""
    assert _compared(theirs, ours) == found


def test_names() -> None:
    """Missing and added ones, in modules and classes; a class is compared once."""
    theirs = _cls("a.C", gone=_method("()"), same=_method("()"))
    ours = _cls("b.C", same={"what": "attribute"}, new=_method("()"))
    done = compare(
        [
            Import("globus_compute_sdk", "gcompute", {"Old": "gcompute.deep.Renamed"}),
            Import("globus_compute_sdk.sdk", "gcompute"),
        ],
        {
            "globus_compute_sdk": {"C": theirs, "Gone": theirs, "Old": {"what": "value"}},
            "globus_compute_sdk.sdk": {"C": theirs},
        },
        {
            "gcompute": {"C": ours, "New": {"what": "value"}},
            "gcompute.deep": {"Renamed": {"what": "value"}},
        },
    )
    assert sorted(difference.key for difference in done.differences) == [
        ("added", "C.new"),
        ("added", "New"),
        ("changed", "C.same"),
        ("missing", "C.gone"),
        ("missing", "Gone"),
    ]


def test_documents() -> None:
    """What they describe is looked for here; what they do not describe is no difference."""
    entries: list[dict[str, Any]] = [
        {"path": "C", "keywords": ["old"], "attributes": ["state"]},
        {"path": "C", "methods": {"m": {"signature": "(x, y=1)"}, "n": {"signature": "()"}}},
        {"path": "D"},
    ]
    done: Comparison = compare_with_documents(
        entries, {"gcompute": {"C": _cls("b.C", m=_method("(x, y=2, z=3)"))}}
    )
    assert sorted(difference.key for difference in done.differences) == [
        ("changed", "C.m(y)"),
        ("missing", "C(old)"),
        ("missing", "C.n"),
        ("missing", "C.state"),
        ("missing", "D"),
    ]


def test_reasons() -> None:
    """A reason is for a kind and a path; ``*`` stands for any text in it."""
    section = {"entries": [{"missing": ["C.*"], "added": ["New"], "reason": "why"}]}
    listed = Explanations({"surface": [section]})
    missing, added = Difference("missing", "C.m"), Difference("added", "C.m")
    assert listed.unexplained([missing, added]) == [added]
    assert listed.without_difference([missing, added]) == [("added", "New")]
