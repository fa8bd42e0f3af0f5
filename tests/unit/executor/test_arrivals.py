"""What a task group tells of a submit that broke off: nothing is guessed."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gcompute.errors import ServiceUnreachable
from gcompute.executor.arrivals import Arrival, judge, uncertain
from gcompute.executor.functions import FunctionReference
from gcompute.executor.future import ComputeFuture
from gcompute.executor.outbox import Destination, Submission
from tests.unit.executor.stand_ins import ENDPOINT, GROUP, SERIALIZER

DESTINATION = Destination(uuid.UUID(ENDPOINT), SERIALIZER)
FUNCTIONS = [FunctionReference("f", function_id="f"), FunctionReference("f", function_id="f")]


def _batch(calls: list[tuple[int, str]]) -> list[Submission]:
    return [
        Submission(ComputeFuture(), DESTINATION, FUNCTIONS[f], payload, 1) for f, payload in calls
    ]


CALLS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from("pq")), min_size=1, max_size=4)
UNKNOWN = st.lists(st.uuids().map(str), max_size=5, unique=True)


@given(CALLS, UNKNOWN, st.booleans())
@example([(0, "p"), (0, "q")], ["t-1", "t-2"], True)
@example([(0, "p"), (1, "p")], ["t-1", "t-2"], True)
@example([(0, "p"), (0, "p")], ["t-1", "t-2"], True)
def test_tasks_are_adopted_only_if_alike_alone_and_complete(
    calls: list[tuple[int, str]], unknown: list[str], ours_alone: bool
) -> None:
    """Where any of the three is missing it is uncertain; where nothing arrived, none was taken."""
    alike, complete = len(set(calls)) == 1, len(unknown) == len(calls)
    arrival = judge(_batch(calls), unknown, ours_alone=ours_alone)
    if not unknown:
        assert arrival is Arrival.NONE
    elif alike and complete and ours_alone:
        assert arrival is Arrival.ALL
    else:
        assert arrival is Arrival.UNCERTAIN


def test_one_task_alone_is_always_alike() -> None:
    """The usual case of a lost answer."""
    assert judge(_batch([(0, "p")]), ["t"], ours_alone=True) is Arrival.ALL


@pytest.mark.parametrize(
    ("group", "unknown", "parts", "missing"),
    [
        (None, None, ["group of its own", "nothing to look at"], "could not"),
        (GROUP, None, [GROUP, "could not be looked at"], "reload_tasks"),
        (GROUP, ["t-1", "t-2"], [GROUP, "2 tasks that may", "(t-1, t-2)", "reload_tasks"], "..."),
        (GROUP, [f"t-{n}" for n in range(9)], ["9 tasks", "t-4, ...)", "reload_tasks"], "t-5"),
    ],
)
def test_the_error_says_what_to_look_at(
    group: str | None, unknown: list[str] | None, parts: list[str], missing: str
) -> None:
    """Endpoint, group and tasks, as text and as fields; and how the submit failed."""
    cause = ServiceUnreachable("cut", sent=True)
    error = uncertain(_batch([(0, "p")] * 3), cause, task_group_id=group, unknown=unknown)
    for part in ["a submit of 3 tasks", ENDPOINT, "(cut)", *parts]:
        assert part in str(error)
    assert missing not in str(error)
    assert (error.endpoint_id, error.task_group_id) == (ENDPOINT, group)
    assert error.task_ids == (unknown or [])
    assert error.__cause__ is cause
