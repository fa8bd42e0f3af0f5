"""Status reports."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from gcompute.local.agent.intake import Task
from gcompute.local.agent.status import build_report
from gcompute.messages import StatusReport, decode, encode

ENDPOINT_ID = str(uuid.uuid4())


def a_task(*, started_ns: int | None = None) -> Task:
    """Give a task that came at 1 ns."""
    task = Task(str(uuid.uuid4()), str(uuid.uuid4()), 1, b"", [], received_ns=1)
    task.started_ns = started_ns
    return task


def report(queued: Sequence[Task] = (), running: Sequence[Task] = ()) -> StatusReport:
    """Report on two workers."""
    return build_report(
        ENDPOINT_ID,
        {"hostname": "here", "active": "not for you to say"},
        heartbeat_period=30,
        active=True,
        workers=2,
        idle_workers=2 - len(running),
        queued=queued,
        running=running,
        total_tasks=5,
        prefetch=32,
        crashes=1,
        engine_type="SomeEngine",
    )


def test_tasks_are_counted() -> None:
    """Pending tasks have no worker yet; outstanding ones are those and the running."""
    state = report([a_task(), a_task()], [a_task(started_ns=2)]).global_state
    assert (state["pending_tasks"], state["outstanding_tasks"], state["total_tasks"]) == (2, 3, 5)
    assert (state["total_workers"], state["idle_workers"]) == (2, 1)
    assert (state["heartbeat_period"], state["engine_type"]) == (30, "SomeEngine")
    assert (state["hostname"], state["active"]) == ("here", True)


def test_each_transition_is_reported_once() -> None:
    """A task first waits; when it runs, only that is new; then nothing is."""
    task = a_task()
    states = []
    for started_ns, queued, running in ((None, [task], []), (2, [], [task]), (2, [], [task])):
        task.started_ns = started_ns
        statuses = report(queued, running).task_statuses
        states.append([(t.state, t.timestamp) for t in statuses.get(task.task_id, ())])
    assert states == [[("waiting-for-launch", 1)], [("running", 2)], []]


def test_a_report_is_a_message() -> None:
    """It survives the wire."""
    sent = report([a_task()])
    assert decode(encode(sent)) == sent
