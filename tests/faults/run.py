"""One run of one fault: from the stage to the verdict."""

from __future__ import annotations

from pathlib import Path

from tests.faults.catalogue import Fault
from tests.faults.client import Ending, Side
from tests.faults.patience import NeverHappened
from tests.faults.stage import Ground, Stage, stage, submitted_tasks
from tests.faults.verdict import Verdict, judge


async def run(fault: Fault, ground: Ground, side: Side, folder: Path, *, full: bool) -> Verdict:
    """Set a stage in an empty folder, do what the fault does, and judge."""
    stuck = ""
    async with stage(ground, side, folder, full=full) as on:
        try:
            await fault.run(on)
        except NeverHappened as never:
            stuck = str(never)
        return _verdict(on, fault, stuck)


def _verdict(on: Stage, fault: Fault, stuck: str) -> Verdict:
    calls: dict[str, int] = {}
    endings: dict[str, Ending] = {}
    for number, client in enumerate(on.clients):
        calls |= {f"{number}/{key}": call for key, call in client.calls.items()}
        endings |= {f"{number}/{key}": ending for key, ending in client.endings.items()}
    uncertain = sum(map(submitted_tasks, on.disturbed_submits)) if fault.uncertain else 0
    verdict = judge(
        calls,
        endings,
        asked=on.numbers,
        tasks=(task.number for task in on.endpoint.tasks.values()),
        task_group_id=on.task_group_id,
        may_be_uncertain=uncertain,
    )
    verdict.stuck = stuck
    verdict.said = on.clients[-1].said()
    times = [(client.started_at, client.ended_at) for client in on.clients]
    verdict.seconds = max(end for _, end in times) - min(start for start, _ in times)
    return verdict
