"""Task groups: which one is used, and what is known of its tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from gcompute.executor.groups import GroupChoice, GroupTasks, TaskGroups
from tests.unit.executor.stand_ins import WAIT_S


class Worker:
    """Enters a context in a thread of its own, says so, and leaves it when told to."""

    def __init__(self, context: Callable[[], object]) -> None:
        self.inside, self.leave = threading.Event(), threading.Event()
        self._context = context
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        with self._context():  # type: ignore[attr-defined]
            self.inside.set()
            self.leave.wait(WAIT_S)

    def end(self) -> None:
        self.leave.set()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()


def test_submits_go_side_by_side() -> None:
    """No executor waits for another one's request."""
    tasks = GroupTasks()
    workers = [Worker(tasks.submitting) for _ in range(3)]
    for worker in workers:
        assert worker.inside.wait(WAIT_S)
    for worker in workers:
        worker.end()


def _blocked(tasks: GroupTasks) -> bool:
    """Tell whether somebody waits for his turn; the only way in is the condition's own list."""
    while not tasks._changed._waiters:  # type: ignore[attr-defined]
        threading.Event().wait(0.001)
    return True


@pytest.mark.parametrize(
    ("first", "second"), [("submitting", "looking"), ("looking", "submitting")]
)
def test_looks_and_submits_exclude_each_other(first: str, second: str) -> None:
    """A look that saw half of a submit could not tell whose tasks it saw."""
    tasks = GroupTasks()
    one = Worker(getattr(tasks, first))
    assert one.inside.wait(WAIT_S)
    other = Worker(getattr(tasks, second))
    assert _blocked(tasks)
    assert not other.inside.is_set()
    one.end()
    assert other.inside.wait(WAIT_S)
    other.end()


def test_looks_go_one_by_one() -> None:
    """Two that look at once would both adopt what they see."""
    tasks = GroupTasks()
    one = Worker(tasks.looking)
    assert one.inside.wait(WAIT_S)
    other = Worker(tasks.looking)
    assert _blocked(tasks)
    assert not other.inside.is_set()
    one.end()
    assert other.inside.wait(WAIT_S)
    other.end()


def test_a_look_that_waits_keeps_new_submits_away() -> None:
    """So it has its turn, however many submits there are."""
    tasks = GroupTasks()
    submit = Worker(tasks.submitting)
    assert submit.inside.wait(WAIT_S)
    look = Worker(tasks.looking)
    assert _blocked(tasks)
    later = Worker(tasks.submitting)
    while len(tasks._changed._waiters) < 2:  # type: ignore[attr-defined]
        threading.Event().wait(0.001)
    assert not later.inside.is_set()
    submit.end()
    assert look.inside.wait(WAIT_S)
    assert not later.inside.is_set()
    look.end()
    assert later.inside.wait(WAIT_S)
    later.end()


@pytest.mark.parametrize("context", ["submitting", "looking", "unsettled", "broken_off"])
def test_one_that_fails_keeps_nobody_away(context: str) -> None:
    """Whatever is raised inside."""
    tasks = GroupTasks()

    entered = getattr(tasks, context)()
    entered.__enter__()
    assert not entered.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    for after in (tasks.looking, tasks.submitting):
        with after():
            pass
    tasks.listed(["a"])  # as far as no submit is unsettled
    with tasks.broken_off():
        assert tasks.found(["a", "b"]) == (["b"], False)
        assert tasks.found(["b"]) == ([], False)  # as far as no other one broke off


def _unknown(tasks: GroupTasks, task_ids: list[str]) -> list[str]:
    """Look for tasks that are not known, and leave them so: none of two submits may have them."""
    with tasks.broken_off(), tasks.broken_off():
        return tasks.found(task_ids)[0]


@pytest.mark.parametrize("ours_alone", [False, True])
def test_what_a_submit_that_broke_off_found_is_known(ours_alone: bool) -> None:
    """The next look is not for these."""
    tasks = GroupTasks()
    tasks.ours_alone = ours_alone
    tasks.made(["a"])
    with tasks.broken_off():
        assert tasks.found(["a", "b"]) == (["b"], ours_alone)
        assert tasks.found(["a", "b"]) == ([], ours_alone)


def test_what_several_may_have_made_is_found_by_each_and_nobodys() -> None:
    """Two submits that broke off at once: one that took the other's tasks would mix results."""
    tasks = GroupTasks()
    tasks.ours_alone = True
    with tasks.broken_off():
        with tasks.broken_off():
            assert tasks.found(["a"]) == (["a"], False)
        assert tasks.found(["a"]) == (["a"], True)
        assert tasks.found(["a"]) == ([], True)


def test_what_was_made_here_is_known() -> None:
    """The rest may be of a submit that broke off, or of another process; in the order listed."""
    tasks = GroupTasks()
    tasks.made(["a", "b"])
    tasks.made(iter(["c"]))
    assert _unknown(tasks, ["x", "b", "y", "c", "a"]) == ["x", "y"]
    assert not tasks.ours_alone


def test_what_the_service_lists_is_known_unless_a_submit_may_have_made_it() -> None:
    """Else a submit that broke off would not find its tasks, and make them again."""
    tasks = GroupTasks()
    tasks.ours_alone = True
    tasks.listed(["a"])
    assert (_unknown(tasks, ["a"]), tasks.ours_alone) == ([], True)
    with tasks.unsettled():
        tasks.listed(["b"])
    assert (_unknown(tasks, ["a", "b"]), tasks.ours_alone) == (["b"], False)
    tasks.listed(["b"])
    assert _unknown(tasks, ["a", "b"]) == []


def test_a_group_whose_id_was_told_is_not_ours_alone() -> None:
    """Whoever knows it can submit to it, and what he makes is not ours."""
    groups = TaskGroups()
    groups["g-1"].ours_alone = groups["g-2"].ours_alone = True
    groups.told("g-1")
    assert not groups["g-1"].ours_alone
    assert groups["g-2"].ours_alone


# Which group is used


def test_executors_that_were_given_none_share_what_the_first_submit_made() -> None:
    """Once it is known; who has it already keeps it."""
    groups = TaskGroups()
    first, second = GroupChoice(), GroupChoice()
    assert groups.resolve(first) is None
    groups.made(first, "g-1")
    assert groups.resolve(first) == groups.resolve(second) == "g-1"
    groups.made(GroupChoice(shares=False), "g-2")
    assert groups.resolve(first) == groups.resolve(second) == "g-1"
    assert groups.resolve(GroupChoice()) == "g-2"


def test_a_named_group_is_that_of_its_executor_and_shared_by_the_rest() -> None:
    """As the official SDK has it: what was named last is used by executors to come."""
    groups = TaskGroups()
    named = GroupChoice("g-1")
    assert named.given
    groups.named("g-1")
    assert groups.resolve(named) == groups.resolve(GroupChoice()) == "g-1"
    groups.made(named, "g-1")
    assert named.id == "g-1"


def test_one_that_does_not_share_makes_its_own() -> None:
    """Which then is the one it has."""
    groups = TaskGroups()
    groups.named("g-1")
    own = GroupChoice(shares=False)
    assert groups.resolve(own) is None
    groups.made(own, "g-2")
    assert groups.resolve(own) == "g-2"


def test_a_group_that_has_gone_is_used_no_more() -> None:
    """Neither by its executor nor by those to come; another default stays."""
    groups = TaskGroups()
    choice = GroupChoice()
    groups.made(choice, "g-1")
    groups.forget(choice, "g-1")
    assert groups.resolve(choice) is None
    assert groups.resolve(GroupChoice()) is None
    groups.made(choice, "g-2")
    stale = GroupChoice("g-1")
    groups.forget(stale, "g-1")
    assert groups.resolve(GroupChoice()) == "g-2"


def test_what_is_known_of_a_group_stays() -> None:
    """By its id; of a new one nothing is known."""
    groups = TaskGroups()
    groups["g-1"].made(["a"])
    assert _unknown(groups["g-1"], ["a", "b"]) == ["b"]
    assert _unknown(groups["g-2"], ["a"]) == ["a"]
