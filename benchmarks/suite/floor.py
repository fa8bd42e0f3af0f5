"""The floor: the same work without a client, on the same service and broker.

While the clock runs there are only bare requests on one connection that is kept alive, and a
bare consumer; nothing is encoded or decoded.
"""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pika
from pika.adapters.blocking_connection import BlockingChannel

from benchmarks.figures import Row
from benchmarks.setting import Benchmark, Setting, Stack
from benchmarks.sides import BenchmarkFailed

_REPEATS = 200

#: Repetitions before them that do not count.
_WARM_UP = 20

_TIMEOUT_S = 30.0


def _run(setting: Setting) -> list[Row]:
    posts, paths, message = _submits(setting.stack)
    hops = _hops(setting.stack.broker_url, message)
    return [
        Row("bare POST of a prepared submit", "ms", {"floor": posts}),
        Row("bare publish and consume", "ms", {"floor": hops}),
        Row(
            "floor: both",
            "ms",
            {"floor": [statistics.median(posts), statistics.median(hops)]},
            summary="sum of medians",
        ),
        Row("bare POST to result, by a worker", "ms", {"floor": paths}),
    ]


def _submits(stack: Stack) -> tuple[list[float], list[float], bytes]:
    """Submit prepared tasks, one at a time, and take their results off the queue.

    Returns:
        Milliseconds from request to answer, milliseconds from request to result, and the last
        result's message.
    """
    with closing(stack.service.client()) as client:
        # A function of the standard library: every worker has it, by name.
        function_id = client.register_function(time.time)
        batch = client.create_batch(create_websocket_queue=True)
        batch.add(function_id)
        batch.task_group_id = client.batch_run(stack.service.endpoint_id, batch)["task_group_id"]
        access = client.get_result_amqp_url()
    path = f"/v3/endpoints/{stack.service.endpoint_id}/submit"
    body = json.dumps(batch.prepare()).encode()
    headers = {
        "Authorization": f"Bearer {stack.service.token}",
        "Content-Type": "application/json",
    }
    service = http.client.HTTPConnection(urlsplit(stack.service.url).netloc, timeout=_TIMEOUT_S)
    posts, paths = [], []
    with closing(service), _channel(access["connection_url"]) as channel:
        queue = f"{access['queue_prefix']}{batch.task_group_id}"
        message = _receive(channel, queue)  # of the submit that made the task group
        for _ in range(_WARM_UP + _REPEATS):
            start = time.perf_counter()
            service.request("POST", path, body, headers)
            answer = service.getresponse()
            content = answer.read()
            posts.append((time.perf_counter() - start) * 1e3)
            if answer.status >= 300:
                raise BenchmarkFailed(f"POST {path}: {answer.status} {content[:500]!r}")
            message = _receive(channel, queue)
            paths.append((time.perf_counter() - start) * 1e3)
    return posts[_WARM_UP:], paths[_WARM_UP:], message


def _hops(broker_url: str, message: bytes) -> list[float]:
    """Publish a message and consume it again; give milliseconds for each repetition."""
    hops = []
    with _channel(broker_url) as channel:
        queue = channel.queue_declare("", exclusive=True).method.queue
        for _ in range(_WARM_UP + _REPEATS):
            start = time.perf_counter()
            channel.basic_publish("", queue, message)
            _receive(channel, queue)
            hops.append((time.perf_counter() - start) * 1e3)
    return hops[_WARM_UP:]


def _receive(channel: BlockingChannel, queue: str) -> bytes:
    """Take the next message off a queue; the channel goes on consuming it."""
    method, _, body = next(channel.consume(queue, inactivity_timeout=_TIMEOUT_S))
    if method is None:
        raise BenchmarkFailed(f"no message on {queue} in {_TIMEOUT_S:.0f} s")
    channel.basic_ack(method.delivery_tag)
    message: bytes = body
    return message


@contextmanager
def _channel(url: str) -> Iterator[BlockingChannel]:
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        yield connection.channel()


BENCHMARK = Benchmark(
    name="floor",
    measures="the same work without a client",
    method=f"""\
{_REPEATS} repetitions, after {_WARM_UP} that do not count. A submit of one task that was encoded
before goes over one kept connection (http.client) to the same service; a message of a result's size
goes through the same broker with bare pika. The last row is the whole way through service and
worker: from that request to its result's message on a bare consumer.""",
    run=_run,
)
