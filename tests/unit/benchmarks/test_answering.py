"""The service that answers tasks itself, and what is said of what it saw."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.answering import Observed
from benchmarks.answering_service import Service
from gcompute.messages import ResultMessage, decode
from gcompute.serialize import ComputeSerializer

_SUBMIT = "/v3/endpoints/4b116d3c-1703-4f8f-9f6f-39921e5864df/submit"


class _Channel:
    """Takes what is published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, ResultMessage]] = []

    def queue_declare(self, _queue: str, *, callback: Callable[[object], None]) -> None:
        callback(None)

    def basic_publish(self, _exchange: str, queue: str, body: bytes, _properties: object) -> None:
        message = decode(body)
        assert isinstance(message, ResultMessage)
        self.published.append((queue, message))


class _Service:
    """The service, asked without a network."""

    def __init__(self) -> None:
        self.channel = _Channel()
        self._service = Service(self.channel, "amqp://broker")

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send a request; give the answer."""
        sent: list[dict[str, Any]] = []
        path, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}

        async def receive() -> dict[str, Any]:
            return {"body": json.dumps(body).encode()}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        asyncio.run(self._service(scope, receive, send))
        return json.loads(sent[1]["body"])

    def submit(self, tasks: int) -> list[str]:
        """Submit tasks to a group; give their ids."""
        answer = self.ask("POST", _SUBMIT, {"task_group_id": "g", "tasks": {"f": ["p"] * tasks}})
        task_ids: list[str] = answer["tasks"]["f"]
        return task_ids

    def results(self) -> list[str]:
        """Take the ids of the tasks whose results were published."""
        published, self.channel.published = self.channel.published, []
        assert {queue for queue, _ in published} <= {"benchmark.results.g"}
        return [message.task_id for _, message in published]


@pytest.fixture
def service() -> _Service:
    """Give a service."""
    return _Service()


def test_each_task_is_answered(service: _Service) -> None:
    """Each task of a submit has a result on the group's queue."""
    task_ids = service.submit(3)
    assert len(set(task_ids)) == 3
    assert service.results() == task_ids


def test_results_are_held_until_they_are_released(service: _Service) -> None:
    """None comes before the release; afterwards they come at once again."""
    service.ask("POST", "/benchmark/hold")
    task_ids = service.submit(300)
    assert service.results() == []
    service.ask("POST", "/benchmark/release")
    assert service.results() == task_ids
    assert service.submit(1) == service.results()


def test_results_of_a_size(service: _Service) -> None:
    """The result of every task is as many bytes as was said, until a reset."""
    service.ask("POST", "/benchmark/result?bytes=1000")
    service.submit(1)
    service.ask("POST", "/benchmark/reset")
    service.submit(1)
    large, plain = (
        ComputeSerializer().deserialize(message.data) for _, message in service.channel.published
    )
    assert len(large) == 1000
    assert plain is None


def test_what_it_saw(service: _Service) -> None:
    """Requests are counted by what they are for, those of the measurement are not."""
    service.ask("POST", "/benchmark/reset")
    service.submit(2)
    service.submit(5)
    service.ask("GET", "/v2/version")
    seen = Observed(**service.ask("GET", "/benchmark/observed"))
    assert seen.requests == {"POST /v3/endpoints/<id>/submit": 2, "GET /v2/version": 1}
    assert seen.batches == [2, 5]
    assert seen.beside_submits == 1
    service.ask("POST", "/benchmark/reset")
    assert Observed(**service.ask("GET", "/benchmark/observed")) == Observed({}, [], [])


@pytest.mark.parametrize(
    ("moments", "most"),
    [([], 0), ([5.0], 1), ([0.0, 1.0, 9.9, 10.0, 10.5, 30.0], 4), ([0.0, 10.0, 20.0], 1)],
)
def test_busiest_window(moments: list[float], most: int) -> None:
    """A window begins with a request, and ends before its length is over."""
    assert Observed({}, moments, []).most_in(10.0) == most
