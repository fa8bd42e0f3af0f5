"""Frames as plain values, and back."""

from __future__ import annotations

import json
from typing import Any

import pika.frame
import pytest
from pika import spec

from tools.recording.frames import body_of, bytes_of, describe, unacknowledged


def _round(frame: Any) -> Any:
    return describe(pika.frame.decode_frame(frame.marshal())[1])


def test_a_method_is_its_name_and_arguments() -> None:
    """On its channel."""
    told = _round(pika.frame.Method(3, spec.Basic.Ack(7, multiple=True)))
    assert told == {
        "channel": 3,
        "method": "Basic.Ack",
        "arguments": {"delivery_tag": 7, "multiple": True},
    }


def test_a_login_and_a_cluster_are_not_told() -> None:
    """The one is secret, the other has a host's name."""
    login = spec.Connection.StartOk({}, "PLAIN", "\0bob\0pa55", "en_US")
    assert "pa55" not in json.dumps(_round(pika.frame.Method(0, login)))
    start = spec.Connection.Start(0, 9, {"product": "p", "cluster_name": "rabbit@node17"})
    told = _round(pika.frame.Method(0, start))
    assert told["arguments"]["server_properties"] == {"product": "p"}


def test_properties_that_are_not_set_are_left_out() -> None:
    """What is left is what makes them again."""
    properties = spec.BasicProperties(delivery_mode=2, headers={"high_assurance": True})
    told = _round(pika.frame.Header(1, 5, properties))
    assert told["properties"] == {"delivery_mode": 2, "headers": {"high_assurance": True}}


def test_heartbeats_are_left_out() -> None:
    """How many there are is a matter of time."""
    assert _round(pika.frame.Heartbeat()) is None


@pytest.mark.parametrize("content", [b'\x01{"a":[1,null]}', b"\x01{", b"\x02{}", b"", b"\xff"])
def test_a_body_comes_back(content: bytes) -> None:
    """Whatever it is; a message can be read."""
    assert bytes_of(json.loads(json.dumps(body_of(content)))) == content
    assert ("message" in body_of(content)) is (content == b'\x01{"a":[1,null]}')


def _event(method: str, tag: int = 0, channel: int = 1) -> dict[str, Any]:
    arguments = {"delivery_tag": tag}
    return {"connection": 1, "channel": channel, "method": method, "arguments": arguments}


@pytest.mark.parametrize(
    ("events", "waiting"),
    [
        ([], False),
        ([_event("Basic.Deliver", 1)], True),
        ([_event("Basic.Deliver", 1), _event("Basic.Ack", 1)], False),
        ([_event("Basic.Deliver", 1), _event("Basic.Deliver", 2), _event("Basic.Ack", 1)], True),
        ([_event("Basic.Deliver", 1), _event("Channel.Close")], False),
        ([_event("Basic.Deliver", 1), _event("Channel.Close", channel=2)], True),
        ([_event("Basic.Deliver", 1), _event("Connection.Close", channel=0)], False),
    ],
)
def test_what_is_not_acknowledged_is_known(events: list[dict[str, Any]], waiting: bool) -> None:
    """Until it is, or its channel is gone."""
    assert unacknowledged(events) is waiting
