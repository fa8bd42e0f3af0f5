"""What counts as right, and that nothing else does."""

from __future__ import annotations

import pytest

from tests.faults.client import Ending
from tests.faults.endpoint import expected
from tests.faults.table import render
from tests.faults.verdict import Verdict, judge

GROUP = "30000000-0000-4000-8000-000000000003"
CALLS = {"a": 1, "b": 2}
RIGHT = {"a": Ending(expected(1)), "b": Ending(expected(2))}
UNCERTAIN = Ending(error="SubmissionUncertain", text=f"look in {GROUP}", task_group_id=GROUP)


def judged(
    endings: dict[str, Ending], *, tasks: tuple[int, ...] = (1, 2), may_be_uncertain: int = 0
) -> Verdict:
    return judge(
        CALLS,
        endings,
        asked=CALLS.values(),
        tasks=tasks,
        task_group_id=GROUP,
        may_be_uncertain=may_be_uncertain,
    )


def test_own_results_are_right() -> None:
    """Each call with its own result, and each task once."""
    verdict = judged(RIGHT)
    assert verdict.good
    assert verdict.right == 2
    assert verdict.remainder == ""


@pytest.mark.parametrize(
    ("endings", "remainder"),
    [
        ({"a": RIGHT["a"]}, "1 pending"),
        ({"a": RIGHT["b"], "b": RIGHT["b"]}, "1 WRONG"),
        ({**RIGHT, "c": Ending(expected(1))}, "1 WRONG"),
        ({"a": RIGHT["a"], "b": Ending(error="OSError")}, "1 OSError"),
        ({"a": RIGHT["a"], "b": UNCERTAIN}, "1 SubmissionUncertain"),
    ],
    ids=["missing", "another's", "unasked", "error", "uncertain for no reason"],
)
def test_anything_else_is_not(endings: dict[str, Ending], remainder: str) -> None:
    """It is counted by what it is."""
    verdict = judged(endings)
    assert not verdict.good
    assert verdict.remainder == remainder


def test_a_task_that_runs_twice_is_not_right() -> None:
    """Also when every future has its result."""
    verdict = judged(RIGHT, tasks=(1, 2, 2))
    assert not verdict.good
    assert verdict.remainder == "1 tasks twice"


def test_what_nobody_can_know_may_be_said() -> None:
    """For as many tasks as were in doubt, and only with the task group to look in."""
    assert judged({"a": RIGHT["a"], "b": UNCERTAIN}, may_be_uncertain=1).good
    assert not judged({"a": UNCERTAIN, "b": UNCERTAIN}, may_be_uncertain=1).good
    vague = Ending(error="SubmissionUncertain", text="something broke", task_group_id=GROUP)
    assert not judged({"a": RIGHT["a"], "b": vague}, may_be_uncertain=1).good


def test_a_scenario_that_got_stuck_is_not_right() -> None:
    """What it waited for is part of what happened."""
    assert not Verdict(right=2, stuck="the fault never struck").good


def test_the_table_has_a_line_for_each_fault_and_broker() -> None:
    """With a mark where it is not right, and room where nothing was run."""
    table = render(
        {
            ("cut", "embedded"): {"ours": Verdict(right=500, seconds=1.25)},
            ("cut", "rabbitmq"): {"ours": Verdict(right=499, pending=1, seconds=2.0)},
        },
        ("ours", "official"),
    )
    assert table.splitlines()[2:] == [
        "| cut   | embedded | 500/500     |           | 1.2 |                 |      |   |",
        "| cut   | rabbitmq | 499/500 !   | 1 pending | 2.0 |                 |      |   |",
    ]
