"""Checks side by side: order, limits, and what one does to another."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from gcompute.diagnosis.outcome import Outcome, State, ok, problem, skipped, warning
from gcompute.diagnosis.schedule import Step, run_all

_PATIENCE_S = 30.0


def _says(outcome: Outcome) -> Callable[[], Outcome]:
    return lambda: outcome


def test_they_run_side_by_side_and_are_told_in_order() -> None:
    """The first can only end once the second has begun."""
    begun = threading.Event()

    def first() -> Outcome:
        assert begun.wait(_PATIENCE_S)
        return ok("first")

    def second() -> Outcome:
        begun.set()
        return ok("second")

    ended = run_all([Step("a", first), Step("b", second)], limit_s=_PATIENCE_S)
    assert [(one.name, one.outcome.found) for one in ended] == [("a", "first"), ("b", "second")]
    assert all(one.seconds >= 0 for one in ended)


@pytest.mark.parametrize("broken", [problem("no", "do"), skipped("no", "do")])
def test_what_needs_a_failed_one_is_skipped(broken: Outcome) -> None:
    """And names it; what needs that is skipped in turn, and nobody tries it."""
    tried: list[str] = []

    def run() -> Outcome:
        tried.append("b")
        return ok("")

    steps = [
        Step("a", _says(broken)),
        Step("b", run, needs=("a",)),
        Step("c", run, needs=("b",)),
    ]
    _, b, c = run_all(steps, limit_s=_PATIENCE_S)
    assert tried == []
    assert (b.outcome.state, c.outcome.state) == (State.SKIPPED, State.SKIPPED)
    assert (b.outcome.next_step, c.outcome.next_step) == ("Solve first: a.", "Solve first: b.")


def test_a_warning_stops_nobody() -> None:
    """It works, after all."""
    steps = [Step("a", _says(warning("w", "do"))), Step("b", _says(ok("b")), needs=("a",))]
    assert run_all(steps, limit_s=_PATIENCE_S)[1].outcome.state is State.OK


def test_one_may_wait_for_another_however_it_ends() -> None:
    """It starts when the other has ended, even badly."""
    order: list[str] = []

    def note(name: str, outcome: Outcome) -> Callable[[], Outcome]:
        def run() -> Outcome:
            order.append(name)
            return outcome

        return run

    steps = [
        Step("a", note("a", problem("no", "do"))),
        Step("b", note("b", ok("yes")), after=("a",)),
    ]
    assert run_all(steps, limit_s=_PATIENCE_S)[1].outcome.state is State.OK
    assert order == ["a", "b"]


def test_what_raises_is_a_problem_of_its_own() -> None:
    """The others go on."""

    def broken() -> Outcome:
        raise RuntimeError("oh")

    first, second = run_all([Step("a", broken), Step("b", _says(ok("")))], limit_s=_PATIENCE_S)
    assert first.outcome.state is State.PROBLEM
    assert "RuntimeError: oh" in first.outcome.found
    assert first.outcome.next_step
    assert second.outcome.state is State.OK


def test_one_that_hangs_is_given_up() -> None:
    """After its time, and those that need it are skipped; the report does not wait for it."""
    released = threading.Event()
    heard: list[bool] = []

    def hang() -> Outcome:
        heard.append(released.wait(_PATIENCE_S))
        return ok("too late")

    steps = [
        Step("hangs", hang),
        Step("needs it", _says(ok("")), needs=("hangs",)),
        Step("does not", _says(ok("fine"))),
    ]
    try:
        hangs, needs_it, does_not = run_all(steps, limit_s=0.05)
        assert heard == []
    finally:
        released.set()
    assert hangs.outcome.state is State.PROBLEM
    assert "no answer within 0.05 s" in hangs.outcome.found
    assert hangs.seconds >= 0.05
    assert needs_it.outcome.state is State.SKIPPED
    assert does_not.outcome.found == "fine"


def test_what_is_said_too_late_is_not_heard() -> None:
    """One that was given up ends while others still run: its time stays over."""
    late_said, given_up = threading.Event(), threading.Event()

    def late() -> Outcome:
        assert given_up.wait(_PATIENCE_S)
        late_said.set()
        return ok("too late")

    def next_one() -> Outcome:
        given_up.set()
        assert late_said.wait(_PATIENCE_S)
        return ok("fine")

    steps = [Step("late", late), Step("next", next_one, after=("late",))]
    late_one, following = run_all(steps, limit_s=0.5)
    assert late_one.outcome.state is State.PROBLEM
    assert following.outcome.found == "fine"


@pytest.mark.parametrize(
    "steps",
    [
        [Step("a", _says(ok("")), needs=("b",)), Step("b", _says(ok("")))],
        [Step("a", _says(ok("")), after=("a",))],
        [Step("a", _says(ok(""))), Step("a", _says(ok("")))],
    ],
)
def test_a_plan_that_could_never_end_is_refused(steps: list[Step]) -> None:
    """A step that waits for a later one, for itself, or has the name of another."""
    with pytest.raises(ValueError, match="'a'"):
        run_all(steps, limit_s=_PATIENCE_S)
