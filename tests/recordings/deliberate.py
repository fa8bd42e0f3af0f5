"""Where our clients do not do what the official SDK did, and why.

Each entry is checked: the difference must be there, and be no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.recordings.stages import ReplayStage

Json = Any


@dataclass(frozen=True)
class Difference:
    """A scenario that plays differently on some stages.

    Attributes:
        reason: why that is right.
        stages: on which; names of classes.
        unplayed: recorded requests that we do not make, in the order of the recording.
        ours: what users of ours see in place of what is recorded, by the name of the note.
        refused_here: whether what the service refused with 422 is refused before it is sent.
    """

    reason: str
    stages: tuple[str, ...]
    unplayed: tuple[str, ...] = ()
    ours: dict[str, Json] | None = None
    refused_here: bool = False


_CLIENTS = ("BlockingStage", "AsyncStage")
_OPERATIONS = ("ServiceClientStage", "BindingStage", "AsyncBindingStage")

DIFFERENCES: dict[str, Difference] = {
    "operations/malformed": Difference(
        "what the document rules out, such as an id that is no UUID, is refused without a request",
        _OPERATIONS,
        refused_here=True,
    ),
}


def check(stage: ReplayStage, name: str, recorded: list[dict[str, Json]], left: list[str]) -> None:
    """Compare what users saw, and which requests were not made, with the recording.

    Args:
        stage: where the scenario was played.
        name: of the scenario.
        recorded: what the official user saw.
        left: recorded requests that were not made.
    """
    difference = DIFFERENCES.get(name)
    if difference is None or type(stage).__name__ not in difference.stages:
        assert stage.seen == recorded
        assert left == []
        return
    if difference.refused_here:
        early = _refused_early(stage.seen, recorded)
        assert early, "nothing is refused before it is sent: there is no difference any more"
        assert len(left) == early
        return
    expected = [
        {n: (difference.ours or {}).get(n, v) for n, v in note.items()} for note in recorded
    ]
    assert stage.seen == expected
    assert left == list(difference.unplayed)


def _refused_early(ours: list[dict[str, Json]], recorded: list[dict[str, Json]]) -> int:
    """Count the notes where ours is an error of our own for one of the service's 422."""
    early = 0
    for mine, theirs in zip(ours, recorded, strict=True):
        if mine == theirs:
            continue
        ((name, seen),) = theirs.items()
        assert mine == {name: {"error": "ValueError"}}
        assert seen["http_status"] == 422
        early += 1
    return early
