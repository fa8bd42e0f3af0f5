"""Stand-ins for the service and the stream of results, which answer when a test says so.

Threads, outbox, sender and delivery behind the Executor are the real ones.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any, cast

from gcompute import Client, Executor
from gcompute.budget import RequestsLeft
from gcompute.errors import ComputeError
from gcompute.executor.consuming import Delivery, QueueConsumer, Token
from gcompute.executor.stream import StreamListener
from gcompute.messages import ResultMessage, encode
from gcompute.serialize import ComputeSerializer, unpack_buffers

WAIT_S = 60
ENDPOINT = "20000000-0000-4000-8000-000000000002"
FUNCTION = "10000000-0000-4000-8000-000000000001"
GROUP = "30000000-0000-4000-8000-000000000003"
SERIALIZER = ComputeSerializer()


class Queue:
    """Stands for who consumes a group's queue: what a token of a delivery refers to."""

    def __init__(self, group: str) -> None:
        self.group = group


def delivery(tag: int, body: bytes, *, group: str = GROUP, **more: Any) -> Delivery:
    """Make a message of a result queue."""
    settings: dict[str, Any] = {"completed_at": None, "high_assurance": False} | more
    return Delivery(group, Token(cast(QueueConsumer, Queue(group)), tag), body, **settings)


class Stream:
    """Stands for the stream of results: passes on what a test puts in."""

    #: The last that was made.
    last: Stream
    made = 0

    def __init__(
        self,
        find_access: Callable[[], dict[str, str]],
        listener: StreamListener,
        *,
        port: int | None = None,
        label: str = "",
    ) -> None:
        self.listener = listener
        self.port = port
        #: What was asked of it, in order: "prepare", "watch <group>", "acknowledge <tag>", "stop".
        self.calls: list[str] = []
        self.stopped = threading.Event()
        self._tag = 0
        Stream.last = self
        Stream.made += 1

    def prepare(self) -> None:
        self.calls.append("prepare")

    def watch(self, task_group_id: str) -> None:
        self.calls.append(f"watch {task_group_id}")
        self.listener.consuming(task_group_id)

    def acknowledge(self, tokens: list[Token]) -> None:
        self.calls.append(f"acknowledge {tokens[-1].tag}")

    def hold(self, token: Token) -> None:
        self.calls.append(f"hold {token.tag}")

    def release(self, token: Token, after_s: float) -> None:
        self.calls.append(f"release {token.tag}")

    def stop(self) -> None:
        self.calls.append("stop")
        self.stopped.set()

    def join(self, timeout_s: float | None = None) -> None:
        assert self.stopped.wait(WAIT_S if timeout_s is None else timeout_s)

    def result(self, task_id: str | None, value: object, group: str = GROUP) -> None:
        """Let a result arrive."""
        assert task_id is not None
        self._tag += 1
        body = encode(ResultMessage(task_id, SERIALIZER.serialize(value)))
        self.listener.delivered(delivery(self._tag, body, group=group))


class Service:
    """Stands for the client: takes tasks while its gate is open, and keeps every request."""

    def __init__(self) -> None:
        self.serializer = SERIALIZER
        self.result_serializers: list[str] = []
        self.plentiful = True
        #: Seconds until there are more requests, where they are not plentiful.
        self.more_in_s = 0.0
        #: What the executors of this client share.
        self._executors_share: Any = None
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Semaphore(0)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.registered: list[dict[str, Any]] = []
        self.refusal: ComputeError | None = None
        #: Endpoints whose status was looked at.
        self.looked_at: list[str] = []
        #: The group of the last submit.
        self.group = GROUP
        #: Tasks that the service lists in any group.
        self.listed: list[str] = []
        #: Called with the ids of each submit, before it is answered.
        self.on_submit: Callable[[list[str]], None] = lambda ids: None

    def _requests_are_plentiful(self) -> bool:
        return self.plentiful

    def _requests_left(self) -> RequestsLeft:
        return RequestsLeft(20 if self.plentiful else 1, 20, self.more_in_s)

    def login_required(self) -> bool:
        return False

    def restricted(self, serializer: ComputeSerializer) -> ComputeSerializer:
        return serializer

    def register_function(self, fn: Callable[..., Any], **kwargs: Any) -> str:
        self.registered.append({"function": fn, **kwargs})
        return FUNCTION

    def register_source_code(self, source: str, function_name: str, **kwargs: Any) -> str:
        self.registered.append({"source": source, "name": function_name, **kwargs})
        return FUNCTION

    def _register(self, registration: dict[str, Any]) -> str:
        self.registered.append(registration)
        return FUNCTION

    def _submit(self, endpoint_id: Any, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append((str(endpoint_id), request))
        self.arrived.release()
        assert self.gate.wait(WAIT_S)
        if self.refusal is not None:
            raise self.refusal
        self.group = request.get("task_group_id", GROUP)
        tasks = {f: [str(uuid.uuid4()) for _ in texts] for f, texts in request["tasks"].items()}
        self.on_submit([i for ids in tasks.values() for i in ids])
        return {"tasks": tasks, "task_group_id": self.group}

    def _warn_if_offline(self, endpoint_id: Any) -> None:
        self.looked_at.append(str(endpoint_id))

    def get_task_group(self, task_group_id: str) -> dict[str, Any]:
        return {"taskgroup_id": task_group_id, "tasks": [{"id": i} for i in self.listed]}

    def _batch_status(self, task_ids: list[str]) -> dict[str, dict[str, Any]]:
        return {}

    def get_result_amqp_url(self) -> dict[str, str]:
        raise AssertionError("the stand-in for the stream asks for nothing")

    def sent(self) -> list[Any]:
        """Give the first argument of every task that was submitted, in order."""
        return [
            SERIALIZER.deserialize(unpack_buffers(text)[0])[0]
            for _, request in self.requests
            for texts in request["tasks"].values()
            for text in texts
        ]


def executor_of(service: Service, **options: Any) -> Executor:
    settings: dict[str, Any] = {"endpoint_id": ENDPOINT} | options
    return Executor(client=cast(Client, service), **settings)


def answer_all(service: Service, value: object = "done") -> None:
    """Let every task have its result at once."""

    def answer(task_ids: list[str]) -> None:
        for task_id in task_ids:
            Stream.last.result(task_id, value, service.group)

    service.on_submit = answer


def double(x: Any) -> Any:
    """Double; untyped, as the stand-in answers and is sent what no such function would."""
    return 2 * x
