"""Recorded scenarios of the official ``Executor``, HTTP and AMQP, played with ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast
from unittest import mock

import pytest

from gcompute import Client, Executor
from tests.recordings.deliberate import check
from tests.recordings.playing import played, recording, unplayed
from tests.recordings.replaying_broker import ReplayingBroker
from tests.recordings.stages import BlockingStage
from tools.recording.scenario import SCENARIOS, Stage

NAMES = [name for name, each in SCENARIOS.items() if each.family == "executor"]
#: What our client does at the broker that the official one does not.
BEYOND = {"Basic.Qos", "Basic.Cancel", "Channel.Close", "Connection.Close"}
_PATIENCE_S = 20.0


class ExecutorStage(BlockingStage):
    """Scenarios of ``Executor``."""

    def executor(self, **options: Any) -> Executor:
        client: Client = self.client()
        made = Executor(endpoint_id=self.endpoint_id, client=client, **options)
        self._closing.callback(made.shutdown)
        return made


class Answers:
    """The answers that a cassette has given: which tasks are known."""

    def __init__(self) -> None:
        self._given = ""
        self._changed = threading.Condition()

    @contextmanager
    def of(self, cassette: Any) -> Iterator[None]:
        """Take in what a cassette answers."""
        play = cassette.play_response

        def played_response(request: Any) -> Any:
            response = play(request)
            with self._changed:
                self._given += response["body"]["string"].decode()
                self._changed.notify_all()
            return response

        with mock.patch.object(cassette, "play_response", played_response):
            yield

    def until(self, task_id: str) -> None:
        """Wait until a task was named in an answer."""
        with self._changed:
            assert self._changed.wait_for(lambda: task_id in self._given, _PATIENCE_S), task_id


@pytest.mark.parametrize("name", NAMES)
def test_ours_asks_and_sees_the_same(name: str) -> None:
    """Requests, frames that matter and results are those of the official Executor."""
    recorded = recording(name)
    path = Path(str(recorded.path).replace(".yaml", ".amqp.jsonl"))
    answers = Answers()
    with (
        ReplayingBroker(path, answers.until) as broker,
        played(recorded.path, broker=broker.url) as cassette,
        answers.of(cassette),
    ):
        with ExitStack() as closing:
            on = ExecutorStage(recorded.given, closing)
            recorded.scenario.play(cast(Stage, on))
        check(on, name, recorded.seen, unplayed(cassette))
    assert broker.errors == []
    assert set(broker.beyond) <= BEYOND
