"""Plays a recording of the official ``Executor``, HTTP and AMQP, with ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from unittest import mock

from gcompute import Client, Executor
from gcompute.executor import fetching
from tests.recordings.playing import Playback, Recording, played
from tests.recordings.replaying_broker import ReplayingBroker
from tests.recordings.stages import BlockingStage
from tools.recording.scenario import Stage

_PATIENCE_S = 20.0
#: A machine so slow that it takes seconds to connect would have our client ask over HTTP, too.
_NEVER_S = 1000.0


class ExecutorStage(BlockingStage):
    """Scenarios of ``Executor``."""

    def executor(self, **options: Any) -> Executor:
        client: Client = self.client()
        made = Executor(endpoint_id=self.endpoint_id, client=client, **options)
        self._closing.push(partial(_shut_down, made))
        return made


def _shut_down(executor: Executor, kind: type[BaseException] | None, *_error: object) -> None:
    """Wait for what is under way, but not where a scenario has failed: it may never end."""
    executor.shutdown(wait=kind is None, cancel_futures=kind is not None)


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


@dataclass(frozen=True)
class Performance:
    """How a recording was played.

    Attributes:
        stage: with what the user saw.
        playback: what became of the recorded requests.
        beyond: methods of AMQP that only our client used.
        errors: where our client did something else than the recorded one at the broker.
    """

    stage: ExecutorStage
    playback: Playback
    beyond: set[str]
    errors: list[BaseException]


def perform(recorded: Recording) -> Performance:
    """Play a recording."""
    answers = Answers()
    with (
        mock.patch.object(fetching, "GRACE_S", _NEVER_S),
        ReplayingBroker(recorded.path.with_suffix(".amqp.jsonl"), answers.until) as broker,
        played(recorded.path, broker=broker.url) as playback,
        answers.of(playback.cassette),
        ExitStack() as closing,
    ):
        stage = ExecutorStage(recorded.given, closing)
        recorded.scenario.play(cast(Stage, stage))
    return Performance(stage, playback, set(broker.beyond), broker.errors)
