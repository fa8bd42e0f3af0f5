"""Measures what no client can undercut: prepared requests, and a consumer that reads nothing.

Runs as a script in our environment, against the service that answers tasks itself, with an order
as :mod:`benchmarks.driver` takes it. Of a burst, the setting ``batches`` says how many tasks each
request has, and ``acknowledge_every`` how many messages are acknowledged together. While the clock
runs there are only bare POSTs on one connection that is kept alive (``http.client``), and a bare
consumer (``pika``) that acknowledges; nothing is encoded or decoded.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import globus_sdk
import pika

from gcompute import Client

_TIMEOUT_S = 100.0


class Floor:
    """Requests on one kept connection, and the queue where their results arrive.

    Args:
        order: says where the service is.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        self._path = f"/v3/endpoints/{order['endpoint_id']}/submit"
        self._headers = {
            "Authorization": f"Bearer {order['token']}",
            "Content-Type": "application/json",
        }
        authorizer = globus_sdk.AccessTokenAuthorizer(order["token"])
        with closing(Client(base_url=order["url"], authorizer=authorizer)) as client:
            function_id = client.register_function(time.time)
            self._batch = client.create_batch(create_websocket_queue=True)
            self._batch.add(function_id)
            made = client.batch_run(order["endpoint_id"], self._batch)
            self._access = client.get_result_amqp_url()
        self._batch.task_group_id = made["task_group_id"]
        self._request = self._batch.prepare()
        self._function_id = function_id
        self._service = http.client.HTTPConnection(
            urlsplit(order["url"]).netloc, timeout=_TIMEOUT_S
        )
        self.queue = f"{self._access['queue_prefix']}{made['task_group_id']}"

    def body(self, tasks: int) -> bytes:
        """Prepare a request of so many tasks."""
        payload = self._request["tasks"][self._function_id][0]
        request = self._request | {"tasks": {self._function_id: [payload] * tasks}}
        return json.dumps(request, separators=(",", ":")).encode()

    def post(self, body: bytes) -> None:
        """Send a request, and read the answer."""
        self._service.request("POST", self._path, body, self._headers)
        answer = self._service.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"POST {self._path}: {answer.status} {content[:500]!r}")

    def connect(self) -> pika.BlockingConnection:
        """Connect to the broker."""
        return pika.BlockingConnection(pika.URLParameters(self._access["connection_url"]))


def measure_calls(floor: Floor, count: int) -> dict[str, Any]:
    """Submit one task at a time, and wait for its result's message.

    Returns:
        ``laps``: from request to message, for each of the ``count`` behind one that warms up.
    """
    body = floor.body(1)
    laps = []
    with closing(floor.connect()) as connection:
        channel = connection.channel()
        arrivals = channel.consume(floor.queue, inactivity_timeout=_TIMEOUT_S)
        _acknowledge_next(channel, arrivals)  # of the submit that made the task group
        for _ in range(count + 1):
            start = time.perf_counter()
            floor.post(body)
            _acknowledge_next(channel, arrivals)
            laps.append(time.perf_counter() - start)
    return {"laps": laps[1:]}


def _acknowledge_next(channel: Any, arrivals: Any) -> None:
    method, _, _ = next(arrivals)
    if method is None:
        raise RuntimeError(f"no message in {_TIMEOUT_S:.0f} s")
    channel.basic_ack(method.delivery_tag)


def measure_burst(
    floor: Floor, count: int, batches: list[int], acknowledge_every: int
) -> dict[str, Any]:
    """Send requests one after another, while a consumer takes the messages.

    Args:
        floor: what sends and consumes.
        count: tasks of all requests together.
        batches: tasks of each.
        acknowledge_every: messages that are acknowledged together.

    Returns:
        ``elapsed``: from the first request to the last message; ``cpu``: time that this process
        used meanwhile, user and system.
    """
    if sum(batches) != count:
        raise RuntimeError(f"the batches have {sum(batches)} tasks and not {count}: {batches}")
    bodies = [floor.body(tasks) for tasks in batches]
    consumer = Consumer(floor, acknowledge_every)
    floor.post(floor.body(1))
    consumer.expect(2)  # one is of the submit that made the task group
    cpu = time.process_time()
    start = time.perf_counter()
    for body in bodies:
        floor.post(body)
    consumer.expect(count)
    elapsed = time.perf_counter() - start
    cpu = time.process_time() - cpu
    return {"elapsed": elapsed, "cpu": cpu}


class Consumer(threading.Thread):
    """Takes messages off the queue, in a thread that ends with the process."""

    def __init__(self, floor: Floor, acknowledge_every: int) -> None:
        super().__init__(daemon=True)
        self._floor = floor
        self._acknowledge_every = acknowledge_every
        #: Guards what follows; notified when enough has come.
        self._changed = threading.Condition()
        #: Messages that have come and were not expected yet; below zero, how many are to come.
        self._ahead = 0
        self.start()

    def expect(self, count: int) -> None:
        """Wait until so many more messages are there."""
        with self._changed:
            self._ahead -= count
            if not self._changed.wait_for(lambda: self._ahead >= 0, _TIMEOUT_S):
                raise RuntimeError(f"{-self._ahead} of {count} messages did not come")

    def run(self) -> None:
        """Consume."""
        channel = self._floor.connect().channel()
        channel.basic_consume(self._floor.queue, self._take)
        channel.start_consuming()

    def _take(self, channel: Any, method: Any, _properties: object, _body: bytes) -> None:
        with self._changed:
            self._ahead += 1
            last = self._ahead == 0
            if last:
                self._changed.notify_all()
        if last or method.delivery_tag % self._acknowledge_every == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)


def main() -> None:
    """Carry out the order."""
    order = json.load(sys.stdin)
    floor = Floor(order)
    if order["scenario"] == "calls":
        answer = measure_calls(floor, order["count"])
    else:
        answer = measure_burst(floor, order["count"], **order["settings"])
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
