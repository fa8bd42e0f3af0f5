"""Recorded scenarios of the official ``Executor``, HTTP and AMQP, played with ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.exceptions import AMQPError

from tests.recordings.deliberate import check
from tests.recordings.performing import perform
from tests.recordings.playing import names_of, recording
from tests.recordings.replaying_broker import OtherThanRecorded, ReplayingBroker

#: What our client does at the broker that the official one does not.
BEYOND = {"Basic.Qos", "Basic.Cancel", "Channel.Close", "Connection.Close"}


@pytest.mark.parametrize("name", names_of("executor"))
def test_ours_asks_and_sees_the_same(name: str) -> None:
    """Requests, frames that matter and results are those of the official Executor."""
    recorded = recording(name)
    played = perform(recorded)
    check(played.stage, recorded, played.playback)
    assert played.errors == []
    assert played.beyond <= BEYOND


@pytest.mark.parametrize("argument", ["queue", "no_ack", "exclusive"])
def test_another_frame_than_recorded_is_seen(argument: str, tmp_path: Path) -> None:
    """A recording in which the official client consumed another queue, or in another way."""
    recorded = recording("executor/submit_one")
    lines = recorded.path.with_suffix(".amqp.jsonl").read_text().splitlines()
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    for event in events:
        if event.get("method") == "Basic.Consume":
            event["arguments"][argument] = "another"
    altered = tmp_path / "altered.amqp.jsonl"
    altered.write_text("\n".join(map(json.dumps, events)))
    queue = json.loads(lines[8])["arguments"]["queue"]
    with ReplayingBroker(altered, lambda _task_id: None) as broker:
        connection = pika.BlockingConnection(pika.URLParameters(broker.url))
        with pytest.raises(AMQPError):
            connection.channel().basic_consume(queue, lambda *_: None)
    (error,) = broker.errors
    assert isinstance(error, OtherThanRecorded)
    assert f"Basic.Consume: {argument} is" in str(error)
