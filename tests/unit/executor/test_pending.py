"""Which future belongs to which task, whatever comes first."""

from __future__ import annotations

import threading
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gcompute.executor.future import ComputeFuture
from gcompute.executor.pending import PendingTasks


@given(st.data())
def test_each_future_comes_out_exactly_once(data: st.DataObject) -> None:
    """Whatever the interleaving of submits, answers, results and duplicates.

    Each task belongs to a submit; its result, and copies of it, come at any time after the
    submit started, strangers' results at any time at all. When all is done, every future has
    come out once, with its own result.
    """
    submits = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4), label="tasks a submit")
    pending: PendingTasks[str] = PendingTasks()
    futures: dict[str, ComputeFuture] = {}
    delivered: Counter[str] = Counter()
    unstarted = [[f"{n}.{i}" for i in range(count)] for n, count in enumerate(submits)]
    started: list[list[str]] = []
    results: list[str] = []  # of tasks that the service knows, to be sent at least once
    sent: list[str] = []

    def deliver(future: ComputeFuture, result: str) -> None:
        assert future.task_id == result
        delivered[result] += 1

    while unstarted or started or results:
        choices = ["start"] * bool(unstarted) + ["end"] * bool(started)
        choices += ["result"] * bool(results) + ["duplicate"] * bool(sent) + ["stranger"]
        step = data.draw(st.sampled_from(choices))
        if step == "start":
            tasks = unstarted.pop(0)
            pending.submit_starts()
            started.append(tasks)
            results += tasks
        elif step == "end":
            tasks = started.pop(data.draw(st.integers(0, len(started) - 1)))
            made = [(task, ComputeFuture(task)) for task in tasks]
            futures |= dict(made)
            for future, result in pending.submit_ends(made):
                deliver(future, result)
        else:
            if step == "stranger":
                task = "stranger"
            elif step == "result":
                task = results.pop(data.draw(st.integers(0, len(results) - 1)))
                sent.append(task)
            else:
                task = data.draw(st.sampled_from(sent))
            matched = pending.match(task, task)
            if matched is not None:
                deliver(matched, task)
    assert delivered == Counter(futures.keys())
    assert len(pending) == 0


def test_a_result_without_a_submit_is_nobodys() -> None:
    """When nothing is under way, a stranger's result is not kept."""
    pending: PendingTasks[str] = PendingTasks()
    assert pending.match("t", "result") is None
    pending.submit_starts()
    assert pending.submit_ends([("t", ComputeFuture("t"))]) == []
    assert pending.task_ids() == ["t"]


def test_early_results_of_a_failed_submit_are_forgotten() -> None:
    """Memory does not grow with submits that broke off."""
    pending: PendingTasks[str] = PendingTasks()
    pending.submit_starts()
    pending.match("t", "result")
    assert pending.submit_ends([]) == []
    pending.submit_starts()
    assert pending.submit_ends([("t", ComputeFuture("t"))]) == []


def test_early_results_wait_for_the_last_submit_under_way() -> None:
    """One submit's end does not forget what another one is waiting for."""
    pending: PendingTasks[str] = PendingTasks()
    pending.submit_starts()
    pending.submit_starts()
    pending.match("t", "result")
    assert pending.submit_ends([]) == []
    future = ComputeFuture("t")
    assert pending.submit_ends([("t", future)]) == [(future, "result")]


def test_early_results_are_bounded() -> None:
    """Of too many results of unknown tasks the oldest go."""
    pending: PendingTasks[int] = PendingTasks(max_early=3)
    pending.submit_starts()
    for number in range(10):
        assert pending.match(str(number), number) is None
    futures = [(str(number), ComputeFuture(str(number))) for number in range(10)]
    ready = pending.submit_ends(futures)
    assert [result for _, result in ready] == [7, 8, 9]
    assert pending.task_ids() == [str(number) for number in range(7)]


def test_taking_and_clearing_take_out() -> None:
    """What was taken out belongs to whoever took it, once."""
    pending: PendingTasks[str] = PendingTasks()
    made = [(name, ComputeFuture(name)) for name in "abc"]
    pending.submit_starts()
    pending.submit_ends(made)
    assert len(pending) == 3
    assert pending.take("a") is made[0][1]
    assert pending.take("a") is None
    assert pending.match("a", "late") is None
    assert pending.clear() == [future for _, future in made[1:]]
    assert pending.clear() == []
    assert len(pending) == 0


def test_threads_share_it_without_losing_a_future() -> None:
    """Four submitters and the delivery run at once; each future comes out once."""
    pending: PendingTasks[str] = PendingTasks(max_early=1_000_000)
    count = 500
    out: list[str | None] = []
    known = threading.Semaphore(0)
    arriving: list[str] = []

    def submitter(name: str) -> None:
        for number in range(count):
            task = f"{name}{number}"
            pending.submit_starts()
            arriving.append(task)
            known.release()
            for future, _ in pending.submit_ends([(task, ComputeFuture(task))]):
                out.append(future.task_id)

    def deliverer() -> None:
        for number in range(4 * count):
            known.acquire()
            future = pending.match(arriving[number], "result")
            if future is not None:
                out.append(future.task_id)

    threads = [threading.Thread(target=submitter, args=(name,)) for name in "abcd"]
    threads.append(threading.Thread(target=deliverer))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(filter(None, out)) == sorted(arriving)
