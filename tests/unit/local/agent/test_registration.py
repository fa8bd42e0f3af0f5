"""What an agent is started with."""

from __future__ import annotations

import copy
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from gcompute.local.agent.registration import RegistrationInvalid, parse_registration

ENDPOINT_ID = str(uuid.uuid4())
KWARGS = {
    "exchange": "results",
    "routing_key": "key",
    "mandatory": True,
    "properties": {"delivery_mode": 2},
}


def document() -> dict[str, Any]:
    """Give a complete one."""
    out = {
        "connection_url": "amqp://r",
        "exchange": "results",
        "queue": "results",
        "queue_publish_kwargs": KWARGS,
    }
    return copy.deepcopy(
        {
            "ep_info": {"hostname": "here"},
            "config": {"workers": 3, "run_dir": "/run", "sandbox": True},
            "amqp_creds": {
                "endpoint_id": ENDPOINT_ID,
                "task_queue_info": {"connection_url": "amqp://t", "exchange": "t", "queue": "q"},
                "result_queue_info": out,
                "heartbeat_queue_info": out,
            },
        }
    )


def test_everything_is_read() -> None:
    """Queues, publish arguments as they are, and the configuration with its defaults."""
    registration = parse_registration(json.dumps(document()))
    assert registration.endpoint_id == ENDPOINT_ID
    assert (registration.tasks.connection_url, registration.tasks.queue) == ("amqp://t", "q")
    assert registration.results.publish == KWARGS
    assert registration.ep_info == {"hostname": "here"}
    config = registration.config
    assert (config.workers, config.run_dir, config.sandbox) == (3, Path("/run"), True)
    assert (config.heartbeat_period, config.grace, config.prefetch) == (30, 5, 32)


def test_without_publish_arguments_the_rest_of_the_answer_does() -> None:
    """The exchange is named anyway, and the queue's name is the routing key."""
    given = document()
    given["amqp_creds"]["result_queue_info"]["queue_publish_kwargs"] = {}
    registration = parse_registration(json.dumps(given))
    assert registration.results.publish == {"exchange": "results", "routing_key": "results"}


def test_many_workers_hold_many_tasks() -> None:
    """There are always enough tasks at hand to keep all workers busy."""
    given = document()
    given["config"]["workers"] = 100
    assert parse_registration(json.dumps(given)).config.prefetch == 200


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("amqp_creds",), None, "cannot be read"),
        (("amqp_creds", "endpoint_id"), "x", "badly formed"),
        (("amqp_creds", "task_queue_info", "queue"), ..., "has no 'queue'"),
        (("amqp_creds", "result_queue_info"), ..., "has no 'result_queue_info'"),
        (
            ("amqp_creds", "result_queue_info", "queue_publish_kwargs"),
            {"immediate": True},
            "unknown keys: immediate",
        ),
        (("config", "workers"), 0, "workers must be a number of at least 1"),
        (("config", "workers"), "two", "workers must be a number"),
        (("config", "grace"), True, "grace must be a number"),
        (("config", "color"), "red", "unknown keys: color"),
    ],
)
def test_what_is_wrong_is_named(path: tuple[str, ...], value: object, reason: str) -> None:
    """A missing part, or one of the wrong kind, is an error that says which."""
    given = document()
    *parents, name = path
    part = given
    for parent in parents:
        part = part[parent]
    if value is ...:
        del part[name]
    else:
        part[name] = value
    with pytest.raises(RegistrationInvalid, match=reason):
        parse_registration(json.dumps(given))


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_what_is_no_registration_at_all(text: str) -> None:
    """Anything else is the same error."""
    with pytest.raises(RegistrationInvalid):
        parse_registration(text)
