"""An endpoint's status reports. Pure.

Source: ``docs/wire.md#messages``; the fields are those that the official agent's engines report.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gcompute.messages import StatusReport, Transition

from .intake import Task


def build_report(
    endpoint_id: str,
    ep_info: dict[str, Any],
    *,
    heartbeat_period: float,
    active: bool,
    workers: int,
    idle_workers: int,
    queued: Iterable[Task],
    running: Iterable[Task],
    total_tasks: int,
    prefetch: int,
    crashes: int,
    engine_type: str,
) -> StatusReport:
    """Describe the endpoint as it is now.

    Marks the transitions that are in the report as reported.

    Args:
        ep_info: goes into the report as it is.
        heartbeat_period: seconds until the next report; 0 when the endpoint is shutting down.
        total_tasks: tasks that workers have been given so far.
        crashes: how often workers died so far.
        engine_type: what runs the tasks.
    """
    waiting, busy = list(queued), list(running)
    state = {
        "managers": 1,
        "active_managers": 1,
        "total_workers": workers,
        "idle_workers": idle_workers,
        "pending_tasks": len(waiting),
        "outstanding_tasks": len(waiting) + len(busy),
        "total_tasks": total_tasks,
        "worker_crashes": crashes,
        "prefetch_capacity": prefetch,
        "scaling_enabled": False,
        "min_blocks": 1,
        "max_blocks": 1,
        "nodes_per_block": 1,
        "max_workers_per_node": workers,
        "engine_type": engine_type,
        **ep_info,
        "heartbeat_period": heartbeat_period,
        "active": active,
    }
    statuses = {task.task_id: new for task in waiting + busy if (new := _new_transitions(task))}
    return StatusReport(endpoint_id, state, statuses)


def _new_transitions(task: Task) -> tuple[Transition, ...]:
    """Give the states that a task entered since it was last reported."""
    entered = [Transition(task.received_ns, "waiting-for-launch", "interchange")]
    if task.started_ns is not None:
        entered.append(Transition(task.started_ns, "running", "interchange"))
    new = tuple(entered[task.reported :])
    task.reported = len(entered)
    return new
