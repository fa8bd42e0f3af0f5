"""The service killed in the middle of work, again and again: nothing is lost, nothing comes twice.

The service is killed at random moments, with a seed, and started again on its state folder. Its
client, and agents that are not its own, know nothing of that: they go on by themselves.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import globus_sdk
import httpx
import pika
import psutil
import pytest

from gcompute import Client, Executor
from gcompute.local import LocalService
from gcompute.messages import ResultMessage
from gcompute.serialize import ComputeSerializer, PureSourceTextInspect
from tests.scenarios.service.api import Api, payload
from tests.scenarios.service.queues import channel, publish
from tests.scenarios.waiting import eventually
from tests.support.official import official_environment, official_python
from tests.support.official_agent import running_agent
from tests.support.rabbitmq import RabbitMQ, running_rabbitmq

KILLS = 5


class Restarted:
    """A service that is killed and comes back, and a client that knows only where it was."""

    def __init__(self, folder: Path, broker: RabbitMQ | None, *, workers: int = 2) -> None:
        options: dict[str, Any] = {}
        if broker is not None:
            options = {"broker": broker.url(), "broker_management": broker.management_url()}
        self.state = folder / "state"
        self.service = LocalService(workers=workers, state_dir=self.state, **options)
        self.service.start()
        self.address = self.service.url, self.service.broker

    def client(self) -> Client:
        """Make a client that is not closed with the service."""
        authorizer = globus_sdk.AccessTokenAuthorizer(self.service.token)
        return Client(base_url=self.address[0], authorizer=authorizer, request_limit=None)

    def kill(self) -> None:
        """Kill the service, and start it again where it was."""
        process = self.service._process
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        self.service.start()
        assert (self.service.url, self.service.broker) == self.address

    def count(self, sql: str) -> int:
        """Ask the state of a stopped service for a number."""
        with sqlite3.connect(self.state / "state.sqlite") as connection:
            (number,) = connection.execute(sql).fetchone()
        connection.close()
        return int(number)


class Landed:
    """How many futures have ended, and each how often."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.times: dict[Future[Any], int] = {}

    def watch(self, future: Future[Any]) -> None:
        """Count the ends of a future."""
        self.times[future] = 0
        future.add_done_callback(self._count)

    def _count(self, future: Future[Any]) -> None:
        with self._changed:
            self.times[future] += 1
            self._changed.notify_all()

    def wait(self, number: int, within_s: float = 90.0) -> None:
        """Wait until so many have ended."""
        with self._changed:
            done = self._changed.wait_for(lambda: sum(self.times.values()) >= number, within_s)
            assert done, f"{sum(self.times.values())} of {number} futures ended"


@pytest.fixture(params=["embedded", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> RabbitMQ | None:
    """A RabbitMQ, or `None` for the embedded broker."""
    return None if request.param == "embedded" else request.getfixturevalue("rabbitmq")


@contextmanager
def restarted(folder: Path, broker: RabbitMQ | None, *, workers: int = 2) -> Iterator[Restarted]:
    """Run a service for the length of a block."""
    made = Restarted(folder, broker, workers=workers)
    try:
        yield made
    finally:
        made.service.stop()


def square(x: int) -> int:
    """A function for the workers."""
    import time

    time.sleep(0.004)
    return x * x


def by_source() -> ComputeSerializer:
    """Send functions in a form that needs no module of ours where they run."""
    return ComputeSerializer(strategy_code=PureSourceTextInspect())


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def moments(count: int, of: int, seed: int) -> list[int]:
    """Choose after how many results the service is killed."""
    return sorted(random.Random(seed).sample(range(1, of), count))


def test_every_result_arrives_once(tmp_path: Path, broker: RabbitMQ | None) -> None:
    """1,000 tasks in flight, five kills: every future ends once, with its own result."""
    landed = Landed()
    with restarted(tmp_path, broker) as stage:
        client = stage.client()
        with Executor(stage.service.endpoint_id, client=client) as executor:
            futures = [executor.submit(square, x) for x in range(1000)]
            for future in futures:
                landed.watch(future)
            for results in moments(KILLS, of=900, seed=4):
                landed.wait(results)
                stage.kill()
            assert [future.result(90) for future in futures] == [x * x for x in range(1000)]
        client.close()
    assert set(landed.times.values()) == {1}
    assert stage.count("SELECT count(*) FROM tasks WHERE state = 'success'") == 1000
    assert stage.count("SELECT count(*) FROM results") == 1000


def test_whatever_was_accepted_runs(tmp_path: Path, broker: RabbitMQ | None) -> None:
    """The service is killed while submits are on their way: what it has answered for, it keeps."""
    accepted: dict[str, int] = {}
    failures: list[Exception] = []
    enough = threading.Event()

    def submit(api: Api, endpoint: str, function: str) -> None:
        number = 0
        while not enough.is_set():
            body = {"tasks": {function: [payload(number + i) for i in range(10)]}}
            try:
                answer = api("submit", body, endpoint_uuid=endpoint)
            except httpx.TransportError as error:
                failures.append(error)
                continue
            accepted.update({t: number + i for i, t in enumerate(answer["tasks"][function])})
            number += 10

    with restarted(tmp_path, broker) as stage:
        api = Api(stage.service.url, stage.service.token)
        function = api.function(square)
        arguments = (api, stage.service.endpoint_id, function)
        submitting = threading.Thread(target=submit, args=arguments)
        submitting.start()
        try:
            for number in moments(3, of=600, seed=5):
                eventually(lambda least=number: len(accepted) > least)  # type: ignore[misc]
                stage.kill()
        finally:
            enough.set()
            submitting.join()
        assert failures, "no submit was disturbed"
        tasks = list(accepted)

        def all_finished() -> bool:
            answers = api("get_task_batch", {"task_ids": tasks})["results"].values()
            return all(answer["status"] in ("success", "failed") for answer in answers)

        eventually(all_finished, 60)
        answers = api("get_task_batch", {"task_ids": tasks})["results"]
        assert {answers[task]["status"] for task in tasks} == {"success"}
        api.close()


def first_or_again(mark: str) -> str:
    """Tell whether this ran before; the first time it runs for very long."""
    import os
    import time

    if os.path.exists(mark):
        return "again"
    with open(mark + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(mark + ".new", mark)
    time.sleep(600)
    return "first"


def test_what_was_running_runs_again(tmp_path: Path, broker: RabbitMQ | None) -> None:
    """The agent ends with its service, in the middle of a task, and leaves no worker behind."""
    mark = tmp_path / "mark"
    with restarted(tmp_path, broker, workers=1) as stage:
        client = stage.client()
        with Executor(stage.service.endpoint_id, client=client) as executor:
            future = executor.submit(first_or_again, str(mark))
            eventually(mark.exists)
            stage.kill()
            assert future.result(60) == "again"
        eventually(lambda: not lives(int(mark.read_text())))
        client.close()


def test_an_official_agent_goes_on(tmp_path: Path, broker: RabbitMQ | None) -> None:
    """It is attached to a service that is killed, and knows only its registration."""
    count, landed = 300, Landed()
    home = tmp_path / "agent"
    home.mkdir()
    with (
        restarted(tmp_path, broker, workers=0) as stage,
        running_agent(stage.service, "threads", home) as endpoint,
    ):
        client = stage.client()
        with Executor(endpoint, client=client, serializer=by_source()) as executor:
            futures = [executor.submit(square, x) for x in range(count)]
            for future in futures:
                landed.watch(future)
            for results in moments(2, of=250, seed=6):
                landed.wait(results)
                stage.kill()
            assert [future.result(90) for future in futures] == [x * x for x in range(count)]
        client.close()
    assert set(landed.times.values()) == {1}


#: Runs tasks by the official SDK: says when the first one has ended, then what all gave.
_OFFICIAL_CLIENT = """
import sys
from globus_compute_sdk import Executor

def square(x):
    import time
    time.sleep(0.05)
    return x * x

with Executor(endpoint_id=sys.argv[1]) as executor:
    futures = [executor.submit(square, x) for x in range(60)]
    print(futures[0].result(60), flush=True)
    print([future.result(90) for future in futures], flush=True)
"""


def test_an_official_client_goes_on(tmp_path: Path, broker: RabbitMQ | None) -> None:
    """The service is killed while results of its tasks come in; it has them all in the end."""
    with restarted(tmp_path, broker) as stage:
        client = subprocess.Popen(
            [official_python(), "-c", _OFFICIAL_CLIENT, stage.service.endpoint_id],
            env=official_environment(stage.service, tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert client.stdout is not None
            assert client.stdout.readline() == "0\n"
            stage.kill()
            said, errors = client.communicate(timeout=100)
        finally:
            client.kill()
            client.communicate()
    assert said == f"{[x * x for x in range(60)]}\n", errors


def test_logins_hold(tmp_path: Path) -> None:
    """What the embedded broker's users were given before a kill lets them in after it, and what
    was taken from them does not."""
    with restarted(tmp_path, None, workers=0) as stage:
        api = Api(stage.service.url, stage.service.token)
        registration = {"endpoint_name": "bare", "metadata": {}}
        kept = api("register_endpoint", registration)
        locked = api("register_endpoint", registration)
        api("lock_endpoint", endpoint_uuid=locked["endpoint_id"])
        function = api.function(square)
        answer = api.submit(kept["endpoint_id"], function, 1, create_queue=True)
        reading = api("get_result_amqp_url")
        api.close()
        stage.kill()
        with channel(kept["result_queue_info"]["connection_url"]) as opened:
            (task,) = answer["tasks"][function]
            publish(opened, kept["result_queue_info"], ResultMessage(task, "00\nx"))
        with channel(reading["connection_url"]) as opened:
            queue = reading["queue_prefix"] + answer["task_group_id"]
            assert next(opened.consume(queue, inactivity_timeout=20))[0] is not None
        with (
            pytest.raises(pika.exceptions.ProbableAuthenticationError),
            channel(locked["task_queue_info"]["connection_url"]),
        ):
            pass


def square_later(x: int, gate: str) -> int:
    """Compute the square of a large number only when a file is there."""
    import os
    import time

    while x >= 50 and not os.path.exists(gate):
        time.sleep(0.02)
    return x * x


def test_a_broker_that_restarts(tmp_path: Path) -> None:
    """RabbitMQ stops and starts, with tasks of our agent and of an official one in flight: some
    end while it is away."""
    count, landed, gate = 200, Landed(), tmp_path / "gate"
    node_folder, home = tmp_path / "node", tmp_path / "agent"
    node_folder.mkdir()
    home.mkdir()
    with running_rabbitmq(node_folder, management=True) as node, restarted(tmp_path, node) as stage:
        client = stage.client()
        with running_agent(stage.service, "threads", home) as official:
            executors = [
                Executor(endpoint, client=client, serializer=by_source())
                for endpoint in (stage.service.endpoint_id, official)
            ]
            futures = [
                executor.submit(square_later, x, str(gate))
                for executor in executors
                for x in range(count)
            ]
            for future in futures:
                landed.watch(future)
            landed.wait(2 * 50)
            node.stop()
            gate.touch()
            node.start()
            assert [future.result(120) for future in futures] == 2 * [x * x for x in range(count)]
            for executor in executors:
                executor.shutdown()
        client.close()
    assert set(landed.times.values()) == {1}
