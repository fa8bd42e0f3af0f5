"""What a fault happens on: a broker, a service, and one client behind proxies.

::

    client ──HTTP──► HttpFront ─────────────────► service ◄──AMQP──► AnsweringEndpoint
           ──AMQP──► AmqpProxy ──► broker ◄───────┘

A :class:`Ground` is a broker with a service, and may carry many stages at once. A :class:`Stage`
is one run of one fault: an endpoint, proxies and clients of its own. The front rewrites the
address of the result queues, so that the client goes by the proxy, and with credentials that are
its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from gcompute.local.amqp import AmqpLink
from tests.faults.client import ClientProcess, Side
from tests.faults.endpoint import AnsweringEndpoint
from tests.faults.patience import eventually
from tests.support.amqp_proxy import AmqpProxy
from tests.support.http_front import HttpFront, Reply, Request
from tests.support.open_service import OpenService
from tests.support.rabbitmq import RabbitMQ

BrokerName = Literal["embedded", "rabbitmq"]
BROKERS: tuple[BrokerName, ...] = ("embedded", "rabbitmq")

#: Tasks in flight in each scenario.
COUNT = 500

_ACCESS = "/v2/get_amqp_result_connection_url"


class Ground:
    """A broker with a service.

    The embedded broker lives in the service's process: when it stops, so does the web service.
    """

    def __init__(self, broker: BrokerName, service: OpenService, node: RabbitMQ | None) -> None:
        self.broker = broker
        self.service = service
        self._node = node

    async def stop_broker(self) -> None:
        """Stop the broker, in order."""
        await asyncio.to_thread((self._node or self.service).stop)

    async def start_broker(self) -> None:
        """Start it again."""
        await asyncio.to_thread((self._node or self.service).start)


@contextmanager
def ground(broker: BrokerName, folder: Path) -> Iterator[Ground]:
    """Run a broker with a service for the length of a block; the folder must be empty."""
    node = None
    for name in ("node", "service"):
        (folder / name).mkdir()
    if broker == "rabbitmq":
        node = RabbitMQ(folder / "node")
        node.start()
    service = OpenService(folder / "service", None if node is None else node.url())
    try:
        service.start()
        yield Ground(broker, service, node)
    finally:
        service.stop()
        if node is not None:
            node.stop()


@dataclass
class Stage:
    """One run of a fault.

    Attributes:
        full: whether outages last as long as they do in ``make faults``.
        clients: those that count.
        numbers: of all calls that were to be submitted, by whomever.
    """

    ground: Ground
    side: Side
    folder: Path
    proxy: AmqpProxy
    front: HttpFront
    endpoint: AnsweringEndpoint
    full: bool
    clients: list[ClientProcess] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    _killed: list[ClientProcess] = field(default_factory=list)

    async def start_client(
        self, *parts: Sequence[int], reload: bool = False, task_group_id: str | None = None
    ) -> ClientProcess:
        """Start a client that submits calls with these numbers, by default `COUNT` at once."""
        parts = () if reload else parts or (range(COUNT),)
        numbers = [number for part in parts for number in part]
        order: dict[str, Any] = {
            "url": self.front.url,
            "token": self.ground.service.token,
            "endpoint_id": self.endpoint.id,
            "task_group_id": task_group_id,
            "parts": [list(part) for part in parts],
            "reload": reload,
            "options": {},
        }
        log = self.folder / f"client-{len(self.clients) + len(self._killed)}.log"
        client = await ClientProcess.start(self.side, order, log)
        client.calls = dict(enumerate(numbers))
        self.clients.append(client)
        self.numbers += numbers
        return client

    def kill(self, client: ClientProcess) -> None:
        """End a client at once; what became of its futures does not count."""
        client.kill()
        self.clients.remove(client)
        self._killed.append(client)

    async def outage(self, full_s: float) -> None:
        """Let an outage last; a tenth of its time in the short form, and at least 3 s."""
        await asyncio.sleep(full_s if self.full else max(3.0, full_s / 10))

    @property
    def task_group_id(self) -> str | None:
        """The task group of the first submit that was answered; ``None`` before."""
        groups = (
            str(reply.json()["task_group_id"])
            for request, reply in self.front.exchanges
            if is_submit(request) and reply.status == 200
        )
        return next(groups, None)

    @property
    def disturbed_submits(self) -> list[Request]:
        """The submits that were not passed on, or whose answer the client did not get."""
        return [request for request in self.front.disturbed if is_submit(request)]

    async def known_task_group(self) -> str:
        """Wait until there is a task group, and give it."""
        await eventually(lambda: int(self.task_group_id is not None), 1, "task groups are known")
        assert self.task_group_id is not None
        return self.task_group_id

    @asynccontextmanager
    async def result_queue(self) -> AsyncIterator[ResultQueue]:
        """Give the client's result queue, as the broker's administrator has it."""
        group = await self.known_task_group()
        prefix = next(
            reply.json()["queue_prefix"]
            for request, reply in self.front.exchanges
            if request.path == _ACCESS and reply.status == 200
        )

        async def nothing(_link: AmqpLink) -> None:
            return

        link = AmqpLink(self.ground.service.broker_url, on_open=nothing, name="intruder")
        await link.start(timeout_s=20)
        try:
            yield ResultQueue(link, f"{prefix}{group}")
        finally:
            await link.stop()


@dataclass(frozen=True)
class ResultQueue:
    """The result queue of the client, for somebody who may do everything."""

    link: AmqpLink
    name: str

    def publish(self, body: bytes) -> asyncio.Future[None]:
        """Put a message in; done once the broker has it."""
        return self.link.publish("", self.name, body, properties={"delivery_mode": 2})

    async def delete(self) -> None:
        """Delete the queue with all that is in it."""
        await self.link.topology.delete_queue(self.name)


def is_submit(request: Request) -> bool:
    """Tell whether a request submits tasks."""
    return request.method == "POST" and request.path.endswith("/submit")


def submitted_tasks(request: Request) -> int:
    """Count the tasks in a submit."""
    return sum(len(payloads) for payloads in request.json()["tasks"].values())


@asynccontextmanager
async def stage(
    on: Ground, side: Side, folder: Path, *, full: bool = False
) -> AsyncIterator[Stage]:
    """Set up one run; what was started is stopped at the end."""
    service = on.service
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(AmqpProxy(_port(service.broker_url)))

        def rewrite(request: Request, reply: Reply) -> Reply:
            if request.path != _ACCESS or reply.status != 200:
                return reply
            content = reply.json()
            # The embedded broker may be at another port than before.
            proxy.target_port = _port(content["connection_url"])
            content["connection_url"] = proxy.grant(content["connection_url"])
            return Reply(reply.status, reply.headers, json.dumps(content).encode())

        front = await stack.enter_async_context(HttpFront(service.url, rewrite))
        endpoint = await stack.enter_async_context(AnsweringEndpoint(service.url, service.token))
        made = Stage(on, side, folder, proxy, front, endpoint, full)
        try:
            yield made
        finally:
            for client in [*made.clients, *made._killed]:
                await client.close()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
