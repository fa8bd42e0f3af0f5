"""More tasks than the broker has memory for: they wait in the state, and none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pika
import pytest

from gcompute.local.broker import BrokerLimits, server
from gcompute.local.outbox import Outbox
from tests.fuzz.running import service_in_thread
from tests.scenarios.service.api import Api
from tests.scenarios.waiting import eventually

_SIZE = 100_000
_TASKS = 100
#: Seconds that a task may take to come, and those in which one too many would come.
_PATIENCE_S, _MORE_S = 20.0, 1.0
#: Room for twenty: base64 makes them a third longer.
_BROKER_BYTES = 20 * _SIZE * 4 // 3


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A service whose broker holds twenty tasks, and which has ten more on the way to it."""
    monkeypatch.setattr(
        server, "BrokerLimits", partial(BrokerLimits, max_queued_bytes=_BROKER_BYTES)
    )
    monkeypatch.setitem(Outbox.__init__.__kwdefaults__ or {}, "window", _BROKER_BYTES // 2)
    with (
        service_in_thread(tmp_path) as announcement,
        closing(Api(announcement["url"], announcement["users"]["ann"]["token"])) as api,
    ):
        yield api


def _states(api: Api, task_ids: list[str]) -> Counter[str]:
    answer = api("get_task_batch", {"task_ids": task_ids})
    return Counter(task["status"] for task in answer["results"].values())


def test_tasks_for_an_endpoint_that_is_away_wait_in_the_state(small: Api) -> None:
    """The broker has what it may, requests are answered, and each task is delivered once."""
    registration = small("register_endpoint", {"endpoint_name": "away", "metadata": {}})
    function = small.function()
    task_ids: list[str] = []
    for number in range(_TASKS):
        answer = small.submit(registration["endpoint_id"], function, f"{number}" + "x" * _SIZE)
        task_ids += answer["tasks"][function]
    eventually(lambda: _states(small, task_ids)["waiting-for-ep"] >= 18)
    states = _states(small, task_ids)
    assert states["received"] >= _TASKS - 40, states
    assert _delivered(registration["task_queue_info"], _TASKS) == task_ids
    eventually(lambda: _states(small, task_ids)["received"] == 0)


def _delivered(queue: dict[str, Any], count: int) -> list[str]:
    """Consume a task queue as an agent does, and give the ids in order of arrival.

    It ends when nothing comes any more: after a moment once there are as many as there should be,
    and after a long while before that.
    """
    found: list[str] = []
    with pika.BlockingConnection(pika.URLParameters(queue["connection_url"])) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=5)
        while True:
            patience_s = _PATIENCE_S if len(found) < count else _MORE_S
            method, properties, _ = next(
                channel.consume(queue["queue"], inactivity_timeout=patience_s)
            )
            if method is None:
                return found
            found.append(properties.headers["task_uuid"])
            channel.basic_ack(method.delivery_tag, multiple=True)
