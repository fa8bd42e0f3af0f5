"""Which future belongs to which task, whatever comes first."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.executor import pending as pending_module
from gcompute.executor.future import ComputeFuture, settle
from gcompute.executor.pending import AwaitedTask, PendingTasks, Unmatched
from tests.unit.executor.stand_ins import GROUP, SERIALIZER

OTHER = "30000000-0000-4000-8000-00000000000f"


def _awaited(task_id: str, asked_at: float = 0.0) -> tuple[str, AwaitedTask]:
    return task_id, AwaitedTask(ComputeFuture(task_id), SERIALIZER, asked_at=asked_at)


def _submitted(pending: PendingTasks[str], *task_ids: str) -> list[AwaitedTask]:
    made = [_awaited(task_id, float(n)) for n, task_id in enumerate(task_ids)]
    assert pending.submit_ends(pending.submit_starts(), GROUP, made) == ([], [])
    return [task for _, task in made]


def _group_of(task_id: str) -> str:
    return OTHER if task_id[0] in "02" else GROUP


@given(st.data())
def test_each_future_comes_out_exactly_once(data: st.DataObject) -> None:
    """Whatever the interleaving of submits, answers, results and duplicates.

    Each task belongs to a submit, and each submit to one of two groups; its result, and copies
    of it, come at any time after the submit started, strangers' results at any time at all. When
    all is done every future has come out once, with its own result, and every stranger's result
    has been given back as often as it came and was not known for a copy.
    """
    submits = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4), label="tasks a submit")
    pending: PendingTasks[str] = PendingTasks()
    ours: set[str] = set()
    delivered: Counter[str] = Counter()
    unstarted = [[f"{n}.{i}" for i in range(count)] for n, count in enumerate(submits)]
    started: dict[int, list[str]] = {}
    results: list[str] = []  # of tasks that the service knows, to be sent at least once
    sent: list[str] = []
    early: dict[str, set[int]] = {}  # with the submits that may have made it

    def deliver(task: AwaitedTask, result: str) -> None:
        assert task.future.task_id == result
        delivered[result] += 1
        early.pop(result, None)

    while unstarted or started or results:
        choices = ["start"] * bool(unstarted) + ["end"] * bool(started)
        choices += ["result"] * bool(results) + ["duplicate"] * bool(sent) + ["stranger"]
        step = data.draw(st.sampled_from(choices))
        if step == "start":
            tasks = unstarted.pop(0)
            started[pending.submit_starts()] = tasks
            results += tasks
        elif step == "end":
            number = data.draw(st.sampled_from(sorted(started)))
            tasks = started.pop(number)
            ours.update(tasks)
            group = _group_of(tasks[0]) if tasks else GROUP
            made = [_awaited(task) for task in tasks]
            ready, strangers = pending.submit_ends(number, group, made)
            for awaited, result in ready:
                deliver(awaited, result)
            assert strangers == [
                task for task, makers in early.items() if not makers & set(started)
            ]
            for task in strangers:
                del early[task]
        else:
            if step == "stranger":
                task = "stranger"
            elif step == "result":
                task = results.pop(data.draw(st.integers(0, len(results) - 1)))
                sent.append(task)
            else:
                task = data.draw(st.sampled_from(sent))
            matched = pending.match(_group_of(task), task, task)
            if isinstance(matched, AwaitedTask):
                deliver(matched, task)
            elif matched is Unmatched.EARLY:
                assert task not in early
                early[task] = set(started)
                assert early[task]
            elif matched is Unmatched.STRANGER:
                assert not started
                assert task not in ours
            elif matched is Unmatched.ENDED:
                assert delivered[task]
            else:
                assert matched == task
                assert task in early
    assert delivered == Counter(ours)
    assert len(pending) == 0


def test_a_result_without_a_submit_is_a_strangers() -> None:
    """When nothing is under way, it is not kept."""
    pending: PendingTasks[str] = PendingTasks()
    assert pending.match(GROUP, "t", "result") is Unmatched.STRANGER
    _submitted(pending, "t")
    assert list(pending.groups()) == [GROUP]


def test_early_results_of_a_failed_submit_are_strangers() -> None:
    """They are handed out for others, and not kept for a later submit."""
    pending: PendingTasks[str] = PendingTasks()
    number = pending.submit_starts()
    assert pending.match(GROUP, "t", "result") is Unmatched.EARLY
    assert pending.submit_ends(number, "", []) == ([], ["result"])
    assert pending.groups() == {}
    _submitted(pending, "t")


def test_early_results_wait_for_all_submits_that_can_have_made_them() -> None:
    """One submit's end does not forget what another one is waiting for."""
    pending: PendingTasks[str] = PendingTasks()
    first, second = pending.submit_starts(), pending.submit_starts()
    pending.match(GROUP, "t", "result")
    assert pending.submit_ends(first, GROUP, []) == ([], [])
    task_id, task = _awaited("t")
    assert pending.submit_ends(second, GROUP, [(task_id, task)]) == ([(task, "result")], [])


def test_strangers_results_go_although_there_is_always_a_submit_under_way() -> None:
    """A submit that started after a result came cannot have made its task."""
    pending: PendingTasks[str] = PendingTasks()
    number = pending.submit_starts()
    for round_number in range(100):
        stranger = f"stranger {round_number}"
        assert pending.match(GROUP, stranger, stranger) is Unmatched.EARLY
        following = pending.submit_starts()
        assert pending.submit_ends(number, GROUP, []) == ([], [stranger])
        number = following


def test_a_second_copy_is_known_for_what_it_is() -> None:
    """Of a task that ended, however it did, and of one whose result came early: that is kept."""
    pending: PendingTasks[str] = PendingTasks()
    _submitted(pending, "matched", "taken")
    assert isinstance(pending.match(GROUP, "matched", "r"), AwaitedTask)
    assert pending.take(GROUP, "taken") is not None
    number = pending.submit_starts()
    assert pending.match(GROUP, "early", "first") is Unmatched.EARLY
    assert pending.match(GROUP, "early", "second") == "first"
    for task_id in ("matched", "taken"):
        assert pending.match(GROUP, task_id, "copy") is Unmatched.ENDED
    ready, strangers = pending.submit_ends(number, GROUP, [_awaited("early")])
    assert ([result for _, result in ready], strangers) == (["second"], [])
    for task_id in ("matched", "taken", "early"):
        assert pending.match(GROUP, task_id, "copy") is Unmatched.ENDED


def test_tasks_that_ended_are_remembered_within_bounds() -> None:
    """The latest ones, for as long as a copy may come; the oldest are forgotten."""
    pending: PendingTasks[str] = PendingTasks()
    limit = pending_module._REMEMBERED
    ids = [str(number) for number in range(2 * limit + limit // 2)]
    _submitted(pending, *ids)
    for task_id in ids:
        pending.match(GROUP, task_id, "r")
    copies = [pending.match(GROUP, task_id, "copy") for task_id in ids]
    assert copies[0] is Unmatched.STRANGER
    assert set(copies[-limit:]) == {Unmatched.ENDED}
    assert limit <= copies.count(Unmatched.ENDED) <= 2 * limit


def test_a_result_belongs_to_the_group_it_came_in() -> None:
    """The same id in the queue of another group is nobody's."""
    pending: PendingTasks[str] = PendingTasks()
    (task,) = _submitted(pending, "t")
    assert pending.match(OTHER, "t", "r") is Unmatched.STRANGER
    assert pending.take(OTHER, "t") is None
    assert pending.match(GROUP, "t", "r") is task


def test_taking_and_clearing_take_out() -> None:
    """What was taken out belongs to whoever took it, once."""
    pending: PendingTasks[str] = PendingTasks()
    made = _submitted(pending, "a", "b", "c")
    assert len(pending) == 3
    assert pending.take(GROUP, "a") is made[0]
    assert pending.take(GROUP, "a") is None
    assert pending.clear() == made[1:]
    assert pending.clear() == []
    assert len(pending) == 0
    assert pending.groups() == {}


def test_adding_keeps_who_waits_already() -> None:
    """A task that is awaited keeps its future; of no tasks nothing is left."""
    pending: PendingTasks[str] = PendingTasks()
    (known,) = _submitted(pending, "a")
    again, new = _awaited("a"), _awaited("b")
    assert pending.add(GROUP, [again, new]) == [known.future, new[1].future]
    assert len(pending) == 2
    assert pending.add(OTHER, []) == []
    assert list(pending.groups()) == [GROUP]


@pytest.mark.parametrize("error", [None, ValueError("boom")])
def test_who_found_a_task_before_the_answer_to_its_submit_waits_on(
    error: Exception | None,
) -> None:
    """A group is reloaded while a submit to it is under way: both futures end, in one way."""
    pending: PendingTasks[str] = PendingTasks()
    number = pending.submit_starts()
    found, made = _awaited("a"), _awaited("a")
    assert pending.add(GROUP, [found]) == [found[1].future]
    pending.submit_ends(number, GROUP, [made])
    task = pending.match(GROUP, "a", "r")
    assert task is made[1]
    assert not found[1].future.done()
    settle(task.future, "value", error)
    assert found[1].future.exception(0) is error
    if error is None:
        assert found[1].future.result(0) == "value"


def test_a_task_that_is_put_back_ends_with_whoever_found_it_meanwhile() -> None:
    """A group is reloaded while a high assurance result is looked at: both futures end."""
    pending: PendingTasks[str] = PendingTasks()
    (made,) = _submitted(pending, "a")
    assert pending.match(GROUP, "a", "r") is made
    found = _awaited("a")
    pending.add(GROUP, [found])
    pending.put_back(GROUP, "a", made)
    task = pending.take(GROUP, "a")
    assert task is found[1]
    settle(task.future, "value")
    assert made.future.result(0) == "value"
    pending.put_back(OTHER, "a", made)
    assert pending.take(OTHER, "a") is made


def test_those_who_were_not_asked_for_longest_are_asked_for_first() -> None:
    """At most so many, none that was asked for since; they go to the end of the row."""
    pending: PendingTasks[str] = PendingTasks()
    _submitted(pending, *"abcde")  # asked for at 0, 1, 2, 3, 4
    assert pending.groups() == {GROUP: 0.0}
    assert pending.asked(GROUP, 2.0, 10.0, at_most=2) == ["a", "b"]
    assert pending.groups() == {GROUP: 2.0}
    assert pending.asked(GROUP, 2.0, 11.0, at_most=9) == ["c"]
    assert pending.asked(GROUP, 2.0, 12.0, at_most=9) == []
    for task_id in "de":
        pending.take(GROUP, task_id)
    assert pending.groups() == {GROUP: 10.0}
    assert pending.asked(GROUP, 20.0, 20.0, at_most=9) == ["a", "b", "c"]
    assert pending.asked(OTHER, 20.0, 20.0, at_most=9) == []
    assert len(pending) == 3


def test_threads_share_it_without_losing_a_future() -> None:
    """Four submitters and the delivery run at once; each future comes out once."""
    pending: PendingTasks[str] = PendingTasks()
    count = 500
    out: list[str | None] = []
    known = threading.Semaphore(0)
    arriving: list[str] = []

    def submitter(name: str) -> None:
        for number in range(count):
            task_id = f"{name}{number}"
            submit = pending.submit_starts()
            arriving.append(task_id)
            known.release()
            ready, strangers = pending.submit_ends(submit, GROUP, [_awaited(task_id)])
            out.extend(task.future.task_id for task, _ in ready)
            assert not strangers

    def deliverer() -> None:
        for number in range(4 * count):
            known.acquire()
            task = pending.match(GROUP, arriving[number], "result")
            if isinstance(task, AwaitedTask):
                out.append(task.future.task_id)

    threads = [threading.Thread(target=submitter, args=(name,)) for name in "abcd"]
    threads.append(threading.Thread(target=deliverer))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(filter(None, out)) == sorted(arriving)
