"""The process of the service that answers each task itself; see :mod:`benchmarks.answering`.

It speaks the HTTP that a client's submits need, and publishes one result message a task to a
broker; nothing is stored, checked or run. Run as ``python -m benchmarks.answering_service URL``
with the URL of the broker, it prints its own on one line, and ends when its standard input
closes.

Beside the API there are requests for those who measure, which count as none:

==================================  ===========================================================
``POST /benchmark/reset``           be as after the start
``POST /benchmark/result?bytes=n``  answer with as many random bytes from now on
``POST /benchmark/hold``            keep results back from now on
``POST /benchmark/release``         publish the results that were kept back, and all later ones
``GET /benchmark/observed``         what came since the last reset: ``requests``, how many by
                                    method and path; ``moments``, when each came, in seconds;
                                    ``batches``, the tasks of each submit
==================================  ===========================================================
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import socket
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import pika
import uvicorn
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel

from gcompute.serialize import ComputeSerializer

_PREFIX = "benchmark.results."

#: What stands for an id in a path.
_ID = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}")

#: Results published before others have their turn.
_IN_A_ROW = 128

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Service:
    """The answers, and the messages that go with them. An ASGI application.

    Args:
        channel: an open channel.
        broker_url: what clients are told.
    """

    def __init__(self, channel: Channel, broker_url: str) -> None:
        self._channel = channel
        self._broker_url = broker_url
        self._properties = pika.BasicProperties(content_type="application/json")
        self._queues: set[str] = set()
        self._reset()

    def _reset(self) -> None:
        #: Requests by method and path.
        self._requests: Counter[str] = Counter()
        #: When they came.
        self._moments: list[float] = []
        #: Tasks of each submit.
        self._batches: list[int] = []
        #: Queue and task id of each result that is kept back; ``None`` while none is.
        self._held: list[tuple[str, str]] | None = None
        self._answer_with(None)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = bytearray()
        more = True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        method, path = scope["method"], scope["path"]
        if path.startswith("/benchmark/"):
            query = {name: values[0] for name, values in parse_qs(scope["query_string"]).items()}
            answer = await self._measure(path.rpartition("/")[2], query)
        else:
            self._requests[f"{method} {_ID.sub('/<id>', path)}"] += 1
            self._moments.append(time.monotonic())
            answer = await self._answer(path, bytes(body))
        content = json.dumps(answer).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(content)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, path: str, body: bytes) -> dict[str, Any]:
        if path.endswith("/submit"):
            return await self._submit(path.split("/")[-2], json.loads(body))
        if path == "/v2/get_amqp_result_connection_url":
            return {"connection_url": self._broker_url, "queue_prefix": _PREFIX}
        if path == "/v2/version":
            return {"api": "1", "min_sdk_version": "0.0.1", "min_ep_version": "0.0.1"}
        if path.endswith("/functions"):
            return {"function_uuid": str(uuid.uuid4())}
        if path == "/v2/batch_status":
            return {"results": {}}
        if re.fullmatch(r"/v\d/endpoints/[^/]+/status", path):
            return {"status": "online", "details": {}}
        return {}

    async def _submit(self, endpoint_id: str, request: dict[str, Any]) -> dict[str, Any]:
        group = request.get("task_group_id") or str(uuid.uuid4())
        queue = _PREFIX + group
        if queue not in self._queues:
            await self._declare(queue)
        tasks = {
            function: [str(uuid.uuid4()) for _ in payloads]
            for function, payloads in request["tasks"].items()
        }
        self._batches.append(sum(len(task_ids) for task_ids in tasks.values()))
        for task_ids in tasks.values():
            if self._held is not None:
                self._held.extend((queue, task_id) for task_id in task_ids)
                continue
            for task_id in task_ids:
                self._publish(queue, task_id)
        return {
            "request_id": str(uuid.uuid4()),
            "task_group_id": group,
            "endpoint_id": endpoint_id,
            "tasks": tasks,
        }

    def _publish(self, queue: str, task_id: str) -> None:
        message = self._before + task_id.encode() + self._after
        self._channel.basic_publish("", queue, message, self._properties)

    async def _declare(self, queue: str) -> None:
        declared = asyncio.get_running_loop().create_future()
        self._channel.queue_declare(queue, callback=declared.set_result)
        await declared
        self._queues.add(queue)

    # For those who measure.

    async def _measure(self, asked: str, query: dict[bytes, bytes]) -> dict[str, Any]:
        if asked == "reset":
            self._reset()
        elif asked == "result":
            self._answer_with(os.urandom(int(query[b"bytes"])))
        elif asked == "hold":
            self._held = []
        elif asked == "release":
            await self._release()
        return {
            "requests": dict(self._requests),
            "moments": self._moments,
            "batches": self._batches,
        }

    def _answer_with(self, result: object) -> None:
        """Prepare what stands before and behind the task's id in each message."""
        message = {
            "message_type": "result",
            "data": {
                "task_id": "TASK",
                "data": ComputeSerializer().serialize(result),
                "details": {"os": "Linux", "python_version": platform.python_version()},
                "task_statuses": [],
            },
        }
        before, after = json.dumps(message).split("TASK", 1)
        self._before, self._after = b"\x01" + before.encode(), after.encode()

    async def _release(self) -> None:
        held, self._held = self._held or [], None
        for index, (queue, task_id) in enumerate(held):
            self._publish(queue, task_id)
            if index % _IN_A_ROW == _IN_A_ROW - 1:
                await asyncio.sleep(0)


@asynccontextmanager
async def _channel(url: str) -> AsyncIterator[Channel]:
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[Channel] = loop.create_future()
    closed: asyncio.Future[object] = loop.create_future()
    connection = AsyncioConnection(
        pika.URLParameters(url),
        on_open_callback=lambda c: c.channel(on_open_callback=opened.set_result),
        on_open_error_callback=lambda _c, error: opened.set_exception(error),
        on_close_callback=lambda _c, reason: closed.set_result(reason),
    )
    yield await opened
    connection.close()
    await closed


async def _serve(broker_url: str) -> None:
    async with _channel(broker_url) as channel:
        config = uvicorn.Config(
            Service(channel, broker_url), port=0, log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        listening = config.bind_socket()
        # asyncio does it for connections of sockets that it has made itself, and for no others.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.listen()  # who reads the URL may connect at once
        host, port = listening.getsockname()
        print(f"http://{host}:{port}", flush=True)
        serving = asyncio.create_task(server.serve([listening]))
        await asyncio.to_thread(sys.stdin.read)  # until the other end is closed
        server.should_exit = True
        await serving


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
