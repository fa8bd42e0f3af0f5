"""Runs of faults: from the stage to the verdict, one or many side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.catalogue import Fault
from tests.faults.client import Ending, Side
from tests.faults.patience import NeverHappened
from tests.faults.stage import BrokerName, Ground, Stage, stage, submitted_tasks
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


async def run_all(
    faults: Sequence[Fault],
    ground: Ground,
    sides: Sequence[Side],
    folder: Path,
    *,
    at_once: int,
    full: bool,
    tell: Callable[[Fault, BrokerName, Side, Verdict], None] = lambda *_: None,
) -> dict[str, dict[str, Verdict]]:
    """Run faults for clients: side by side first, then those that stop the broker.

    Args:
        at_once: how many runs may go side by side.
        tell: is told each verdict as it comes.

    Returns:
        Verdicts by the names of fault and client.
    """
    verdicts: dict[str, dict[str, Verdict]] = {fault.name: {} for fault in faults}
    free = asyncio.Semaphore(at_once)

    async def one(fault: Fault, side: Side) -> None:
        async with free:
            place = folder / f"{fault.name}-{side.name}"
            place.mkdir()
            verdict = await run(fault, ground, side, place, full=full)
        verdicts[fault.name][side.name] = verdict
        tell(fault, ground.broker, side, verdict)

    async with asyncio.TaskGroup() as group:
        for fault in faults:
            if not fault.restarts:
                for side in sides:
                    group.create_task(one(fault, side))
    for fault in faults:
        if fault.restarts:
            for side in sides:
                await one(fault, side)
    return verdicts


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
