"""A recorded frame that is altered, or missing, is seen: what clients sent, and what brokers did.

What the client sent is altered argument by argument, and compared with what ours sends when the
recording plays as it is. What the broker sent is altered where our client reads it, and played.
"""

from __future__ import annotations

import copy
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.recordings import performing, replaying_broker
from tests.recordings.deliberate import check
from tests.recordings.performing import perform
from tests.recordings.playing import Recording, names_of, recording
from tests.recordings.replaying_broker import FREE, other_arguments
from tools.recording.scenarios import executor

Json = Any
Event = dict[str, Any]
Change = Callable[[list[Event]], object]

#: Seconds that a client or broker waits in vain for what was left out.
_PATIENCE_S = 0.5
#: The exit status of a process that could not tell.
_BROKE = 3


def _events(name: str) -> list[Event]:
    lines = recording(name).path.with_suffix(".amqp.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def _pairs(name: str) -> list[tuple[Event, Any]]:
    """Play a recording; give each method that the recorded client sent with ours for it."""
    pairs: list[tuple[Event, Any]] = []

    def noted(recorded: Event, frame: Any) -> list[str]:
        pairs.append((recorded, frame))
        return other_arguments(recorded, frame)

    with mock.patch.object(replaying_broker, "other_arguments", noted):
        assert perform(recording(name)).errors == []
    return pairs


def _arguments(value: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, each in value.items():
        if isinstance(each, dict) and each:
            yield from _arguments(each, (*path, key))
        else:
            yield (*path, key)


def _another(value: Json) -> Json:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


@pytest.mark.parametrize("name", names_of("executor"))
def test_an_altered_argument_is_seen(name: str) -> None:
    """Each of each method that the recorded client sent, but those that are free."""
    sent = [each for each in _events(name) if each["from"] == "client"]
    pairs = _pairs(name)
    # Acknowledgements are compared by the deliveries that they are for.
    assert [recorded for recorded, _ in pairs] == [e for e in sent if e["method"] != "Basic.Ack"]
    for recorded, frame in pairs:
        method = recorded["method"]
        for path in _arguments(recorded["arguments"]):
            altered, without = copy.deepcopy(recorded), copy.deepcopy(recorded)
            *parents, last = path
            inner, other = altered["arguments"], without["arguments"]
            for parent in parents:
                inner, other = inner[parent], other[parent]
            inner[last] = _another(inner[last])
            del other[last]
            seen = other_arguments(altered, frame) and other_arguments(without, frame)
            assert bool(seen) is ((method, ".".join(path)) not in FREE), (method, path)


def _fails(name: str, change: Change, folder: Path) -> bool:
    """Play a recording with changed frames; tell whether anything is not as recorded."""
    recorded, events = recording(name), _events(name)
    change(events)
    path = folder / "altered.yaml"
    path.write_text(recorded.path.read_text("utf-8"), "utf-8")
    path.with_suffix(".amqp.jsonl").write_text("\n".join(map(json.dumps, events)), "utf-8")
    altered = replace(recorded, path=path)
    child = os.fork()
    if child == 0:
        # A task of which nothing comes is waited for as long as its process lives.
        try:
            os._exit(_plays(altered))
        finally:
            os._exit(_BROKE)
    _, status = os.waitpid(child, 0)
    plays = os.waitstatus_to_exitcode(status)
    assert plays in (True, False), "it neither played nor failed as a recording does"
    return not plays


def _plays(altered: Recording) -> bool:
    """Tell whether everything is as recorded; what is said meanwhile is of no interest."""
    logging.disable(logging.CRITICAL)
    with (
        mock.patch.object(executor, "PATIENCE_S", _PATIENCE_S * 2),
        mock.patch.object(performing, "_PATIENCE_S", _PATIENCE_S),
        mock.patch.object(replaying_broker, "_PATIENCE_S", _PATIENCE_S),
    ):
        try:
            played = perform(altered)
            check(played.stage, altered, played.playback)
        except (AssertionError, TimeoutError):
            return False
    return not played.errors


def _first(events: list[Event], what: str) -> Event:
    """Give the first event of a method, or that has properties or a body."""
    return next(each for each in events if each.get("method") == what or what in each)


def _last(events: list[Event], what: str) -> Event:
    return _first(events[::-1], what)


def _without(what: str) -> Change:
    return lambda events: events.remove(_last(events, what))


def _message(events: list[Event]) -> Event:
    told: Event = _last(events, "body")["body"]["message"]
    return told


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("submit_one", _without("Connection.Start")),
        ("submit_one", _without("Connection.Tune")),
        ("submit_one", _without("Connection.OpenOk")),
        ("submit_one", _without("Channel.OpenOk")),
        ("submit_one", _without("Basic.ConsumeOk")),
        ("submit_one", _without("Basic.Deliver")),
        ("submit_one", _without("properties")),
        ("submit_one", _without("body")),
        ("submit_one", _without("Basic.Ack")),
        ("one_after_the_other", _without("Basic.Ack")),
        ("submit_one", lambda e: _first(e, "Basic.Deliver")["arguments"].update(delivery_tag=2)),
        (
            "one_after_the_other",
            lambda e: _last(e, "Basic.Ack")["arguments"].update(delivery_tag=2),
        ),
        ("submit_one", lambda e: _first(e, "Connection.Start")["arguments"].update(mechanisms="X")),
        ("submit_one", lambda e: _message(e)["data"].update(data="00\ngARLBC4=\n")),
        ("submit_one", lambda e: _message(e)["data"].update(task_id="of another")),
        ("submit_one", lambda e: _message(e)["data"].update(error_details={"code": "x"})),
        ("submit_one", lambda e: _message(e).update(message_type="task")),
        ("high_assurance", lambda e: _last(e, "properties")["properties"].pop("headers")),
        ("connection_closed", _without("Connection.Close")),
        ("channel_closed", _without("Channel.Close")),
        ("consumer_cancelled", _without("Basic.Cancel")),
    ],
)
def test_what_a_broker_did_has_consequences(name: str, change: Change, tmp_path: Path) -> None:
    """So that a recording of something else does not play."""
    assert _fails(f"executor/{name}", change, tmp_path)


def test_what_is_not_changed_plays(tmp_path: Path) -> None:
    """Or the test above would say nothing."""
    assert not _fails("executor/submit_one", lambda events: None, tmp_path)
