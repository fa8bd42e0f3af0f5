"""A service that answers each task itself, at once, with a result that was prepared.

What is left of a call is then the client's own work. It speaks the HTTP that a client's submits
need, and publishes one result message a task to a broker; nothing is stored, checked or run.
It runs as a process of its own::

    python -m benchmarks.answering <amqp url>  ->  one line: {"url": ..., "token": ..., ...}

and ends when its standard input closes. :func:`answering` starts and stops one.
"""

from __future__ import annotations

import asyncio
import json
import platform
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import pika
import uvicorn
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel

from gcompute.serialize import ComputeSerializer

_TOKEN = "benchmark"
_ENDPOINT_ID = "4b116d3c-1703-4f8f-9f6f-39921e5864df"
_PREFIX = "benchmark.results."

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Answering:
    """A running service.

    Attributes:
        url: of its HTTP.
        token: what it takes for one; it takes any.
        endpoint_id: an endpoint; it takes any.
    """

    url: str
    token: str
    endpoint_id: str


@contextmanager
def answering(broker_url: str, result: object = None) -> Iterator[Answering]:
    """Run the service on a broker.

    Args:
        broker_url: of a broker on which it may declare queues.
        result: the result of every task.
    """
    command = [sys.executable, "-m", "benchmarks.answering", broker_url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(ComputeSerializer().serialize(result)) + "\n")
        process.stdin.flush()
        try:
            yield Answering(**json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()


class Service:
    """The answers, and the messages that go with them. An ASGI application.

    Args:
        channel: an open channel.
        broker_url: what clients are told.
        result: the serialized result of every task.
    """

    def __init__(self, channel: Channel, broker_url: str, result: str) -> None:
        self._channel = channel
        self._broker_url = broker_url
        message = {
            "message_type": "result",
            "data": {
                "task_id": "TASK",
                "data": result,
                "details": {"os": "Linux", "python_version": platform.python_version()},
                "task_statuses": [],
            },
        }
        before, after = json.dumps(message).split("TASK")
        self._before, self._after = b"\x01" + before.encode(), after.encode()
        self._properties = pika.BasicProperties(content_type="application/json")
        self._queues: set[str] = set()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = bytearray()
        more = True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        answer = await self._answer(scope["method"], scope["path"], bytes(body))
        content = json.dumps(answer).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(content)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
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
        for task_ids in tasks.values():
            for task_id in task_ids:
                message = self._before + task_id.encode() + self._after
                self._channel.basic_publish("", queue, message, self._properties)
        return {
            "request_id": str(uuid.uuid4()),
            "task_group_id": group,
            "endpoint_id": endpoint_id,
            "tasks": tasks,
        }

    async def _declare(self, queue: str) -> None:
        declared = asyncio.get_running_loop().create_future()
        self._channel.queue_declare(queue, callback=declared.set_result)
        await declared
        self._queues.add(queue)


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
    result = json.loads(sys.stdin.readline())
    async with _channel(broker_url) as channel:
        config = uvicorn.Config(
            Service(channel, broker_url, result), port=0, log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        listening = config.bind_socket()
        # asyncio does it for connections of sockets that it has made itself, and for no others.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = listening.getsockname()
        print(
            json.dumps(asdict(Answering(f"http://{host}:{port}", _TOKEN, _ENDPOINT_ID))), flush=True
        )
        serving = asyncio.create_task(server.serve([listening]))
        await asyncio.to_thread(sys.stdin.read)  # until the other end is closed
        server.should_exit = True
        await serving


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
