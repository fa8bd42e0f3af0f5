"""What a service and its endpoint have when they come back."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pika
import pytest

from gcompute.local import LocalService, LocalServiceFailed
from gcompute.local.accounts import SharedAccount
from gcompute.local.amqp.cleanup import remove
from gcompute.local.names import Names
from gcompute.local.provisioning import Provisioning
from gcompute.local.store import Store
from gcompute.messages import ResultMessage, StatusReport, Transition, decode, encode
from tests.scenarios.service.api import SERIALIZER, Api, payload
from tests.scenarios.service.queues import channel, publish, receive
from tests.scenarios.waiting import eventually
from tests.support.rabbitmq import RabbitMQ

REGISTRATION = {"endpoint_name": "bare", "metadata": {}}


@pytest.fixture(params=["embedded", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> str | None:
    """The broker's URL, `None` for the embedded one."""
    if request.param == "embedded":
        return None
    node: RabbitMQ = request.getfixturevalue("rabbitmq")
    return node.url()


def kill(service: LocalService) -> None:
    """End the service process at once."""
    process = service._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)


def _finished(api: Api, tasks: list[str]) -> Callable[[], bool]:
    def all_finished() -> bool:
        results = api("get_task_batch", {"task_ids": tasks})["results"].values()
        return all(r["status"] in ("success", "failed") for r in results)

    return all_finished


def double(x: int) -> int:
    """A function for the workers."""
    return 2 * x


def test_a_killed_service_knows_everything_again(tmp_path: Path, broker: str | None) -> None:
    """Token, endpoints, functions and accepted tasks are there, and the tasks reach their
    endpoint, whether or not their broker lost them."""
    service = LocalService(workers=0, state_dir=tmp_path, broker=broker)
    try:
        service.start()
        token = service.token
        api = Api(service.url, token)
        endpoint = api.endpoint()
        function = api.function(double)
        answer = api.submit(endpoint, function, *range(100), create_queue=True)
        tasks = answer["tasks"][function]
        kill(service)
        api.close()
        service.start()
        assert service.token == token
        api = Api(service.url, token)
        info = api("update_endpoint", REGISTRATION, endpoint_uuid=endpoint)
        group = api("get_task_group", task_group_uuid=answer["task_group_id"])
        assert [task["id"] for task in group["tasks"]] == tasks
        reading = info["task_queue_info"]
        with channel(reading["connection_url"]) as opened:
            # Tasks may come twice, and do not get lost.
            seen: set[str] = set()
            while len(seen) < 100:
                ((properties, _),) = receive(opened, reading["queue"])
                seen.add(properties.headers["task_uuid"])
        assert seen == set(tasks)
        api.close()
    finally:
        remove_queues(service, broker)


def test_results_that_nobody_had_read_are_there_after_a_kill(
    tmp_path: Path, broker: str | None
) -> None:
    """In the same queue, under the same name."""
    service = LocalService(workers=0, state_dir=tmp_path, broker=broker)
    try:
        service.start()
        api = Api(service.url, service.token)
        info = api("register_endpoint", REGISTRATION)
        function = api.function(double)
        answer = api.submit(info["endpoint_id"], function, 1, create_queue=True)
        (task,) = answer["tasks"][function]
        with channel(info["result_queue_info"]["connection_url"]) as opened:
            publish(opened, info["result_queue_info"], ResultMessage(task, "00\nx"))
        eventually(_finished(api, [task]))
        kill(service)
        api.close()
        service.start()
        api = Api(service.url, service.token)
        assert api("get_task", task_uuid=task)["result"] == "00\nx"
        access = api("get_result_amqp_url")
        with channel(access["connection_url"]) as opened:
            ((_, body),) = receive(opened, access["queue_prefix"] + answer["task_group_id"])
        assert decode(body) == ResultMessage(task, "00\nx")
        api.close()
    finally:
        remove_queues(service, broker)


def test_tasks_of_an_endpoint_that_was_just_deleted_fail(tmp_path: Path) -> None:
    """Although the service was killed before it came to them; its client hears of it."""
    with LocalService(workers=0, state_dir=tmp_path) as service:
        api = Api(service.url, service.token)
        endpoint, function = api.endpoint(), api.function(double)
        answer = api.submit(endpoint, function, *range(250), create_queue=True)
        api.close()
        kill(service)
        with closing(sqlite3.connect(tmp_path / "state.sqlite")) as connection, connection:
            connection.execute("UPDATE endpoints SET deleted_at = 1.0 WHERE id = ?", (endpoint,))
        service.start()
        api = Api(service.url, service.token)
        access = api("get_result_amqp_url")
        with channel(access["connection_url"]) as opened:
            results = receive(opened, access["queue_prefix"] + answer["task_group_id"], 250)
        assert {decode(body).task_id for _, body in results} == set(answer["tasks"][function])  # type: ignore[union-attr]
        assert all(b"was deleted before" in body for _, body in results)
        api.close()


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "stopped"])
def test_what_a_consumer_has_had_does_not_come_again(
    tmp_path: Path, broker: str | None, killed: bool
) -> None:
    """It acknowledges some results; after a restart its queue has the others, and no more."""
    service = LocalService(workers=1, state_dir=tmp_path, broker=broker)
    try:
        service.start()
        api = Api(service.url, service.token)
        function = api.function(double)
        answer = api.submit(service.endpoint_id, function, *range(50), create_queue=True)
        access = api("get_result_amqp_url")
        queue = access["queue_prefix"] + answer["task_group_id"]
        with channel(access["connection_url"]) as opened:
            opened.basic_qos(prefetch_count=1)
            had = [decode(body).task_id for _, body in receive(opened, queue, 30)]  # type: ignore[union-attr]
            # A passive declaration is answered after the acknowledgements were heard.
            opened.queue_declare(queue, passive=True)
        eventually(_finished(api, answer["tasks"][function]))
        # Else a kill comes before the service knows, and they are there twice.
        eventually(lambda: _all_forwarded(tmp_path))
        if killed:
            kill(service)
        else:
            service.stop()
        api.close()
        service.start()
        with channel(access["connection_url"]) as opened:
            rest = receive(opened, queue, 20)
            depth = opened.queue_declare(queue, passive=True).method.message_count
        assert {properties.message_id for properties, _ in rest} | set(had) == set(
            answer["tasks"][function]
        )
        assert (len(set(had)), depth) == (30, 0)
    finally:
        remove_queues(service, broker)


def _all_forwarded(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "state.sqlite")) as connection:
        (left,) = connection.execute("SELECT count(*) FROM results WHERE forwarded = 0").fetchone()
    return int(left) == 0


def test_workers_go_on_after_a_kill(tmp_path: Path) -> None:
    """The endpoint is the same, and runs what was accepted before."""
    with LocalService(workers=1, state_dir=tmp_path) as service:
        endpoint = service.endpoint_id
        api = Api(service.url, service.token)
        function = api.function(double)
        tasks = api.submit(endpoint, function, *range(50))["tasks"][function]
        kill(service)
        api.close()
        service.start()
        assert service.endpoint_id == endpoint
        api = Api(service.url, service.token)
        eventually(_finished(api, tasks))
        results = api("get_task_batch", {"task_ids": tasks})["results"]
        assert [SERIALIZER.deserialize(results[t]["result"]) for t in tasks] == [
            2 * x for x in range(50)
        ]
        api.close()


def mark(folder: str, number: int) -> bytes:
    """Leave a mark of this call, and a result that takes a while to be taken in."""
    import os

    with open(os.path.join(folder, str(number)), "a") as file:
        file.write("x")
    return bytes(400_000)


def test_what_has_ended_before_a_stop_does_not_run_again(
    tmp_path: Path, broker: str | None
) -> None:
    """Also where its result was still with the broker, behind others."""
    marks = tmp_path / "marks"
    marks.mkdir()
    service = LocalService(workers=2, state_dir=tmp_path / "state", broker=broker)
    try:
        service.start()
        api = Api(service.url, service.token)
        function = api.function(mark)
        body = {"tasks": {function: [payload(str(marks), number) for number in range(200)]}}
        tasks = api("submit", body, endpoint_uuid=service.endpoint_id)["tasks"][function]
        eventually(lambda: len(list(marks.iterdir())) >= 120, 60)
        service.stop()
        api.close()
        service.start()
        api = Api(service.url, service.token)
        eventually(_finished(api, tasks), 60)
        assert {file.read_text() for file in marks.iterdir()} == {"x"}
        api.close()
    finally:
        remove_queues(service, broker)


def finished_tasks(folder: Path) -> set[str]:
    """Give the tasks that have a result in the state of a service that does not run."""
    with closing(sqlite3.connect(folder / "state.sqlite")) as connection:
        rows = connection.execute("SELECT id FROM tasks WHERE completed_at IS NOT NULL")
        return {row[0] for row in rows}


def test_a_result_that_a_stopping_broker_has_confirmed_is_kept(tmp_path: Path) -> None:
    """An agent from elsewhere goes on to publish until it is cut off: it would not do so again."""
    service = LocalService(workers=0, state_dir=tmp_path)
    service.start()
    api = Api(service.url, service.token)
    info = api("register_endpoint", REGISTRATION)
    function = api.function(double)
    tasks = [
        task
        for _ in range(10)
        for task in api.submit(info["endpoint_id"], function, *range(2000))["tasks"][function]
    ]
    api.close()
    confirmed: list[str] = []
    begun = threading.Event()

    def work() -> None:
        with channel(info["result_queue_info"]["connection_url"]) as opened:
            for task in tasks:
                try:
                    publish(opened, info["result_queue_info"], ResultMessage(task, "00\nx"))
                except pika.exceptions.AMQPError:
                    return
                confirmed.append(task)
                if len(confirmed) == 100:
                    begun.set()

    agent = threading.Thread(target=work)
    agent.start()
    try:
        assert begun.wait(20)
    finally:
        service.stop()
        agent.join(20)
    assert len(confirmed) < len(tasks), "the agent was ready before the service had stopped"
    assert set(confirmed) - finished_tasks(tmp_path) == set()


def test_a_task_whose_result_is_with_the_broker_does_not_run_again(
    tmp_path: Path, rabbitmq: RabbitMQ
) -> None:
    """The service was killed before it kept that the broker had the task, and before it had the
    result: that comes first when it is back."""
    service = LocalService(workers=0, state_dir=tmp_path, broker=rabbitmq.url())
    try:
        service.start()
        api = Api(service.url, service.token)
        info = api("register_endpoint", REGISTRATION)
        function = api.function(double)
        tasks = api.submit(info["endpoint_id"], function, *range(300))["tasks"][function]
        api.close()
        reading = info["task_queue_info"]
        with channel(reading["connection_url"]) as opened:
            receive(opened, reading["queue"], 300)
            kill(service)
            for task in tasks[:-1]:
                publish(opened, info["result_queue_info"], ResultMessage(task, "00\nx"))
        with closing(sqlite3.connect(tmp_path / "state.sqlite")) as connection, connection:
            connection.execute("UPDATE tasks SET state = 'received', dispatched_at = NULL")
        service.start()
        api = Api(service.url, service.token)
        eventually(_finished(api, tasks[:-1]))
        with channel(reading["connection_url"]) as opened:
            # The one without a result is sent again, and no other.
            ((properties, _),) = receive(opened, reading["queue"])
            assert properties.headers["task_uuid"] == tasks[-1]
            depth = opened.queue_declare(reading["queue"], passive=True).method.message_count
        assert depth == 0
        api.close()
    finally:
        remove_queues(service, rabbitmq.url())


def wait_for_file(path: str, begun: str) -> None:
    """Say that this has begun, and wait until there is a file."""
    import os
    import time

    open(begun, "w").close()
    while not os.path.exists(path):
        time.sleep(0.01)


def test_what_an_agent_said_before_it_was_killed_holds_no_task_back(
    tmp_path: Path, rabbitmq: RabbitMQ
) -> None:
    """Its last report is still with the broker: that it has tasks is not true any more."""
    service = LocalService(workers=1, state_dir=tmp_path / "state", broker=rabbitmq.url())
    try:
        service.start()
        api = Api(service.url, service.token)
        endpoint, go_on, begun = service.endpoint_id, tmp_path / "go on", tmp_path / "begun"
        waiting = api.function(wait_for_file)
        first = _submit_two(api, endpoint, waiting, str(go_on), str(begun))
        second = _submit_two(api, endpoint, api.function(double), 2)
        eventually(begun.exists)
        kill(service)
        api.close()
        now = (Transition(time.time_ns(), "waiting-for-launch", "interchange"),)
        report = StatusReport(endpoint, {}, {first: now, second: now})
        with closing(Store(tmp_path / "state")) as store:
            names = Names(store.identity(), store.seal())
        with channel(rabbitmq.url()) as opened:
            exchange, key = names.result_exchange(endpoint), names.heartbeat_key(endpoint)
            opened.basic_publish(exchange, key, encode(report), mandatory=True)
        go_on.touch()
        service.start()
        api = Api(service.url, service.token)
        eventually(_finished(api, [first, second]), 60)
        api.close()
    finally:
        remove_queues(service, rabbitmq.url())


def test_a_former_connection_that_the_broker_has_not_missed_is_waited_for(
    tmp_path: Path, rabbitmq: RabbitMQ
) -> None:
    """It consumes the results, which nobody else may meanwhile; so it is after a power failure."""
    service = LocalService(workers=0, state_dir=tmp_path, broker=rabbitmq.url())
    try:
        service.start()
        api = Api(service.url, service.token)
        info = api("register_endpoint", REGISTRATION)
        api.close()
        service.stop()
        queue, log = info["result_queue_info"]["queue"], tmp_path / "service.log"
        with channel(rabbitmq.url()) as former:
            former.basic_consume(queue, lambda *_: None, exclusive=True)
            with ThreadPoolExecutor(1) as starter:
                started = starter.submit(service.start)
                eventually(lambda: "the service that was here before" in log.read_text())
                former.connection.close()
                started.result(30)
        assert service.is_running
        service.stop()
        with channel(rabbitmq.url()) as former:
            former.basic_consume(queue, lambda *_: None, exclusive=True)
            with pytest.raises(LocalServiceFailed, match="the service that was here before"):
                service.start()
    finally:
        remove_queues(service, rabbitmq.url())


def agent_pid() -> int:
    """Tell the process id of the agent: the parent of the worker that runs this."""
    import os

    return os.getppid()


def kill_agent(times: int, marks: str) -> str:
    """Kill the agent, so many times in all."""
    import os
    import signal

    count = len(os.listdir(marks))
    if count < times:
        open(os.path.join(marks, str(count)), "w").close()
        os.kill(os.getppid(), signal.SIGKILL)
    return "survived"


def _submit_two(api: Api, endpoint: str, function: str, *args: Any) -> str:
    body = {"tasks": {function: [payload(*args)]}}
    answer = api("submit", body, endpoint_uuid=endpoint)
    return str(answer["tasks"][function][0])


@pytest.mark.parametrize(("times", "status"), [(1, "success"), (100, "failed")])
def test_an_agent_that_dies_is_started_again(
    tmp_path: Path, broker: str | None, times: int, status: str
) -> None:
    """Its tasks run again; a task that kills it each time fails, and the endpoint goes on."""
    marks = tmp_path / "marks"
    marks.mkdir()
    with LocalService(workers=1, broker=broker) as service:
        api = Api(service.url, service.token)
        killer = api.function(kill_agent)
        task = _submit_two(api, service.endpoint_id, killer, times, str(marks))
        eventually(_finished(api, [task]), 60)
        answer = api("get_task", task_uuid=task)
        assert answer["status"] == status
        if status == "failed":
            assert "died 3 times" in answer["exception"]
        after = _submit_two(api, service.endpoint_id, api.function(double), 4)
        eventually(_finished(api, [after]), 60)
        assert api("get_task", task_uuid=after)["status"] == "success"
        api.close()


def test_a_temporary_service_leaves_nothing_at_a_shared_broker(rabbitmq: RabbitMQ) -> None:
    """Two services on one broker do not meet, and their queues go with them."""
    with LocalService(workers=0, broker=rabbitmq.url()) as one:
        api = Api(one.url, one.token)
        info = api("register_endpoint", REGISTRATION)
        function = api.function(double)
        answer = api.submit(info["endpoint_id"], function, 1, create_queue=True)
        access = api("get_result_amqp_url")
        with LocalService(workers=0, broker=rabbitmq.url()) as two:
            other = Api(two.url, two.token)
            assert other("get_result_amqp_url")["queue_prefix"] != access["queue_prefix"]
            other.close()
        reading = info["task_queue_info"]
        with channel(rabbitmq.url()) as opened:
            assert len(receive(opened, reading["queue"])) == 1
        api.close()
    queues = [
        reading["queue"],
        info["result_queue_info"]["queue"],
        access["queue_prefix"] + answer["task_group_id"],
    ]
    for queue in queues:
        with (
            channel(rabbitmq.url()) as opened,
            pytest.raises(pika.exceptions.ChannelClosedByBroker) as error,
        ):
            opened.queue_declare(queue, passive=True)
        assert error.value.reply_code == 404
    with (
        channel(rabbitmq.url()) as opened,
        pytest.raises(pika.exceptions.ChannelClosedByBroker),
    ):
        opened.exchange_declare(reading["exchange"], passive=True)


def remove_queues(service: LocalService, broker: str | None) -> None:
    """Stop a service that keeps its state, and take its queues off a shared broker."""
    service.stop()
    if broker is None:
        return
    folder = service._wanted_dir
    assert folder is not None
    store = Store(folder)
    names = Names(store.identity(), store.seal())
    remove(broker, *Provisioning(names, SharedAccount(broker), store).everything())
    store.close()
