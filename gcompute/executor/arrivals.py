"""What became of a submit that broke off, as far as its task group tells.

The service lists a group's tasks by id alone, so it says how many arrived, not which is which.
None: the batch can be sent again. All of them, and each as good as the other: they are ours.
Anything else cannot be told, and nothing is guessed, since a wrong guess gives somebody the
result of another call. Pure.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from gcompute.errors import ComputeError, SubmissionUncertain
from gcompute.executor.outbox import Submission


class Arrival(enum.Enum):
    """What can be said of a batch."""

    NONE = enum.auto()
    ALL = enum.auto()
    UNCERTAIN = enum.auto()


def judge(batch: Sequence[Submission], unknown: Sequence[str], *, ours_alone: bool) -> Arrival:
    """Say what a group's unknown tasks tell of a batch.

    Args:
        batch: what was submitted.
        unknown: ids of tasks in the group that no earlier submit has made.
        ours_alone: whether no other process can have made them.
    """
    if not unknown:
        return Arrival.NONE
    first = batch[0]
    alike = all(s.function is first.function and s.payload == first.payload for s in batch)
    if ours_alone and alike and len(unknown) == len(batch):
        return Arrival.ALL
    return Arrival.UNCERTAIN


def uncertain(
    batch: Sequence[Submission],
    cause: ComputeError,
    *,
    task_group_id: str | None,
    unknown: Sequence[str] | None,
) -> SubmissionUncertain:
    """Make the error that says so, and what to check.

    Args:
        batch: what was submitted.
        cause: how the submit failed.
        task_group_id: its group, where it had one.
        unknown: tasks in the group that may be its own; ``None`` where the group could not be
            looked at.
    """
    endpoint_id = batch[0].destination.endpoint_text
    if task_group_id is None:
        found = "it was to make a task group of its own, so there is nothing to look at"
    elif unknown is None:
        found = f"task group {task_group_id} could not be looked at"
    else:
        listed = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        found = (
            f"task group {task_group_id} has {len(unknown)} tasks that may be of this submit "
            f"({listed}), but not which call each belongs to: "
            f"Executor.reload_tasks({task_group_id!r}) gives their results"
        )
    error = SubmissionUncertain(
        f"a submit of {len(batch)} tasks to endpoint {endpoint_id} broke off, and the service "
        f"may or may not have taken them: {found}. Look before you send them again ({cause})",
        endpoint_id=endpoint_id,
        task_group_id=task_group_id,
        task_ids=list(unknown or ()),
    )
    error.__cause__ = cause
    return error
