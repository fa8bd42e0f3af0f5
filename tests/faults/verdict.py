"""What became of the futures, and whether that is right. Pure.

Right is a call's own result. Where the service cannot tell whether it took tasks, an error that
says so is right too, when it names the task group: only for tasks of the submits that broke off,
and only where the fault says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.faults.client import Ending
from tests.faults.endpoint import expected

#: Error types that say that a submit is uncertain.
_UNCERTAIN = "SubmissionUncertain"


@dataclass
class Verdict:
    """The outcome of one run.

    Attributes:
        right: futures with their own result.
        uncertain: futures with an error that says what to look at, where that is all one can know.
        errors: other errors, by type, with how many futures have it.
        texts: by the type of an error, the text of the first.
        wrong: futures with something else than their result.
        pending: futures that have not ended.
        repeated: tasks that the service has in excess of the calls, so that they run twice.
        seconds: from the start of the client to the last future that ended.
        stuck: what the scenario waited for in vain, if it did.
        said: the end of what the client wrote to standard error.
    """

    right: int = 0
    uncertain: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)
    wrong: int = 0
    pending: int = 0
    repeated: int = 0
    seconds: float = 0.0
    stuck: str = ""
    said: str = ""

    @property
    def good(self) -> bool:
        """Whether every future ended right, and no task ran twice."""
        return not (self.errors or self.wrong or self.pending or self.repeated or self.stuck)

    @property
    def remainder(self) -> str:
        """Say in a few words what there is but right results, and why it went on no further."""
        parts = [f"{count} {name}" for name, count in sorted(self.errors.items())]
        counts = (
            (self.uncertain, "uncertain"),
            (self.wrong, "WRONG"),
            (self.pending, "pending"),
            (self.repeated, "tasks twice"),
        )
        parts += [f"{count} {what}" for count, what in counts if count]
        return ", ".join(parts + ([self.stuck] if self.stuck else []))

    def describe(self) -> str:
        """Say it all, for the reader of a failed test."""
        lines = [f"{self.right} right, {self.remainder or 'nothing else'}"]
        lines += [f"first {name}: {text}" for name, text in self.texts.items()]
        return "\n".join([*lines, "the client said:", self.said or "nothing"])


def judge(
    calls: Mapping[str, int],
    endings: Mapping[str, Ending],
    *,
    asked: Iterable[int],
    tasks: Iterable[int],
    task_group_id: str | None = None,
    may_be_uncertain: int = 0,
) -> Verdict:
    """Judge a run.

    Args:
        calls: the numbers of the calls, by the key that the client has for each.
        endings: how futures ended, by the same keys.
        asked: the numbers of all calls that were to be submitted.
        tasks: the numbers of the tasks that came to the endpoint.
        task_group_id: what an uncertain error must name.
        may_be_uncertain: how many futures may end with one.
    """
    verdict = Verdict(pending=len(calls.keys() - endings.keys()))
    for key, ending in endings.items():
        if ending.error is None:
            if key in calls and ending.value == expected(calls[key]):
                verdict.right += 1
            else:
                verdict.wrong += 1
        elif _says_uncertain(ending, task_group_id) and verdict.uncertain < may_be_uncertain:
            verdict.uncertain += 1
        else:
            verdict.errors[ending.error] += 1
            verdict.texts.setdefault(ending.error, ending.text)
    surplus = Counter(tasks) - Counter(asked)
    verdict.repeated = surplus.total()
    return verdict


def _says_uncertain(ending: Ending, task_group_id: str | None) -> bool:
    return (
        ending.error == _UNCERTAIN
        and task_group_id is not None
        and ending.task_group_id == task_group_id
        and task_group_id in ending.text
    )
