"""Where our clients do not do what the official SDK did, and why.

Each entry is checked: the difference must be there, and be no other. Whether there is one in the
background is a matter of time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.recordings.playing import Playback, Recording, named, same
from tests.recordings.stages import ReplayStage
from tools.recording.matching import Request
from tools.recording.operations import operation_of

Json = Any

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Difference:
    """A scenario that plays differently on some stages.

    Attributes:
        reason: why that is right.
        stages: on which; names of classes.
        unplayed: recorded requests that we do not make once more, in the order of the recording.
        once_more: recorded requests that we make once more, as ``"GET /v2/endpoints"``; of a
            request that has ids in its path, the beginning.
        bodies: what stands in our bodies beyond the recorded ones: such a request, to the path of
            the field and its value.
        beyond: requests that we make in the background beside the recorded ones, where they come
            before the result; they have no answer here, and users see nothing of that.
        ours: what users of ours see in place of what is recorded, by the name of the note.
        refused_here: whether what the service refused with 422 is refused before it is sent; notes
            of such scenarios have the names of operations.
    """

    reason: str
    stages: tuple[str, ...]
    unplayed: tuple[str, ...] = ()
    once_more: tuple[str, ...] = ()
    bodies: Mapping[str, tuple[str, Json]] = field(default_factory=dict)
    beyond: tuple[str, ...] = ()
    ours: Mapping[str, Json] = field(default_factory=dict)
    refused_here: bool = False


#: What an ``Executor`` of ours asks while it registers and submits, so at any time.
_MEANWHILE = ("GET /v2/get_amqp_result_connection_url",)
_CLIENTS = ("BlockingStage", "AsyncStage")
_OPERATIONS = ("ServiceClientStage", "BindingStage", "AsyncBindingStage")

DIFFERENCES: dict[str, Difference] = {
    "operations/malformed": Difference(
        "what the document rules out, such as an id that is no UUID, is refused without a request",
        _OPERATIONS,
        refused_here=True,
    ),
    "client/source_code": Difference(
        "docs/wire.md has registrations of source name their strategy; the official SDK names none",
        _CLIENTS,
        bodies={"POST /v3/functions": ("meta.serde_identifier", "st")},
    ),
    "client/a_task_that_fails": Difference(
        "a client knows the tasks that it was told have failed, and does not ask again",
        _CLIENTS,
        unplayed=("GET /v2/tasks/{id}",),
    ),
    "client/version_check_before_a_task": Difference(
        "before the first task of an endpoint its Python is compared with ours",
        _CLIENTS,
        once_more=("GET /v2/endpoints/",),
    ),
    "client/service_in_trouble_at_a_submit": Difference(
        "a submit that fails in the service is not sent again, as it may have made the tasks",
        _CLIENTS,
        unplayed=("POST /v3/endpoints/{id}/submit",),
        ours={"refused": True},
    ),
    "executor/reload": Difference(
        "the results of a group that is found again are awaited over AMQP as well as asked for",
        ("ExecutorStage",),
        beyond=("GET /v2/get_amqp_result_connection_url",),
    ),
}
DIFFERENCES |= {
    f"executor/{name}": Difference(
        "after a break the service is asked for what may have come meanwhile",
        ("ExecutorStage",),
        beyond=("POST /v2/batch_status",),
    )
    for name in ("connection_closed", "channel_closed", "consumer_cancelled")
}


def difference(stage: type[ReplayStage], name: str) -> Difference | None:
    """Give how a scenario plays differently on a stage; ``None`` where it does not."""
    listed = DIFFERENCES.get(name)
    return listed if listed and stage.__name__ in listed.stages else None


def amended(tree: dict[str, Json], by: Difference | None) -> dict[str, Json]:
    """Give a recording as it would be of our client, where that differs on purpose."""
    if by is None:
        return tree
    interactions = list(tree["interactions"])
    for beginning in by.once_more:
        interactions += [_of(interactions, beginning)]
    for beginning, (path, value) in by.bodies.items():
        place = _of(interactions, beginning)["request"]["json"]
        *parents, name = path.split(".")
        for parent in parents:
            place = place[parent]
        assert place.get(name) != value, f"{path} is recorded: there is no difference any more"
        place[name] = value
    return {**tree, "interactions": interactions}


def _of(interactions: list[Json], beginning: str) -> Json:
    """Give the last recorded request that begins so."""
    return next(i for i in reversed(interactions) if _named(i["request"]).startswith(beginning))


def _named(request: Json) -> str:
    return f"{request['method']} {urlsplit(request['uri']).path}"


def check(stage: ReplayStage, recorded: Recording, playback: Playback) -> None:
    """Compare what users saw, and which requests were not made, with the recording.

    Args:
        stage: where the scenario was played.
        recorded: the recording.
        playback: what became of it.
    """
    assert stage.injected == recorded.injected
    assert sum(stage.pauses) >= recorded.to_wait_s
    left = playback.left
    listed = difference(type(stage), recorded.scenario.name)
    unknown = {named(each) for each in playback.unknown}
    assert unknown <= set(listed.beyond if listed else ()), unknown
    in_order = _in_order(playback, (*(listed.once_more if listed else ()), *_MEANWHILE))
    assert in_order == sorted(in_order), "requests were made in another order than recorded"
    if listed is None:
        assert stage.seen == recorded.seen
        assert [named(each) for each in left] == []
    elif listed.refused_here:
        early = _refused_early(stage.seen, recorded.seen)
        assert early, "nothing is refused before it is sent: there is no difference any more"
        assert [_operation(each) for each in left] == early
    else:
        ours = [{n: listed.ours.get(n, v) for n, v in note.items()} for note in recorded.seen]
        assert stage.seen == ours
        assert [_ID.sub("{id}", named(each)) for each in left] == list(listed.unplayed)
        # What we do not ask once more is what we have asked.
        assert all(any(same(each, other) for other in playback.made) for each in left)


def _in_order(playback: Playback, beginnings: tuple[str, ...]) -> list[int]:
    """Give the places in the recording of what was made, but for what begins otherwise."""
    requests = playback.cassette.requests
    return [i for i in playback.order if not named(requests[i]).startswith(beginnings)]


def _operation(request: Request) -> str:
    return operation_of({"method": request.method, "uri": request.uri})


def _refused_early(ours: list[dict[str, Json]], recorded: list[dict[str, Json]]) -> list[str]:
    """Name the notes where ours is an error of our own for one of the service's 422."""
    early = []
    for mine, theirs in zip(ours, recorded, strict=True):
        if mine == theirs:
            continue
        ((name, seen),) = theirs.items()
        assert mine == {name: {"error": "ValueError"}}
        assert seen["http_status"] == 422
        early.append(name)
    return early
