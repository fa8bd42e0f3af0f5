"""Tasks and results on their way: endpoints and clients here are bare AMQP."""

from __future__ import annotations

import uuid
from typing import Any

import pika.exceptions
import pytest

from gcompute.local import LocalService
from gcompute.messages import (
    ErrorDetails,
    ResultMessage,
    StatusReport,
    TaskMessage,
    Transition,
    decode,
    encode,
)
from gcompute.protocol import MAX_RESULT_BYTES
from gcompute.serialize import unpack_buffers
from tests.scenarios.service.api import METADATA, SERIALIZER, Api, payload
from tests.scenarios.service.queues import channel, publish, receive
from tests.scenarios.waiting import eventually

REGISTRATION = {"endpoint_name": "bare", "metadata": {}}


def add(a: int, b: int = 1) -> int:
    """A function for the workers."""
    return a + b


def _finished(api: Api, task: str) -> bool:
    return api("get_task", task_uuid=task)["status"] in ("success", "failed")


def test_a_task_runs_and_its_result_arrives_by_itself(api: Api, service: LocalService) -> None:
    """From a raw submit to the message in the group's queue, and the same result over HTTP."""
    function = api.function(add)
    answer = api.submit(service.endpoint_id, function, 41, create_queue=True)
    (task,) = answer["tasks"][function]
    access = api("get_result_amqp_url")
    queue = access["queue_prefix"] + answer["task_group_id"]
    with channel(access["connection_url"]) as opened:
        ((properties, body),) = receive(opened, queue)
    message = decode(body)
    assert isinstance(message, ResultMessage)
    assert message.task_id == task
    assert SERIALIZER.deserialize(message.data) == 42
    status = api("get_task", task_uuid=task)
    assert status["status"] == "success"
    assert status["result"] == message.data
    assert int(float(status["completion_t"])) == properties.timestamp
    transitions = status["details"]["task_transitions"]
    assert transitions["received"] <= transitions["execution-end"] <= transitions["success"] + 1
    assert status["details"]["python_version"]


def test_source_code_runs(api: Api, service: LocalService) -> None:
    """A function that is registered as text needs no serialization."""
    source = "def twice(x):\n    return 2 * x\n"
    function = api(
        "register_function",
        {
            "function_name": "twice",
            "function_code": source,
            "serialized": False,
            "meta": METADATA | {"serde_identifier": "st"},
        },
    )["function_uuid"]
    assert api("get_function", function_uuid=function)["function_code"] == source
    (task,) = api.submit(service.endpoint_id, function, 21)["tasks"][function]
    eventually(lambda: _finished(api, task))
    assert SERIALIZER.deserialize(api("get_task", task_uuid=task)["result"]) == 42


def test_a_task_message_has_what_an_agent_expects(api: Api) -> None:
    """Headers and buffers as the wire has them."""
    registration = api("register_endpoint", REGISTRATION)
    function = api.function(add)
    (task,) = api.submit(
        registration["endpoint_id"],
        function,
        1,
        resource_specification={"num_nodes": 2},
        result_serializers=["globus_compute_sdk.serialize.concretes.JSONData"],
    )["tasks"][function]
    tasks = registration["task_queue_info"]
    with channel(tasks["connection_url"]) as opened:
        opened.exchange_declare(tasks["exchange"], passive=True)
        opened.queue_declare(tasks["queue"], passive=True)
        ((properties, body),) = receive(opened, tasks["queue"])
    assert properties.headers == {
        "task_uuid": task,
        "function_uuid": function,
        "resource_specification": '{"num_nodes": 2}',
        "result_serializers": ["globus_compute_sdk.serialize.concretes.JSONData"],
    }
    assert properties.delivery_mode == 2
    message = decode(body)
    assert isinstance(message, TaskMessage)
    code, args, kwargs = (SERIALIZER.deserialize(b) for b in unpack_buffers(message.task_buffer))
    assert (code(*args, **kwargs), message.task_id) == (2, task)


class Endpoint:
    """An endpoint whose messages a test writes by hand."""

    def __init__(self, api: Api, **registration: Any) -> None:
        self.api = api
        self.info = api("register_endpoint", REGISTRATION | registration)
        self.id: str = self.info["endpoint_id"]

    def result(self, message: ResultMessage) -> None:
        """Send a result."""
        with channel(self.info["result_queue_info"]["connection_url"]) as opened:
            publish(opened, self.info["result_queue_info"], message)

    def report(self, report: StatusReport) -> None:
        """Send a status report."""
        with channel(self.info["heartbeat_queue_info"]["connection_url"]) as opened:
            publish(opened, self.info["heartbeat_queue_info"], report)

    def task(self, **more: Any) -> tuple[str, str]:
        """Submit a task to it; give the task's id and its group's."""
        function = self.api.function(add)
        answer = self.api.submit(self.id, function, 1, **more)
        return answer["tasks"][function][0], answer["task_group_id"]


def test_a_failure_is_an_exception_with_the_endpoints_text(api: Api) -> None:
    """The text is handed on as it came."""
    endpoint = Endpoint(api)
    task, _ = endpoint.task()
    endpoint.result(ResultMessage(task, "Traceback: no", error_details=ErrorDetails("X", "no")))
    eventually(lambda: _finished(api, task))
    status = api("get_task_batch", {"task_ids": [task]})["results"][task]
    assert (status["status"], status["exception"]) == ("failed", "Traceback: no")
    assert "result" not in status


def test_a_message_is_forwarded_as_the_endpoint_sent_it(api: Api) -> None:
    """Byte for byte, what this service does not know included."""
    endpoint = Endpoint(api)
    task, group = endpoint.task(create_queue=True)
    body = encode(ResultMessage(task, "00\nx")).replace(b'"data":{', b'"data":{"news":[1],', 1)
    info = endpoint.info["result_queue_info"]
    with channel(info["connection_url"]) as opened:
        arguments = info["queue_publish_kwargs"] | {
            "properties": pika.BasicProperties(delivery_mode=2)
        }
        opened.basic_publish(body=body, **arguments)
    access = api("get_result_amqp_url")
    with channel(access["connection_url"]) as opened:
        ((_, arrived),) = receive(opened, access["queue_prefix"] + group)
    assert arrived == body


def test_the_first_result_counts(api: Api) -> None:
    """A second one is dropped, and is not forwarded; the next task's comes right after."""
    endpoint = Endpoint(api)
    task, group = endpoint.task(create_queue=True)
    later, _ = endpoint.task(task_group_id=group)
    for message in (
        ResultMessage(task, "first"),
        ResultMessage(task, "second"),
        ResultMessage(later, "third"),
    ):
        endpoint.result(message)
    access = api("get_result_amqp_url")
    with channel(access["connection_url"]) as opened:
        arrived = receive(opened, access["queue_prefix"] + group, 2)
    assert [decode(body) for _, body in arrived] == [
        ResultMessage(task, "first"),
        ResultMessage(later, "third"),
    ]


def test_an_endpoint_cannot_answer_for_another(api: Api) -> None:
    """A result counts only from the endpoint that has the task."""
    honest, forger = Endpoint(api), Endpoint(api)
    task, _ = honest.task()
    forger.result(ResultMessage(task, "forged"))
    marker, _ = forger.task()
    forger.result(ResultMessage(marker, "done"))
    eventually(lambda: _finished(api, marker))
    assert not _finished(api, task)
    honest.result(ResultMessage(task, "true"))
    eventually(lambda: _finished(api, task))
    assert api("get_task", task_uuid=task)["result"] == "true"


@pytest.mark.parametrize("garbage", [b"", b"\x01{", b"\x07what", b"\xff" * 100])
def test_garbage_does_not_stop_the_flow(api: Api, garbage: bytes) -> None:
    """It is dropped, and what comes after it is handled."""
    endpoint = Endpoint(api)
    task, _ = endpoint.task()
    for info in (endpoint.info["result_queue_info"], endpoint.info["heartbeat_queue_info"]):
        with channel(info["connection_url"]) as opened:
            kwargs = info["queue_publish_kwargs"]
            opened.basic_publish(kwargs["exchange"], kwargs["routing_key"], garbage)
    endpoint.result(ResultMessage(task, "x"))
    endpoint.report(StatusReport(endpoint.id, {"heartbeat_period": 30}))
    eventually(lambda: _finished(api, task))
    eventually(lambda: api("get_endpoint_status", endpoint_uuid=endpoint.id)["status"] == "online")


def test_a_result_over_the_limit_fails_its_task(api: Api) -> None:
    """The user learns the sizes."""
    endpoint = Endpoint(api)
    task, _ = endpoint.task()
    endpoint.result(ResultMessage(task, "x" * (MAX_RESULT_BYTES + 1)))
    eventually(lambda: _finished(api, task))
    status = api("get_task", task_uuid=task)
    assert "MaxResultSizeExceeded" in status["exception"]
    assert str(MAX_RESULT_BYTES) in status["exception"]


def test_reports_tell_of_workers_and_tasks(api: Api) -> None:
    """Online from the first to the last report; tasks are running when an endpoint says so."""
    endpoint = Endpoint(api)
    task, _ = endpoint.task()

    def status() -> Any:
        return api("get_endpoint_status", endpoint_uuid=endpoint.id)

    assert status()["status"] == "offline"
    started: dict[str, tuple[Transition, ...]] = {
        task: (Transition(10**18, "execution-start", "worker"),)
    }
    state = {"heartbeat_period": 30, "total_workers": 3, "idle_workers": 2, "managers": {"m": 1}}
    endpoint.report(StatusReport(endpoint.id, state, started))
    eventually(lambda: status()["status"] == "online")
    assert status()["details"]["total_workers"] == 3
    assert api("get_task", task_uuid=task)["status"] == "running"
    console = api("get_endpoint_console", endpoint_uuid=endpoint.id)["user_endpoints"][0]
    assert (console["running_task_count"], console["idle_worker_count"]) == (1, 2)
    endpoint.report(StatusReport(endpoint.id, {"heartbeat_period": 0}))
    eventually(lambda: status()["status"] == "offline")


def test_results_of_high_assurance_endpoints_come_over_http(api: Api) -> None:
    """The queue says that there is one, by its header, and does not carry it."""
    endpoint = Endpoint(api, high_assurance=True)
    task, group = endpoint.task(create_queue=True)
    endpoint.result(ResultMessage(task, "00\nsecret"))
    access = api("get_result_amqp_url")
    with channel(access["connection_url"]) as opened:
        ((properties, body),) = receive(opened, access["queue_prefix"] + group)
    assert properties.headers == {"high_assurance": True}
    assert b"secret" not in body
    assert api("get_task", task_uuid=task)["result"] == "00\nsecret"


def test_a_lock_cuts_an_endpoint_off(api: Api) -> None:
    """Its connection closes and its credentials are void."""
    endpoint = Endpoint(api)
    url = endpoint.info["task_queue_info"]["connection_url"]
    with channel(url) as opened:
        api("lock_endpoint", endpoint_uuid=endpoint.id)
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
            opened.connection.process_data_events(20)
    with (
        pytest.raises(pika.exceptions.ProbableAuthenticationError),
        channel(url),
    ):
        pass


def test_a_queue_exists_before_the_submit_is_answered(api: Api) -> None:
    """A client can consume at once; a group without a queue has none."""
    endpoint = Endpoint(api)
    _, with_queue = endpoint.task(create_queue=True)
    _, without = endpoint.task()
    access = api("get_result_amqp_url")
    with channel(access["connection_url"]) as opened:
        opened.queue_declare(access["queue_prefix"] + with_queue, passive=True)
    with (
        channel(access["connection_url"]) as opened,
        pytest.raises(pika.exceptions.ChannelClosedByBroker) as error,
    ):
        opened.queue_declare(access["queue_prefix"] + without, passive=True)
    assert error.value.reply_code == 404


def test_a_group_gains_a_queue_later(api: Api) -> None:
    """Results that come after that are forwarded."""
    endpoint = Endpoint(api)
    task, group = endpoint.task()
    later, _ = endpoint.task(task_group_id=group, create_queue=True)
    endpoint.result(ResultMessage(later, "b"))
    access = api("get_result_amqp_url")
    with channel(access["connection_url"]) as opened:
        ((_, body),) = receive(opened, access["queue_prefix"] + group)
    assert decode(body) == ResultMessage(later, "b")
    assert not _finished(api, task)


def test_a_payload_arrives_as_it_was_sent(api: Api) -> None:
    """Text beyond ASCII, and control characters, too."""
    registration = api("register_endpoint", REGISTRATION)
    text = "Grüße \u2603 \x00 \x7f \U0001f600"
    function = api.function(add)
    body = {"tasks": {function: [text, payload(1)]}}
    api("submit", body, endpoint_uuid=registration["endpoint_id"])
    tasks = registration["task_queue_info"]
    with channel(tasks["connection_url"]) as opened:
        (_, first), _ = receive(opened, tasks["queue"], 2)
    message = decode(first)
    assert isinstance(message, TaskMessage)
    assert message.task_buffer.endswith(text)
    assert uuid.UUID(message.task_id)
