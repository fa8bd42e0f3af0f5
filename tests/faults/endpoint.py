"""An endpoint without workers: it answers each task itself, when and in the order the test says.

It is registered like any endpoint, and knows of the service what any agent knows. A task is
acknowledged once the broker has confirmed its answer, so that no task is lost with a broker; one
that comes again is answered again. What it answers is what ``work`` in ``program.py`` returns.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import httpx

from gcompute.local.amqp import AmqpLink, Delivery, LinkError
from gcompute.messages import ResultMessage, StatusReport, TaskMessage, decode, encode
from gcompute.serialize import ComputeSerializer, unpack_buffers
from tests.faults.patience import eventually

_REGISTRATION = {
    "endpoint_name": "answering",
    "metadata": {"python_version": "3.11.7", "sdk_version": "4.19.0"},
}
_serializer = ComputeSerializer()


@dataclass
class Task:
    """A task that came, with the number that its call was given."""

    id: str
    number: int
    #: Where its last delivery is to be acknowledged. A link that was stopped acknowledges nothing.
    link: AmqpLink
    tag: int

    @property
    def answer(self) -> ResultMessage:
        """The result message for it."""
        return ResultMessage(self.id, _serializer.serialize(expected(self.number)))


def expected(number: int) -> str:
    """Give the right result of a call."""
    return f"result of {number}"


class AnsweringEndpoint:
    """Answers as many tasks as it was allowed to.

    Args:
        url: the service.
        token: of the endpoint's owner.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"authorization": f"Bearer {token}"}
        self.id = ""
        #: Every task that ever came, by its id, in the order of arrival.
        self.tasks: dict[str, Task] = {}
        #: Called with each answer right before it is sent.
        self.before_answer: Callable[[ResultMessage], object] = lambda _message: None
        #: How many more tasks may be answered.
        self._allowance = 0.0
        self._unanswered: dict[str, Task] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._link: AmqpLink | None = None
        self._results: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Register, under the same id as before, and take tasks."""
        method, path = ("PUT", f"/{self.id}") if self.id else ("POST", "")
        async with httpx.AsyncClient(timeout=30, trust_env=False, headers=self._headers) as http:
            got = await http.request(method, f"{self._url}/v3/endpoints{path}", json=_REGISTRATION)
        got.raise_for_status()
        answer = got.json()
        self.id, self._results = answer["endpoint_id"], answer["result_queue_info"]
        tasks, heartbeats = answer["task_queue_info"], answer["heartbeat_queue_info"]
        report = StatusReport(self.id, {"active": True, "heartbeat_period": 30})

        async def on_open(link: AmqpLink) -> None:
            await link.consume(tasks["queue"], self._on_task, exclusive=True)
            link.publish(body=encode(report), **heartbeats["queue_publish_kwargs"])

        self._link = AmqpLink(tasks["connection_url"], on_open=on_open, name="answering")
        await self._link.start(timeout_s=20)

    async def stop(self) -> None:
        """Take no more tasks, until it is started again."""
        link, self._link = self._link, None
        if link is not None:
            await link.stop()
        if self._sending:
            await asyncio.wait(self._sending)

    def allow(self, count: float) -> None:
        """Answer so many more tasks, those that wait or those to come."""
        self._allowance += count
        self._answer()

    def allow_all(self) -> None:
        """Answer every task."""
        self.allow(float("inf"))

    def shuffle(self, draw: random.Random) -> None:
        """Bring the tasks that wait into another order."""
        order = list(self._unanswered)
        draw.shuffle(order)
        self._unanswered = {task_id: self._unanswered[task_id] for task_id in order}

    async def taken(self, count: int) -> None:
        """Wait until so many different tasks have come.

        Raises:
            NeverHappened: they have not.
        """
        await eventually(lambda: len(self.tasks), count, "tasks reached the endpoint")

    def _on_task(self, delivery: Delivery) -> None:
        message = decode(delivery.body)
        assert isinstance(message, TaskMessage)
        assert self._link is not None
        known = self.tasks.get(message.task_id)
        if known is not None:
            known.link, known.tag = self._link, delivery.delivery_tag
            if known.id not in self._unanswered:
                self._send(known)
            return
        _, args, _ = unpack_buffers(message.task_buffer)
        (number,) = _serializer.deserialize(args)
        task = Task(message.task_id, number, self._link, delivery.delivery_tag)
        self.tasks[task.id] = self._unanswered[task.id] = task
        self._answer()

    def _answer(self) -> None:
        while self._unanswered and self._allowance >= 1:
            self._allowance -= 1
            task = self._unanswered.pop(next(iter(self._unanswered)))
            self.before_answer(task.answer)
            self._send(task)

    def _send(self, task: Task) -> None:
        if self._link is None:
            return  # it comes again
        publishing = self._results["queue_publish_kwargs"]
        confirmed = self._link.publish(body=encode(task.answer), **publishing)
        self._start(_acknowledge(task.link, task.tag, confirmed))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)


async def _acknowledge(link: AmqpLink, tag: int, confirmed: asyncio.Future[None]) -> None:
    try:
        await confirmed
    except LinkError:
        return  # not acknowledged, so the task comes again
    link.ack(tag)
