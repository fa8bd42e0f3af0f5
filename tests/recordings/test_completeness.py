"""All recordings are there, unchanged, and say what they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.recordings.deliberate import DIFFERENCES
from tests.recordings.playing import CASSETTES, HOSTED, every_name, recording
from tests.recordings.replaying_broker import FREE
from tools.recording.cassette_format import load
from tools.recording.checksums import checksums, listed
from tools.recording.matching import IGNORED
from tools.recording.operations import operation_of, table
from tools.recording.scenario import FAMILIES, SCENARIOS

README = (CASSETTES / "README.md").read_text("utf-8")


def test_every_scenario_is_recorded() -> None:
    """And nothing else: a recording that nobody plays proves nothing."""
    names = {
        path.relative_to(CASSETTES).as_posix().removesuffix(".yaml")
        for family in FAMILIES
        for path in (CASSETTES / family).glob("*.yaml")
    }
    assert names == set(SCENARIOS)
    frames = {path.name.removesuffix(".amqp.jsonl") for path in CASSETTES.rglob("*.amqp.jsonl")}
    assert {f"executor/{name}" for name in frames} == {n for n in SCENARIOS if n[:4] == "exec"}


def test_no_recording_was_edited() -> None:
    """Each is as the recorder wrote it; one that is missing is missed."""
    folders = [CASSETTES, *CASSETTES.glob(HOSTED)]
    assert [checksums(folder) for folder in folders] == [listed(folder) for folder in folders]


@pytest.mark.parametrize("name", every_name())
def test_a_recording_says_what_made_it(name: str) -> None:
    """Client, agent, service, date and command, and what it is to prove."""
    head = load((CASSETTES / f"{name}.yaml").read_text("utf-8"))["head"]
    scenario = name.removeprefix(HOSTED)
    assert head["scenario"] == scenario
    assert head["proves"] == SCENARIOS[scenario].proves
    assert head["client"].startswith("globus-compute-sdk 4.19.0, globus-sdk 4.")
    # Elsewhere the agent is somebody's, and the service has no commit that is known.
    there = name.startswith(HOSTED)
    assert head["agent"].startswith("globus-compute-endpoint " + ("" if there else "4.19.0"))
    assert there or "commit " in head["service"]
    assert head["date"] >= "2025"
    assert head["command"]


def test_every_operation_is_recorded() -> None:
    """All 30 of the API document, each with success and with a refusal."""
    statuses = table(CASSETTES)
    assert len(statuses) == 30
    assert [name for name, counts in statuses.items() if 200 not in counts] == []
    assert [name for name, counts in statuses.items() if max(counts) == 200] == []


def test_every_request_is_an_operation() -> None:
    """No recording has a request that the API document does not know."""
    for name in every_name():
        for interaction in recording(name).interactions:
            assert operation_of(interaction["request"])


def test_what_differs_on_purpose_is_recorded() -> None:
    """The list names scenarios that are there."""
    assert DIFFERENCES.keys() <= SCENARIOS.keys()


def test_the_readme_lists_what_is_ignored() -> None:
    """Each part of a request that may differ, and each scenario that plays differently."""
    for ignored in IGNORED:
        assert f"| {ignored.where} | {ignored.compared} | {ignored.reason} |" in README
    for name, difference in DIFFERENCES.items():
        assert f"| `{name}` | {difference.reason} |" in README
    for (method, argument), reason in FREE.items():
        assert f"| {method} | {argument} | {reason} |" in README


def test_every_frame_is_plain() -> None:
    """One object a line, from either side, of a numbered connection and channel."""
    for path in CASSETTES.rglob("*.amqp.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            event: dict[str, Any] = json.loads(line)
            assert event["from"] in ("client", "broker")
            assert {"method", "properties", "body"} & event.keys()
