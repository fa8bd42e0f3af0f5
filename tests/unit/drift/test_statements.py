"""What a client says is the same from one recording to the next, unless it says something else."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tools.drift.statements import statements

Json = Any

ONE, OTHER = "4b116d3c-1703-4f8f-9f6f-39921e5864df", "b0a5d1a0-2b22-4381-b899-ba73321e41e0"


def recording(identifier: str, sdk: str) -> Json:
    """Make a recording of one run: other ids and another version of the SDK say the same."""
    agent = {"user-agent": f"globus-sdk-py-4.9.1/globus-compute-sdk-{sdk}"}
    submit = {
        "method": "POST",
        "uri": f"https://compute.example.org/v3/endpoints/{identifier}/submit",
        "headers": agent,
        "json": {
            "tasks": {identifier: ["10\n00\ngARLAy4=\n"]},
            "create_queue": True,
            "user_runtime": {"globus_compute_sdk_version": sdk, "python_version": f"3.11.{sdk[0]}"},
        },
    }
    poll = {
        "method": "GET",
        "uri": f"https://compute.example.org/v2/endpoints?role=any&id={identifier}",
        "headers": agent,
    }
    return {
        "head": {"client": f"globus-compute-sdk {sdk}, globus-sdk 4.9.1, Python 3.11.7"},
        "seen": [{"result": 3}, {"task": f"task {identifier}"}],
        "interactions": [{"request": each} for each in (submit, poll, poll)],
    }


def frames(identifier: str, tag: int) -> list[Json]:
    """Make the events of one connection."""
    consume = {"queue": f"results.{identifier}", "exclusive": False, "arguments": {}}
    return [
        {"from": "broker", "method": "Basic.Deliver", "arguments": {"delivery_tag": tag}},
        {"from": "client", "method": "Basic.Consume", "arguments": consume},
        {"from": "client", "method": "Basic.Ack", "arguments": {"delivery_tag": tag}},
    ]


def test_lines() -> None:
    """Requests with query, headers and body, their order, AMQP, and what the user sees."""
    said = statements(recording(ONE, "4.19.0"), frames(ONE, 1))
    assert said >= {
        "POST /v3/endpoints/{id}/submit: body.create_queue = True",
        "POST /v3/endpoints/{id}/submit: body.user_runtime.globus_compute_sdk_version = "
        "'{globus-compute-sdk}'",
        "GET /v2/endpoints: header user-agent = "
        "globus-sdk-py-{globus-sdk}/globus-compute-sdk-{globus-compute-sdk}",
        "GET /v2/endpoints: query role = any",
        "in this order: POST /v3/endpoints/{id}/submit, GET /v2/endpoints",
        "AMQP Basic.Consume: arguments.exclusive = False",
        "AMQP Basic.Consume: arguments.queue = 'results.{id}'",
        "AMQP Basic.Consume: arguments.arguments = {}",
        "the user sees result = 3",
    }
    assert not any("Deliver" in line for line in said)


def test_another_run_says_the_same() -> None:
    """Ids, versions, counters and how often it asked are no statements."""
    other = recording(OTHER, "5.0.1")
    other["interactions"].append(other["interactions"][-1])
    assert statements(recording(ONE, "4.19.0"), frames(ONE, 1)) == statements(
        other, frames(OTHER, 7)
    )


def _request(tree: Json, number: int = 0) -> Json:
    return tree["interactions"][number]["request"]


@pytest.mark.parametrize(
    "change",
    [
        lambda t: _request(t).update(method="PUT"),
        lambda t: _request(t).update(uri="https://compute.example.org/v4/submit"),
        lambda t: _request(t, 1).update(uri="https://compute.example.org/v2/endpoints?role=owner"),
        lambda t: _request(t)["headers"].update({"user-agent": "globus-compute-sdk"}),
        lambda t: _request(t)["headers"].update({"x-new": "1"}),
        lambda t: _request(t)["json"].update(create_queue=False),
        lambda t: _request(t)["json"].update(priority=1),
        lambda t: _request(t)["json"].pop("create_queue"),
        lambda t: _request(t)["json"].update(tasks={ONE: ["10\n00\ngARLBC4=\n"]}),
        lambda t: _request(t)["json"]["user_runtime"].pop("python_version"),
        lambda t: t["interactions"].pop(0),
        lambda t: t["interactions"].reverse(),
        lambda t: t["seen"].pop(0),
    ],
)
def test_whatever_changes_is_another_statement(change: Callable[[Json], object]) -> None:
    """Method, path, query, headers, fields, values, order, and what the user sees."""
    tree = recording(ONE, "4.19.0")
    changed = copy.deepcopy(tree)
    change(changed)
    assert statements(changed, []) != statements(tree, [])


def test_a_changed_frame_is_another_statement() -> None:
    """Arguments of AMQP methods, and methods themselves."""
    tree = recording(ONE, "4.19.0")
    exclusive = frames(ONE, 1)
    exclusive[1]["arguments"]["exclusive"] = True
    multiple = frames(ONE, 1)
    multiple[2]["arguments"]["multiple"] = True
    before = statements(tree, frames(ONE, 1))
    assert statements(tree, exclusive) != before
    assert statements(tree, multiple) != before
    assert statements(tree, [frames(ONE, 1)[0], frames(ONE, 1)[2]]) != before
