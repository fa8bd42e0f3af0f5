"""The source of results that executors share: who starts its threads, and what waits for them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import Any, cast

import pytest

from gcompute import Client
from gcompute.errors import PermissionDenied
from gcompute.executor import results as results_module
from gcompute.executor.groups import GroupChoice
from gcompute.executor.results import ResultThreads, shared_by_executors
from tests.support.exiting import complaints
from tests.unit.executor.stand_ins import (
    GROUP,
    SERIALIZER,
    WAIT_S,
    Service,
    Stream,
    answer_all,
    double,
    executor_of,
)

#: A program that ends while a callback of its last future runs.
_PROGRAM = """
import time
from gcompute.executor import results
from tests.unit.executor.stand_ins import WAIT_S, Service, Stream, answer_all, double, executor_of

results.ResultStream = Stream
service = Service()
answer_all(service)
executor = executor_of(service)
future = executor.submit(double, 1)

def callback(_future):
    time.sleep(0.3)
    print("called back")

future.add_done_callback(callback)
"""


class _Cycle:
    """What only the garbage collector finds."""

    def __init__(self, held: object) -> None:
        self.held = held
        self.itself = self


class _Users(set[Any]):
    """The users of a source; garbage is collected in the middle of an addition."""

    def add(self, user: object) -> None:
        gc.collect()
        super().add(user)


def test_an_executor_that_is_garbage_is_closed_whatever_its_finder_holds(service: Service) -> None:
    """The collector runs in any thread, also in one that is about to start the same threads."""
    answer_all(service)
    garbage, started = executor_of(service), executor_of(service)
    assert garbage.submit(double, 1).result(WAIT_S) == "done"
    source = garbage._engine._source
    assert source is not None
    done = threading.Event()

    def use() -> None:
        assert started.submit(double, 2).result(WAIT_S) == "done"
        started.shutdown()
        done.set()

    gc.disable()
    try:
        source._users = _Users(source._users)
        _Cycle(garbage)
        del garbage
        threading.Thread(target=use, daemon=True).start()
        assert done.wait(WAIT_S)
    finally:
        gc.enable()


def test_a_shutdown_waits_for_callbacks_while_others_use_the_threads(service: Service) -> None:
    """As it does where the threads end with it."""
    answer_all(service)
    with executor_of(service) as other, executor_of(service) as executor:
        assert other.submit(double, 0).result(WAIT_S) == "done"
        begun, go_on, returned = threading.Event(), threading.Event(), threading.Event()

        def callback(_future: object) -> None:
            begun.set()
            assert go_on.wait(WAIT_S)
            returned.set()

        service.gate.clear()
        executor.submit(double, 1).add_done_callback(callback)
        service.gate.set()
        assert begun.wait(WAIT_S)
        seen: list[bool] = []

        def leave() -> None:
            executor.shutdown()
            seen.append(returned.is_set())

        leaving = threading.Thread(target=leave)
        leaving.start()
        leaving.join(0.2)
        go_on.set()
        leaving.join(WAIT_S)
        assert seen == [True]


@pytest.mark.parametrize(
    "more", ["", "del executor", "future.result(); executor.shutdown(wait=False)"]
)
def test_the_interpreter_waits_for_callbacks(more: str) -> None:
    """Whether the executor is still there, was forgotten, or is shut down."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{_PROGRAM}\n{more}\nfuture.result()"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.stdout, complaints(ended.stderr)) == ("called back\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_uses_a_task_group_of_its_own(service: Service) -> None:
    """Unknown tasks in a group of the parent's would be taken for those of a broken submit."""
    answer_all(service)
    unused = executor_of(service)
    with executor_of(service) as executor:
        assert executor.submit(double, 1).result(WAIT_S) == "done"
        assert unused._groups.resolve(unused._group) == service.group
        read, write = os.pipe()
        child = os.fork()
        if not child:
            new = executor_of(service)
            seen = [e._groups.resolve(e._group) for e in (unused, new)]
            os.write(write, repr(seen).encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(read, 1000) == b"[None, None]"
        os.close(read)
        os.close(write)
        assert unused._groups.resolve(unused._group) == service.group


@pytest.mark.parametrize("transport", ["auto", "amqp"])
def test_access_that_was_refused_is_asked_for_again_after_a_while(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    transport: str,
) -> None:
    """Not with each batch, where results come without it; that is said once."""
    answer_all(service)

    def watched() -> int:
        """Submit a batch; say how often a group was to be watched by the end of that."""
        with executor_of(service, transport=transport) as executor:
            assert executor.submit(double, 1).result(WAIT_S) == "done"
        return sum(call.startswith("watch") for call in Stream.last.calls)

    refusal = PermissionDenied(http_status=403, message="no queues for you")
    with executor_of(service, transport=transport) as holding_the_threads:
        assert holding_the_threads.submit(double, 0).result(WAIT_S) == "done"
        assert watched() == 2
        for _ in range(2):
            Stream.last.listener.refused(refusal)
        # What waited until now fails, and nothing that comes after it.
        assert cast(ResultThreads, Stream.last.listener).delivery.passed().wait(WAIT_S)
        if transport == "amqp":  # nothing else brings them
            assert watched() == 3
            return
        assert [watched(), watched()] == [2, 2]
        told = [r.getMessage() for r in caplog.records if "over AMQP" in r.getMessage()]
        assert len(told) == 1
        assert "no queues for you" in told[0]
        monkeypatch.setattr(results_module, "_REFUSED_S", 0.0)
        Stream.last.listener.refused(refusal)
        assert watched() == 3
        assert caplog.messages[-1] == "results come over AMQP again"


def test_a_late_answer_takes_no_task_from_those_who_await_it_again(service: Service) -> None:
    """The threads that asked have nobody any more to whom they could hand it."""
    task = str(uuid.uuid4())
    finished = {task: {"status": "success", "result": SERIALIZER.serialize("done")}}
    asked, late = threading.Event(), threading.Event()
    askers: list[threading.Thread] = []

    def answer(task_ids: list[str]) -> dict[str, dict[str, Any]]:
        """Hold the first question that a thread of ours asks; to all others it is not over."""
        asker = threading.current_thread()
        if askers or not asker.name.startswith("gcompute-"):
            return {}
        askers.append(asker)
        asked.set()
        assert late.wait(WAIT_S)
        return finished

    service._batch_status = answer  # type: ignore[method-assign]
    service.listed = [task]
    before = executor_of(service, task_group_id=GROUP)
    [future] = before.reload_tasks()
    source = before._engine._source
    assert source is not None
    source._threads.fetching.reconcile(GROUP)  # type: ignore[union-attr]
    assert asked.wait(WAIT_S)
    Stream.last.result(task, "done")
    assert future.result(WAIT_S) == "done"
    before.shutdown(wait=False)
    with executor_of(service, task_group_id=GROUP) as after:
        [again] = after.reload_tasks()
        late.set()
        askers[0].join(WAIT_S)
        assert not askers[0].is_alive()
        Stream.last.result(task, "done")
        assert again.result(WAIT_S) == "done"


def test_executors_that_get_results_in_different_ways_share_no_group(service: Service) -> None:
    """One would take the results of the other off their queue, and give them back later."""
    share = shared_by_executors(cast(Client, service))
    share.groups("amqp").made(GroupChoice(), GROUP)
    assert share.groups("amqp").resolve(GroupChoice()) == GROUP
    assert share.groups("https").resolve(GroupChoice()) is None
