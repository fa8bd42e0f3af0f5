"""The report says what was compared and what was not, and its exit status is what it says."""

import pytest

from tools.drift.findings import Difference, Part, Verdict, exit_status, report, summary


def verdict(
    unexplained: list[Difference] | None = None,
    stale: list[str] | None = None,
    not_compared: list[str] | None = None,
) -> Verdict:
    """Make a verdict of a part with one explained difference."""
    part = Part("sdk", "one and other", "reasons.yaml", compared=["12 names"])
    part.differences = [Difference("explained"), *(unexplained or [])]
    part.not_compared = not_compared or []
    return Verdict(part, unexplained or [], stale or [])


def test_the_report_has_it_all() -> None:
    """Compared, not compared, explained, unexplained with its place, stale, and the sum."""
    found = verdict([Difference("Client.run(new): added", "default None")], ["old"], ["no index"])
    assert [*report(found), summary([found])] == [
        "sdk: one and other",
        "  compared: 12 names",
        "  not compared: no index",
        "  1 difference explained in reasons.yaml",
        "  unexplained: Client.run(new): added (default None)",
        "  explains nothing: old",
        "  correct what is wrong, or give the reason in reasons.yaml",
        "drift: 1 difference without a reason, 1 reason for nothing, 1 comparison not made",
    ]


def test_a_clean_report_says_so() -> None:
    """The sum of nothing is told as well."""
    assert summary([verdict(), verdict()]) == "drift: 0 differences without a reason"


@pytest.mark.parametrize(
    ("found", "at_home", "strict"),
    [
        (verdict(), 0, 0),
        (verdict([Difference("new")]), 1, 1),
        (verdict(stale=["old"]), 1, 1),
        (verdict(not_compared=["no index"]), 0, 1),
    ],
)
def test_exit_status(found: Verdict, at_home: int, strict: int) -> None:
    """Drift is 1; what could not be compared is drift to the strict alone."""
    assert exit_status([verdict(), found], strict=False) == at_home
    assert exit_status([found, verdict()], strict=True) == strict
