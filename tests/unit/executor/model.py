"""A world for executors: service, broker and processes, on one clock that a test moves.

What is real is all that decides: :class:`ResultSource` with its pending tasks, schedule and
strangers, :class:`ResultStream` with its consumers and acknowledgements, :class:`Sender` with
arrivals, patience and groups. What is not is threads, sockets and time: each thread's loop is
run a step at a time, pika's connection and the service are played by the world. Who makes a
step, and what fails in it, is said by ``choose``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from unittest import mock

from gcompute.backoff import Backoff
from gcompute.client import Client
from gcompute.errors import (
    ComputeAPIError,
    ComputeError,
    RateLimited,
    ServiceFailed,
    ServiceUnreachable,
    SubmissionUncertain,
)
from gcompute.executor import consuming, delivery, fetching, patience, results, sender, stream
from gcompute.executor.functions import FunctionReference
from gcompute.executor.future import ComputeFuture
from gcompute.executor.groups import TaskGroups
from gcompute.executor.lifecycle import Action, Event, State
from gcompute.executor.outbox import Submission
from gcompute.executor.pending import AwaitedTask
from gcompute.executor.results import ResultSource, ResultThreads, Transport
from gcompute.executor.sender import Sender
from gcompute.executor.settings import TaskSettings
from gcompute.messages import ResultMessage, encode
from tests.unit.executor.stand_ins import ENDPOINT, SERIALIZER

T = TypeVar("T")

#: Chooses one of several: hypothesis while there are faults, the first afterwards.
Choose = Callable[[Sequence[Any]], Any]

#: Looks at the clock without any time passing: more is a thread that turns in a circle.
_MOST_LOOKS = 20_000

REFUSED = partial(ServiceUnreachable, "connection refused", sent=False)
CUT = partial(ServiceUnreachable, "the answer broke off", sent=True)
FAILED = partial(ServiceFailed, http_status=503)
UNREADABLE = partial(ComputeAPIError, http_status=200, message="no JSON")
LIMITED = partial(RateLimited, http_status=429)


class Clock:
    """Stands for the module ``time``."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._looks = 0

    def monotonic(self) -> float:
        """Give the time."""
        self._looks += 1
        assert self._looks < _MOST_LOOKS, "somebody waits for nothing, again and again"
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self._looks = 0


class Task:
    """What the service knows of a task."""

    def __init__(self, task_id: str, owner: str, payload: str, group: str) -> None:
        self.id = task_id
        #: Of whom, and which call: what its result says.
        self.value = f"{owner}:{payload}"
        self.group = group
        self.finished = False

    def answer(self) -> dict[str, Any]:
        """Say how it is doing, as ``POST /v2/batch_status`` does."""
        if not self.finished:
            return {"task_id": self.id, "status": "running"}
        return {
            "task_id": self.id,
            "status": "success",
            "result": SERIALIZER.serialize(self.value),
            "completion_t": "1700000000",
        }


class Message:
    """A result in a queue."""

    def __init__(self, task: Task, *, assured: bool) -> None:
        self.assured = assured
        data = "" if assured else SERIALIZER.serialize(task.value)
        self.body = encode(ResultMessage(task.id, data))


class Loop:
    """pika's loop of a connection."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, Callable[[], None]]] = []

    def add_callback_threadsafe(self, callback: Callable[[], None]) -> None:
        self._due.append((self._clock.now, callback))

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        self._due.append((self._clock.now + seconds, callback))

    def next_at(self) -> float | None:
        return min((at for at, _ in self._due), default=None)

    def run_next(self) -> bool:
        """Run the next callback whose time has come; say whether there was one."""
        at = self.next_at()
        if at is None or at > self._clock.now:
            return False
        index = next(i for i, (moment, _) in enumerate(self._due) if moment == at)
        self._due.pop(index)[1]()
        return True


class Channel:
    """A channel with the broker's side of it; refuses what AMQP 0-9-1 refuses."""

    def __init__(self, broker: Broker) -> None:
        self.is_open = True
        self.queue: str | None = None
        self.unacknowledged: dict[int, Message] = {}
        self._broker = broker
        self._last_tag = 0
        self._on_close: Callable[[Any, Exception], None] = lambda channel, reason: None
        self._on_message: Callable[[Any, Any, Any, bytes], None]

    def add_on_close_callback(self, callback: Callable[[Any, Exception], None]) -> None:
        self._on_close = callback

    def add_on_cancel_callback(self, callback: object) -> None:
        pass

    def basic_qos(self, prefetch_count: int) -> None:
        assert prefetch_count > 0

    def basic_consume(
        self,
        queue: str,
        on_message: Callable[[Any, Any, Any, bytes], None],
        callback: Callable[[object], None],
    ) -> None:
        if queue not in self._broker.queues:
            self.end(KeyError(f"no queue {queue}"))
            return
        self.queue, self._on_message = queue, on_message
        callback(None)

    def deliver(self, message: Message) -> None:
        self._last_tag += 1
        self.unacknowledged[self._last_tag] = message
        headers = {"high_assurance": True} if message.assured else None
        properties = SimpleNamespace(headers=headers, timestamp=1700000000)
        method = SimpleNamespace(delivery_tag=self._last_tag)
        self._on_message(self, method, properties, message.body)

    def basic_ack(self, tag: int, multiple: bool) -> None:
        assert self.is_open
        assert tag in self.unacknowledged, f"unknown delivery tag {tag}"
        for covered in [t for t in self.unacknowledged if t == tag or (multiple and t < tag)]:
            del self.unacknowledged[covered]

    def basic_nack(self, tag: int, requeue: bool) -> None:
        assert self.is_open
        assert requeue
        assert self.queue is not None
        self._broker.queues[self.queue].append(self.unacknowledged.pop(tag))

    def end(self, reason: Exception) -> None:
        """Be closed by the broker; what was not acknowledged goes back to the queue."""
        self.is_open = False
        if self.queue is not None:
            self._broker.queues[self.queue][:0] = self.unacknowledged.values()
        self.unacknowledged = {}
        self._broker.channels.remove(self)
        self._on_close(self, reason)


class Connection:
    """An open connection, as far as the stream and its consumers use one."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self.ioloop = Loop(clock)
        self.is_open = True
        self._broker = broker

    def channel(self, on_open_callback: Callable[[Channel], None]) -> None:
        def opened() -> None:
            channel = Channel(self._broker)
            self._broker.channels.append(channel)
            self.channels.append(channel)
            on_open_callback(channel)

        self.ioloop.add_callback_threadsafe(opened)

    @property
    def channels(self) -> list[Channel]:
        return self.__dict__.setdefault("_channels", [])  # type: ignore[no-any-return]


class Broker:
    """Queues and who consumes them."""

    def __init__(self) -> None:
        self.queues: dict[str, list[Message]] = {}
        self.channels: list[Channel] = []

    def deliverable(self) -> list[Channel]:
        """Give the channels to which something can be delivered."""
        return [c for c in self.channels if c.queue is not None and self.queues[c.queue]]

    def drained(self) -> bool:
        """Tell whether nothing is left of what somebody consumes."""
        return not any(c.unacknowledged for c in self.channels) and not self.deliverable()


class _Sleeps(BaseException):
    """A thread has come to where it would wait."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds


class SleepingCondition:
    """Stands for a condition: to wait on it ends the step, and says until when it waits."""

    def __init__(self) -> None:
        self.woken = True

    def __enter__(self) -> SleepingCondition:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def notify_all(self) -> None:
        self.woken = True

    def wait(self, seconds: float | None) -> None:
        raise _Sleeps(seconds)


class SteppedInbox:
    """An inbox that gives so many items, and then the one that ends the thread's loop.

    Args:
        is_full: tells whether there is no room for a message.
    """

    def __init__(self, is_full: Callable[[], bool]) -> None:
        self._is_full = is_full
        self._left: list[Any] = []
        self.items: list[tuple[Any, int]] = []
        self.allowed = 0

    def put(self, item: Any, size: int = 0, *, wait: bool = True) -> None:
        self.items.append((item, size))

    def offer(self, item: Any, size: int, name: Any) -> bool:
        if self.items and self._is_full():
            self._left.append(name)
            return False
        self.items.append((item, size))
        return True

    def get(self) -> tuple[Any, int]:
        if not self.items or not self.allowed:
            return None, 0
        self.allowed -= 1
        return self.items.pop(0)

    def done(self, size: int) -> list[Any]:
        left, self._left = self._left, []
        return left

    def forget(self, chosen: Callable[[Any], bool]) -> None:
        self._left = [name for name in self._left if not chosen(name)]

    def close(self) -> None:
        pass

    def empty(self) -> bool:
        return not self.items


class CountedFuture(ComputeFuture):
    """A future that counts how often somebody tried to end it."""

    def __init__(self, task_id: str | None = None) -> None:
        super().__init__(task_id)
        self.ends = 0

    def set_result(self, result: Any) -> None:
        """End."""
        self.ends += 1
        super().set_result(result)

    def set_exception(self, exception: BaseException | None) -> None:
        """End."""
        self.ends += 1
        super().set_exception(exception)


class Process:
    """One process with a client and its executors."""

    def __init__(self, world: World, name: str, transport: Transport) -> None:
        self.name = name
        self._world = world
        #: Parts of it that are in the middle of something.
        self.busy: set[str] = set()
        self.client = ModelClient(world, self)
        self.groups = TaskGroups()
        client = cast(Client, self.client)
        self.settings = TaskSettings(client, self.groups, None)
        self.settings.endpoint_id = ENDPOINT
        self._function = FunctionReference("f", function_id=name)
        self.source = ResultSource(client, self.groups, transport=transport, port=None)
        self.source.acquire(self, name)
        self.threads = cast(ResultThreads, self.source._threads)
        self.inbox = SteppedInbox(lambda: world.fails("room for a large result"))
        self.threads.delivery._inbox = cast(Any, self.inbox)
        self.threads.delivery._on_stopped = lambda: None
        self.sleep = SleepingCondition()
        self.threads.fetching._changed = cast(Any, self.sleep)
        self.fetches_at: float | None = None
        self.stream = self.threads.stream
        self.connects_at = 0.0
        #: Of two executors, which share the group.
        self.senders = [
            Sender(
                self.client, self.source, self.groups, pause=self._pause, on_sent=lambda *args: None
            )
            for _ in range(2)
        ]
        #: Calls and their futures, and futures of tasks that were reloaded.
        self.submitted: list[tuple[str, CountedFuture]] = []
        self.reloaded: list[tuple[Task, CountedFuture]] = []

    def awaits(self, future: Future[Any]) -> bool:
        """Tell that nobody waits for a future in a callback."""
        return False

    # What its user does.

    def submit(self, payloads: list[str]) -> None:
        """Send a batch."""
        destination = self.settings._current_destination()
        batch = []
        for payload in payloads:
            future = CountedFuture()
            self.submitted.append((payload, future))
            batch.append(Submission(future, destination, self._function, payload, 1))
        index = 1 if "send" in self.busy else 0
        also = {"send", "send too"} if index else {"send"}
        self.busy |= also
        self.senders[index].send(batch)
        self.busy -= {"send too"} if index else also

    def can_submit(self) -> bool:
        """Tell whether one of its executors has a sender that does nothing, or only pauses."""
        return "send" not in self.busy or ("pause" in self.busy and "send too" not in self.busy)

    def _pause(self, seconds: float) -> bool:
        self._world.clock.advance(seconds)
        self.busy.add("pause")
        self._world.meanwhile()
        self.busy.discard("pause")
        return True

    # What its threads do. Each says whether there was anything to do.

    def fetch(self) -> bool:
        """Run the fetching's thread until it waits."""
        due = self.fetches_at is not None and self._world.clock.now >= self.fetches_at
        if "fetch" in self.busy or not (self.sleep.woken or due):
            return False
        self.sleep.woken = False
        self.threads.fetching._idle = False
        self.busy.add("fetch")
        try:
            self.threads.fetching._run()
        except _Sleeps as sleeps:
            self.fetches_at = (
                None if sleeps.seconds is None else self._world.clock.now + sleeps.seconds + 1e-6
            )
        self.busy.discard("fetch")
        return True

    def deliver(self, count: int = 1) -> bool:
        """Let the delivery's thread take some items."""
        if not self.inbox.items:
            return False
        self.inbox.allowed = count
        self.threads.delivery._run()
        return True

    def loop(self) -> bool:
        """Run a callback of the connection."""
        connection = cast(Any, self.stream._connection)
        return connection is not None and connection.ioloop.run_next()

    def connect(self) -> bool:
        """Take the connection's thread one step on: ask for access, connect, or wait."""
        life = self.stream._life
        if self.stream._thread is None or life.state is State.CONSUMING:
            return False
        if life.state is State.IDLE:
            self.stream._tell(Event.NEEDED)
        elif life.state is State.ASKING:
            self._told(self.stream._do(Action.ASK))
        elif life.state is State.CONNECTING:
            self._open()
        elif self._world.clock.now >= self.connects_at:
            self._told(Event.WAITED)
        else:
            return False
        return True

    def _open(self) -> None:
        connection = Connection(self._world.broker, self._world.clock)
        self.stream._connection = cast(Any, connection)
        if self._world.fails("connecting"):
            self.lose()
        else:
            self.stream._opened()

    def lose(self) -> bool:
        """Lose the connection."""
        connection = cast(Any, self.stream._connection)
        if connection is None:
            return False
        connection.is_open = False
        for channel in list(connection.channels):
            if channel.is_open:
                channel.end(ConnectionError("lost"))
        connection.ioloop.stop = lambda: None
        self.stream._lost(connection, "lost")
        self.stream._forget_connection()
        self._told(Event.LOST)
        return True

    def _told(self, event: Event | None) -> None:
        assert event is not None
        if self.stream._tell(event) is Action.BACK_OFF:
            self.connects_at = self._world.clock.now + self.stream._life.wait_s

    def reload(self, group: str) -> None:
        """Do as ``Executor.reload_tasks`` does."""
        try:
            listed = self.client.get_task_group(group)["tasks"]
        except ComputeError:
            return
        task_ids = [task["id"] for task in listed]
        self.groups[group].listed(task_ids)
        tasks = []
        for task_id in task_ids:
            future = CountedFuture(task_id)
            future.set_running_or_notify_cancel()
            task = AwaitedTask(future, SERIALIZER, asked_at=self._world.clock.now)
            tasks.append((task_id, task))
        futures = self.source.reload(group, tasks)
        for (task_id, task), awaited in zip(tasks, futures, strict=True):
            if awaited is task.future:
                self.reloaded.append((self._world.tasks[task_id], cast(CountedFuture, awaited)))
        self.source.ask(group, task_ids)

    def moments(self) -> list[float]:
        """Give the moments at which something is to be done."""
        connection = cast(Any, self.stream._connection)
        moments = [self.fetches_at, self.connects_at]
        moments.append(None if connection is None else connection.ioloop.next_at())
        return [m for m in moments if m is not None and m > self._world.clock.now]

    def consumes(self) -> bool:
        """Tell whether it consumes every queue that it watches and that is there."""
        connection = cast(Any, self.stream._connection)
        channels = connection.channels if connection is not None else []
        queues = {channel.queue for channel in channels if channel.is_open}
        return all(g in queues for g in self.stream._groups if g in self._world.broker.queues)

    def ended(self) -> bool:
        """Tell whether every future has ended."""
        return all(f.done() for _, f in [*self.submitted, *self.reloaded])


class ModelClient:
    """The client of a process: the service with all that may go wrong on the way."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process
        self.serializer = SERIALIZER
        self.result_serializers: list[str] = []
        #: Tasks that are on their way to the service, and after which look they arrive.
        self._late: list[tuple[str, dict[str, Any]]] = []

    def login_required(self) -> bool:
        return False

    def _requests_are_plentiful(self) -> bool:
        return True

    def _submit(self, endpoint_id: Any, request: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        way = world.choose(
            ["taken", "refused", "limited", "not taken", "taken and cut", "late"]
            if world.faulty
            else ["taken"]
        )
        world.meanwhile()
        if way in ("refused", "limited"):
            raise (REFUSED if way == "refused" else LIMITED)()
        if way == "not taken":
            raise world.choose([CUT, FAILED])()
        failure = world.choose([CUT, FAILED, UNREADABLE]) if way == "taken and cut" else None
        if way == "late":
            self._late.append((self._process.name, request))
            raise CUT()
        answer = world.take(self._process.name, request)
        world.meanwhile()
        if failure is not None:
            raise failure()
        return answer

    def _register(self, registration: dict[str, Any]) -> str:
        raise AssertionError("functions of the model are registered")

    def get_task_group(self, task_group_id: str) -> dict[str, Any]:
        while self._late:
            self._world.take(*self._late.pop())
        self._world.meanwhile()
        if self._world.fails("looking"):
            raise FAILED()
        ids = [{"id": t.id} for t in self._world.tasks.values() if t.group == task_group_id]
        return {"taskgroup_id": task_group_id, "tasks": ids}

    def _batch_status(self, task_ids: list[str]) -> dict[str, dict[str, Any]]:
        if self._world.fails("asking"):
            raise CUT()
        answers = {i: self._world.tasks[i].answer() for i in task_ids if i in self._world.tasks}
        self._world.meanwhile()
        return answers

    def get_result_amqp_url(self) -> dict[str, str]:
        if self._world.fails("access"):
            raise FAILED()
        return {"connection_url": "amqp://model", "queue_prefix": ""}


class World:
    """Service, broker and processes.

    Args:
        choose: says what happens next.
    """

    def __init__(self, choose: Choose) -> None:
        self._patches = ExitStack()
        self.clock = Clock()
        backoff = partial(Backoff, draw=lambda: 0.5)
        for module in (consuming, fetching, results, sender, stream):
            self._patch(module, "time", self.clock)
        for module in (consuming, fetching, patience, stream):
            self._patch(module, "Backoff", backoff)
        for module in (delivery, fetching, stream):
            self._patch(module, "spawn", lambda name, target: SimpleNamespace(name=name))
        self.choose: Choose = choose
        self.faulty = True
        self.broker = Broker()
        self.tasks: dict[str, Task] = {}
        self.processes: list[Process] = []
        self._ids = itertools.count(1)
        self._depth = 0

    def _patch(self, module: Any, name: str, value: Any) -> None:
        self._patches.enter_context(mock.patch.object(module, name, value))

    def close(self) -> None:
        """Give the modules their own time and threads back."""
        self._patches.close()

    def start(self, name: str, transport: Transport) -> None:
        """Start a process."""
        self.processes.append(Process(self, name, transport))

    def fails(self, what: str) -> bool:
        """Say whether something fails this time."""
        return self.faulty and bool(self.choose([False, True]))

    def _new_id(self, kind: int) -> str:
        return f"{kind}0000000-0000-4000-8000-{next(self._ids):012d}"

    def take(self, owner: str, request: dict[str, Any]) -> dict[str, Any]:
        """Make the tasks of a submit."""
        group = request.get("task_group_id") or self._new_id(3)
        self.broker.queues.setdefault(group, [])
        made: dict[str, list[str]] = {}
        for function_id, payloads in request["tasks"].items():
            tasks = [Task(self._new_id(4), owner, payload, group) for payload in payloads]
            self.tasks |= {task.id: task for task in tasks}
            made[function_id] = [task.id for task in tasks]
        return {"tasks": made, "task_group_id": group, "request_id": "r"}

    def finish(self) -> bool:
        """Let a task finish, and its result come, be lost, or come twice."""
        running = [task for task in self.tasks.values() if not task.finished]
        if not running:
            return False
        task = self.choose(running)
        task.finished = True
        ways = ["once", "twice", "lost", "assured"] if self.faulty else ["once"]
        way = self.choose(ways)
        for _ in range({"twice": 2, "lost": 0}.get(way, 1)):
            queue = self.broker.queues[task.group]
            place = self.choose(range(len(queue) + 1)) if self.faulty else len(queue)
            queue.insert(place, Message(task, assured=way == "assured"))
        return True

    def send(self) -> bool:
        """Let the broker deliver a message to one of those who consume its queue."""
        channels = self.broker.deliverable()
        if not channels:
            return False
        channel = self.choose(channels)
        channel.deliver(self.broker.queues[channel.queue or ""].pop(0))
        return True

    def meanwhile(self) -> None:
        """Let some of the others go on while one is in the middle of something."""
        if not self.faulty or self._depth > 1:
            return
        self._depth += 1
        for _ in range(self.choose([0, 0, 1, 2, 3])):
            self.step()
        self._depth -= 1

    def step(self) -> None:
        """Let anybody do anything."""
        process = self.choose(self.processes)
        step = self.choose(
            ["finish", "send", "deliver", "loop", "fetch", "connect", "time", "lose", "close"]
            + ["arrive"] * 4
            + ["submit", "reload"] * (self._depth < 2)
        )
        if step == "finish":
            self.finish()
        elif step == "send":
            self.send()
        elif step == "arrive":  # all of it, as it often happens while a submit is under way
            self.finish()
            self.send()
            for other in self.processes:
                other.deliver(100)
        elif step == "deliver":
            process.deliver(self.choose([1, 2, 100]))
        elif step == "time":
            self.clock.advance(self.choose([0.125, 1.0, 8.0, 64.0]))
        elif step == "close":
            if self.broker.channels:
                self.choose(self.broker.channels).end(KeyError("closed by the broker"))
        elif step == "submit":
            if process.can_submit():
                process.submit(self.choose([["x"], ["x", "x"], ["x", "y"], ["y", "y", "y"]]))
        elif step == "reload":
            if self.tasks:
                process.reload(self.choose(sorted({t.group for t in self.tasks.values()})))
        else:
            getattr(process, step)()

    def go_well(self, rounds: int) -> None:
        """Let everything go on for a while without faults."""
        self.faulty = False
        for _ in range(rounds):
            self._go_on()
        self.faulty = True

    def settle(self) -> None:
        """Let everything go on without faults until nothing is left to do.

        Raises:
            AssertionError: somebody waits for ever.
        """
        self.faulty = False
        self.choose = lambda options: options[0]
        until = self.clock.now + 1000
        while not (
            all(p.ended() and p.consumes() for p in self.processes) and self.broker.drained()
        ):
            assert self.clock.now < until, self._left()
            if not self._go_on():
                moments = [m for process in self.processes for m in process.moments()]
                self.clock.advance(min(moments, default=self.clock.now + 1.0) - self.clock.now)

    def _go_on(self) -> bool:
        done = [self.finish(), self.send()]
        for process in self.processes:
            done += [process.connect(), process.loop(), process.deliver(100), process.fetch()]
        return any(done)

    def _left(self) -> str:
        waiting = {
            process.name: [f for _, f in [*process.submitted, *process.reloaded] if not f.done()]
            for process in self.processes
        }
        held = {c.queue: len(c.unacknowledged) for c in self.broker.channels}
        return f"still waiting: {waiting}; unacknowledged: {held}"

    def judge(self) -> None:
        """Check that each future has ended once, with its own result, and no task ran twice."""
        for process in self.processes:
            made: dict[str, int] = {}
            for task in self.tasks.values():
                made[task.value] = made.get(task.value, 0) + 1
            sure: dict[str, int] = {}
            possible: dict[str, int] = {}
            for payload, future in process.submitted:
                assert future.ends == 1, future
                value = f"{process.name}:{payload}"
                error = future.exception(0)
                if error is None:
                    assert future.result(0) == value
                    sure[value] = sure.get(value, 0) + 1
                elif isinstance(error, SubmissionUncertain):
                    possible[value] = possible.get(value, 0) + 1
                else:
                    assert isinstance(error, ServiceFailed | ServiceUnreachable | RateLimited)
            for value in {f"{process.name}:{payload}" for payload, _ in process.submitted}:
                least = sure.get(value, 0)
                assert least <= made.get(value, 0) <= least + possible.get(value, 0)
            ids = [f.task_id for _, f in process.submitted if f.exception(0) is None]
            assert len(ids) == len(set(ids))
            for task, future in process.reloaded:
                assert future.ends == 1
                assert future.result(0) == task.value
