"""The states of a task, as its owner sees them while it lives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gcompute.local import LocalService
from tests.scenarios.service.api import Api
from tests.scenarios.waiting import eventually
from tests.support.rabbitmq import RabbitMQ


@pytest.fixture(params=["embedded", "rabbitmq"])
def quick(request: pytest.FixtureRequest) -> Iterator[LocalService]:
    """A service with one worker, whose endpoint reports five times a second."""
    broker = None
    if request.param == "rabbitmq":
        node: RabbitMQ = request.getfixturevalue("rabbitmq")
        broker = node.url()
    with LocalService(1, broker, heartbeat_period=0.2) as service:
        yield service


@pytest.fixture
def api(quick: LocalService) -> Iterator[Api]:
    """Its API."""
    made = Api(quick.url, quick.token)
    yield made
    made.close()


def wait_for_file(path: str) -> str:
    """Run until there is a file, and give what it says; fail if it says so."""
    import pathlib
    import time

    place = pathlib.Path(path)
    while not place.exists():
        time.sleep(0.01)
    text = place.read_text()
    if text == "fail":
        raise ValueError(text)
    return text


@pytest.mark.parametrize(("text", "final"), [("well", "success"), ("fail", "failed")])
def test_a_task_waits_runs_and_ends(
    quick: LocalService, api: Api, tmp_path: Path, text: str, final: str
) -> None:
    """Each state with the time at which it was entered, in the order of a task's life."""
    function = api.function(wait_for_file)
    path = tmp_path / "go"
    submitted = api.submit(quick.endpoint_id, function, str(path), str(path))
    first, second = submitted["tasks"][function]

    def is_(task: str, *states: str) -> Callable[[], bool]:
        return lambda: api("get_task", task_uuid=task)["status"] in states

    eventually(is_(first, "running"))
    # The one worker is busy.
    eventually(is_(second, "waiting-for-ep", "waiting-for-launch"))
    for task in (first, second):
        shown = api("get_task", task_uuid=task)
        assert not shown.keys() & {"result", "exception", "completion_t"}
    written = tmp_path / "text"
    written.write_text(text)
    written.rename(path)
    for task in (first, second):
        eventually(is_(task, final))
    status: dict[str, Any] = api("get_task", task_uuid=first)
    times = status["details"]["task_transitions"]
    assert {"received", "waiting-for-ep", "running", "execution-end", final} <= times.keys()
    assert times["received"] <= times["running"] <= times["execution-end"] <= times[final]
    assert times["received"] <= times["waiting-for-ep"]
    assert float(status["completion_t"]) == times[final]
    assert ("result" in status) == (final == "success")
    assert ("exception" in status) == (final == "failed")
