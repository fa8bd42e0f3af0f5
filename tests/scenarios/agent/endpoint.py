"""An agent process, and the other side of its queues: what a service would do.

`attached` starts both on a broker and stops both. The agent reaches the broker through a
`Proxy` that the test can cut, which looks to the agent like a broker that closes its
connections; the service has a connection of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gcompute.local.amqp import AmqpLink, Delivery
from gcompute.messages import ResultMessage, StatusReport, TaskMessage, decode, encode
from gcompute.serialize import AllCodeStrategies, ComputeSerializer, pack_buffers

PATIENCE_S = 30.0
#: As source first: a worker cannot import the tests' modules.
_serializer = ComputeSerializer(strategy_code=AllCodeStrategies())


class Proxy:
    """Passes TCP connections on to a port, until it is told to cut them."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        """Listen on a free port, or on the same one again."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut what is open and take no more connections."""
        if self._server is not None:
            self._server.close()
        self.cut()
        if self._pumps:
            await asyncio.wait(self._pumps)

    def cut(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers |= {writer, there}
        for source, sink in ((reader, there), (there_reader, writer)):
            pump = asyncio.create_task(_pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Endpoint:
    """A registered endpoint as the service sees it: its queues, and what comes back."""

    def __init__(self, broker_url: str, agent_url: str) -> None:
        self.endpoint_id = str(uuid.uuid4())
        self.task_queue = f"{self.endpoint_id}.tasks"
        self.result_queue = f"{self.endpoint_id}.results"
        self.report_queue = f"{self.endpoint_id}.heartbeats"
        self._agent_url = agent_url
        self.link = AmqpLink(broker_url, on_open=self._on_open, name="service")
        #: Every result that came, in order.
        self.results: list[ResultMessage] = []
        self.reports: list[StatusReport] = []
        self._arrived = asyncio.Condition()
        self._notices: set[asyncio.Task[None]] = set()

    async def _on_open(self, link: AmqpLink) -> None:
        await link.topology.declare_exchange("tasks", "direct")
        await link.topology.declare_exchange("results", "topic")
        for queue, exchange in (
            (self.task_queue, "tasks"),
            (self.result_queue, "results"),
            (self.report_queue, "results"),
        ):
            await link.topology.declare_queue(queue)
            await link.topology.bind_queue(queue, exchange, queue)
        await link.consume(self.result_queue, self._on_message)
        await link.consume(self.report_queue, self._on_message)

    def _on_message(self, delivery: Delivery) -> None:
        message = decode(delivery.body)
        self.link.ack(delivery.delivery_tag)
        if isinstance(message, ResultMessage):
            self.results.append(message)
        elif isinstance(message, StatusReport):
            self.reports.append(message)
        notice = asyncio.create_task(self._notify())
        self._notices.add(notice)
        notice.add_done_callback(self._notices.discard)

    async def _notify(self) -> None:
        async with self._arrived:
            self._arrived.notify_all()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that changes with what arrives."""
        async with asyncio.timeout(PATIENCE_S), self._arrived:
            await self._arrived.wait_for(holds)

    def registration(self, *, bare: bool = False) -> dict[str, Any]:
        """Give what the service answers to the registration; ``bare`` without publish kwargs."""

        def out(queue: str) -> dict[str, Any]:
            kwargs = {
                "exchange": "results",
                "routing_key": queue,
                "mandatory": True,
                "properties": {"delivery_mode": 2},
            }
            return {
                "connection_url": self._agent_url,
                "exchange": "results",
                "queue": queue,
                "queue_publish_kwargs": {} if bare else kwargs,
            }

        return {
            "endpoint_id": self.endpoint_id,
            "task_queue_info": {
                "connection_url": self._agent_url,
                "exchange": "tasks",
                "queue": self.task_queue,
            },
            "result_queue_info": out(self.result_queue),
            "heartbeat_queue_info": out(self.report_queue),
        }

    def submit(
        self, function: Callable[..., Any], *args: Any, headers: dict[str, Any] | None = None
    ) -> str:
        """Queue a call, and give the task's id; ``headers`` replace and add."""
        parts: tuple[object, ...] = (function, args, {})
        buffer = pack_buffers([_serializer.serialize(part) for part in parts])
        task_id = str(uuid.uuid4())
        self.send(encode(TaskMessage(task_id, buffer)), {"task_uuid": task_id, **(headers or {})})
        return task_id

    def send(self, body: bytes, headers: dict[str, Any]) -> None:
        """Queue a message as it is, with the headers of a task beside those given."""
        full = {
            "function_uuid": str(uuid.uuid4()),
            "resource_specification": "null",
            "result_serializers": [],
        } | headers
        self.link.publish(
            "tasks", self.task_queue, body, properties={"delivery_mode": 2, "headers": full}
        )

    async def result(self, task_id: str) -> ResultMessage:
        """Wait for a task's result."""

        def find() -> list[ResultMessage]:
            return [result for result in self.results if result.task_id == task_id]

        await self.until(lambda: bool(find()))
        return find()[0]

    async def value(self, task_id: str) -> Any:
        """Wait for a task's result, and give what the function returned."""
        result = await self.result(task_id)
        assert result.error_details is None, result.data
        return _serializer.deserialize(result.data)

    async def failure(self, task_id: str) -> tuple[str, str]:
        """Wait for a task's failure, and give its code and its text."""
        result = await self.result(task_id)
        assert result.error_details is not None, result.data
        return result.error_details.code, result.data


async def appeared(path: Path) -> None:
    """Wait until a file is there, which is how a running function tells that it runs."""
    async with asyncio.timeout(PATIENCE_S):
        while not path.exists():  # noqa: ASYNC110, ASYNC240 - there is no event to wait for
            await asyncio.sleep(0.01)


class AgentProcess:
    """A process of ``python -m gcompute.local.agent``."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log_path = log

    @classmethod
    async def start(cls, first_line: str, log: Path) -> AgentProcess:
        """Start one, and tell it the first line."""
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gcompute.local.agent"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                env={k: v for k, v in os.environ.items() if not k.startswith("GC_TASK")},
            )
        assert process.stdin is not None
        process.stdin.write(first_line.encode() + b"\n")
        return cls(process, log)

    async def first_answer(self) -> dict[str, Any]:
        """Give what it says when it is ready, or why it never will be."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await self._process.stdout.readline()
        assert line, f"the agent said nothing: {self.log()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close_stdin(self) -> None:
        """Tell it to stop, the way a parent that ends does."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def rest(self) -> tuple[int, bytes]:
        """Wait until it ended; give the exit status and what it still wrote to its output."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            output = await self._process.stdout.read()
            return await self._process.wait(), output

    async def end(self) -> None:
        """Stop it if it runs; kill it if it does not stop."""
        if self._process.returncode is None:
            self.close_stdin()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
                raise

    def log(self) -> str:
        """Give its standard error so far."""
        return self.log_path.read_text()


class Attached:
    """An endpoint with its agent."""

    def __init__(self, endpoint: Endpoint, agent: AgentProcess, proxy: Proxy) -> None:
        self.endpoint = endpoint
        self.agent = agent
        self.proxy = proxy


@asynccontextmanager
async def attached(
    broker_url: str, folder: Path, *, bare: bool = False, **config: Any
) -> AsyncIterator[Attached]:
    """Run an agent that is ready, with two workers unless ``config`` says otherwise."""
    parts = urlsplit(broker_url)
    assert parts.port is not None
    proxy = Proxy(parts.port)
    await proxy.start()
    agent_url = broker_url.replace(f":{parts.port}", f":{proxy.port}")
    endpoint = Endpoint(broker_url, agent_url)
    await endpoint.link.start()
    first_line = json.dumps(
        {
            "ep_info": {"hostname": "here"},
            "config": {"workers": 2, "run_dir": str(folder / "run"), **config},
            "amqp_creds": endpoint.registration(bare=bare),
        }
    )
    agent = await AgentProcess.start(first_line, folder / "agent.log")
    try:
        answer = await agent.first_answer()
        assert answer["ready"], answer
        yield Attached(endpoint, agent, proxy)
    finally:
        try:
            await agent.end()
        finally:
            for queue in (endpoint.task_queue, endpoint.result_queue, endpoint.report_queue):
                await _delete(broker_url, queue)
            await endpoint.link.stop()
            await proxy.stop()


async def _delete(broker_url: str, queue: str) -> None:
    async def on_open(link: AmqpLink) -> None:
        await link.topology.delete_queue(queue)

    link = AmqpLink(broker_url, on_open=on_open, name="cleaner")
    await link.start()
    await link.stop()
