"""The engine and the Executor above it: cancelling, shutting down, and letting go.

The service and the stream of results are stand-ins, which answer when a test says so; threads
and everything else are real.
"""

from __future__ import annotations

import concurrent.futures
import gc
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from gcompute import Client, ComputeFuture, Executor
from gcompute.errors import (
    AuthenticationFailed,
    ComputeError,
    NotFound,
    ResultsUnavailable,
    SerializationError,
    TaskTooLarge,
)
from gcompute.executor import engine as engine_module
from gcompute.executor.stream import Delivery
from gcompute.messages import ResultMessage, encode
from gcompute.serialize import (
    AllDataStrategies,
    ComputeSerializer,
    JSONData,
    SerializationStrategy,
    unpack_buffers,
)

WAIT_S = 10
ENDPOINT = "20000000-0000-4000-8000-000000000002"
FUNCTION = "10000000-0000-4000-8000-000000000001"
GROUP = "30000000-0000-4000-8000-000000000003"
SERIALIZER = ComputeSerializer()


class Stream:
    """Stands for the stream of results: passes on what a test puts in."""

    last: Stream

    def __init__(
        self,
        find_access: Callable[[], dict[str, str]],
        *,
        on_delivery: Callable[[Delivery], None],
        on_reopened: Callable[[], None],
        on_unavailable: Callable[[ComputeError], None],
        port: int | None = None,
        label: str = "",
    ) -> None:
        self.on_delivery = on_delivery
        self.on_reopened = on_reopened
        self.on_unavailable = on_unavailable
        self.port = port
        #: What was asked of it, in order: "prepare", "watch <group>", "settle <tag>", "stop".
        self.calls: list[str] = []
        self.stopped = threading.Event()
        self._tag = 0
        Stream.last = self

    def prepare(self) -> None:
        self.calls.append("prepare")

    def watch(self, task_group_id: str) -> None:
        self.calls.append(f"watch {task_group_id}")

    def settle(self, token: tuple[int, int]) -> None:
        self.calls.append(f"settle {token[1]}")

    def stop(self) -> None:
        self.calls.append("stop")
        self.stopped.set()

    def join(self, timeout_s: float | None = None) -> None:
        assert self.stopped.wait(WAIT_S if timeout_s is None else timeout_s)

    def result(self, task_id: str | None, value: object) -> None:
        """Let a result arrive."""
        assert task_id is not None
        self._tag += 1
        body = encode(ResultMessage(task_id, SERIALIZER.serialize(value)))
        self.on_delivery(Delivery((1, self._tag), body, None, False))


class Service:
    """Stands for the client: takes tasks while its gate is open, and keeps every request."""

    def __init__(self) -> None:
        self.serializer = SERIALIZER
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Semaphore(0)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.registered: list[dict[str, Any]] = []
        self.refusal: ComputeError | None = None
        #: Called with the ids of each submit, before it is answered.
        self.on_submit: Callable[[list[str]], None] = lambda ids: None

    def register_function(self, fn: Callable[..., Any], **kwargs: Any) -> str:
        self.registered.append({"function": fn, **kwargs})
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
        tasks = {f: [str(uuid.uuid4()) for _ in texts] for f, texts in request["tasks"].items()}
        self.on_submit([i for ids in tasks.values() for i in ids])
        return {"tasks": tasks, "task_group_id": request.get("task_group_id", GROUP)}

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


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Give a service whose gate is open again at the end."""
    monkeypatch.setattr(engine_module, "ResultStream", Stream)
    made = Service()
    yield made
    made.gate.set()


def _executor(service: Service, **options: Any) -> Executor:
    settings: dict[str, Any] = {"endpoint_id": ENDPOINT} | options
    return Executor(client=cast(Client, service), **settings)


def _answer_all(service: Service, value: object = "done") -> None:
    """Let every task have its result at once."""

    def answer(task_ids: list[str]) -> None:
        for task_id in task_ids:
            Stream.last.result(task_id, value)

    service.on_submit = answer


def double(x: int) -> int:
    """Double."""
    return 2 * x


class Stuck:
    """Cannot be serialized."""

    def __reduce__(self) -> str:
        raise TypeError("stuck")


# Submitting


def test_a_call_becomes_a_task_and_its_result_a_future(service: Service) -> None:
    """The way of one call, with its task id and task group."""
    with _executor(service) as executor:
        started = threading.Event()
        service.on_submit = lambda ids: started.set()
        future = executor.submit(double, 21)
        assert started.wait(WAIT_S)
        _answer_all(service, 42)
        second = executor.submit(double, 21)
        assert second.result(WAIT_S) == 42
        assert future.task_id is not None
        Stream.last.result(future.task_id, "late")
        assert future.result(WAIT_S) == "late"
        assert executor.task_group_id == uuid.UUID(GROUP)
    assert Stream.last.calls[:2] == ["prepare", f"watch {GROUP}"]


def test_making_and_leaving_one_starts_nothing(service: Service) -> None:
    """No thread, no request, no connection without a task."""
    before = set(threading.enumerate())
    with _executor(service):
        assert set(threading.enumerate()) == before
    assert Stream.last.calls == []
    assert service.requests == []


def test_what_queues_up_goes_together(service: Service) -> None:
    """While a request is under way, calls gather; the next request has them all."""
    _answer_all(service)
    service.gate.clear()
    with _executor(service) as executor:
        futures = [executor.submit(double, 0)]
        assert service.arrived.acquire(timeout=WAIT_S)
        futures += [executor.submit(double, n) for n in range(1, 100)]
        service.gate.set()
        assert [f.result(WAIT_S) for f in futures] == ["done"] * 100
    assert service.sent() == list(range(100))
    assert len(service.requests) == 2
    assert len(service.registered) == 1


def test_a_batch_size_is_a_maximum(service: Service) -> None:
    """No request has more tasks."""
    _answer_all(service)
    service.gate.clear()
    with _executor(service, batch_size=3) as executor:
        futures = [executor.submit(double, n) for n in range(10)]
        service.gate.set()
        concurrent.futures.wait(futures, WAIT_S)
    sizes = [sum(map(len, request["tasks"].values())) for _, request in service.requests]
    assert max(sizes) <= 3
    assert service.sent() == list(range(10))


def test_settings_hold_for_the_tasks_after_them(service: Service) -> None:
    """Each task goes where the settings said when it was submitted."""
    other = str(uuid.uuid4())
    _answer_all(service)
    service.gate.clear()
    with _executor(service) as executor:
        first = executor.submit(double, 1)
        executor.endpoint_id = other
        executor.user_endpoint_config = {"account": "x"}
        executor.resource_specification = {"num_nodes": 2}
        executor.result_serializers = [AllDataStrategies]
        second = executor.submit(double, 2)
        service.gate.set()
        concurrent.futures.wait([first, second], WAIT_S)
    (first_endpoint, plain), (second_endpoint, configured) = service.requests
    assert (first_endpoint, second_endpoint) == (ENDPOINT, other)
    assert "user_endpoint_config" not in plain
    assert configured["user_endpoint_config"] == {"account": "x"}
    assert configured["resource_specification"] == {"num_nodes": 2}
    assert configured["result_serializers"] == [
        "globus_compute_sdk.serialize.concretes.AllDataStrategies"
    ]


def test_one_argument_that_cannot_be_sent_fails_its_future_at_once(service: Service) -> None:
    """The others of the batch are sent; the error names function and argument."""
    _answer_all(service)
    service.gate.clear()
    with _executor(service) as executor:
        good = executor.submit(double, 1)
        bad = executor.submit(double, Stuck())
        error = bad.exception(0)
        assert isinstance(error, SerializationError)
        for part in ("a call of double", "argument 0", "stuck"):
            assert part in str(error)
        service.gate.set()
        assert good.result(WAIT_S) == "done"


def test_a_function_that_cannot_be_sent_fails_its_future_at_once(service: Service) -> None:
    """Nothing is registered, nothing is sent."""
    stuck = Stuck()
    with _executor(service) as executor:
        assert isinstance(executor.submit(lambda: stuck).exception(0), SerializationError)
    assert service.registered == []


def test_a_task_over_the_limit_is_refused_with_its_size(service: Service) -> None:
    """Before it is sent."""
    executor = _executor(service, serializer=ComputeSerializer(strategy_data=JSONData))
    with executor:
        error = executor.submit(double, "x" * 10_000_000).exception(0)
    assert isinstance(error, TaskTooLarge)
    assert error.size > 10_000_000 == error.limit
    assert "double" in str(error)
    assert service.requests == []


def test_a_refused_batch_leaves_the_executor_alive(service: Service) -> None:
    """Its futures fail with the service's words; the next submit works."""
    service.refusal = NotFound(http_status=404, code="ENDPOINT_NOT_FOUND")
    with _executor(service) as executor:
        with pytest.raises(NotFound, match="ENDPOINT_NOT_FOUND"):
            executor.submit(double, 1).result(WAIT_S)
        service.refusal = None
        _answer_all(service)
        assert executor.submit(double, 2).result(WAIT_S) == "done"


def test_results_that_cannot_be_had_fail_what_waits(service: Service) -> None:
    """A refused login at the queues ends the futures; the executor still takes tasks."""
    with _executor(service) as executor:
        started = threading.Event()
        service.on_submit = lambda ids: started.set()
        future = executor.submit(double, 1)
        assert started.wait(WAIT_S)
        _answer_all(service)
        assert executor.submit(double, 2).result(WAIT_S) == "done"  # so the first is pending
        Stream.last.on_unavailable(AuthenticationFailed(http_status=401))
        with pytest.raises(ResultsUnavailable, match="401"):
            future.result(WAIT_S)
        assert executor.submit(double, 3).result(WAIT_S) == "done"


def test_map_gives_results_in_order(service: Service) -> None:
    """As concurrent.futures documents it."""
    _answer_all(service, 7)
    with _executor(service) as executor:
        assert list(executor.map(double, range(5), timeout=WAIT_S)) == [7] * 5
    assert service.sent() == list(range(5))


# Registered functions


def test_registering_sends_the_function_once(service: Service) -> None:
    """A second registration is a mistake; submits use the first."""
    _answer_all(service)
    with _executor(service) as executor:
        assert executor.register_function(double, description="mine") == FUNCTION
        with pytest.raises(ValueError, match=f"knows the function double already, as {FUNCTION}"):
            executor.register_function(double)
        assert executor.submit(double, 1).result(WAIT_S) == "done"
    assert service.registered == [{"function": double, "description": "mine"}]


def test_a_known_id_is_not_registered(service: Service) -> None:
    """Given with the function, or alone."""
    known = str(uuid.uuid4())
    _answer_all(service)
    with _executor(service) as executor:
        assert executor.register_function(double, function_id=uuid.UUID(known)) == known
        executor.submit(double, 1).result(WAIT_S)
        executor.submit_to_registered_function(known.upper(), (2,), {}).result(WAIT_S)
        executor.submit_to_registered_function(uuid.UUID(known), [3]).result(WAIT_S)
        with pytest.raises(ValueError, match="function_id is no UUID"):
            executor.submit_to_registered_function("double")
    assert service.registered == []
    assert {f for _, request in service.requests for f in request["tasks"]} == {known}


# Cancelling


def test_a_task_that_was_not_sent_can_be_cancelled(service: Service) -> None:
    """It is never sent; one that is on its way says no."""
    _answer_all(service)
    service.gate.clear()
    with _executor(service) as executor:
        first = executor.submit(double, 1)
        assert service.arrived.acquire(timeout=WAIT_S)
        second, third = executor.submit(double, 2), executor.submit(double, 3)
        assert second.cancel()
        assert not first.cancel()
        service.gate.set()
        assert third.result(WAIT_S) == "done"
        assert not third.cancel()
    assert service.sent() == [1, 3]
    assert second.cancelled()


def test_waiting_sees_a_cancelled_future(service: Service) -> None:
    """``concurrent.futures.wait`` returns when a cancelled task's turn comes."""
    _answer_all(service)
    service.gate.clear()
    with _executor(service) as executor:
        executor.submit(double, 1)
        assert service.arrived.acquire(timeout=WAIT_S)
        second = executor.submit(double, 2)
        second.cancel()
        service.gate.set()
        assert concurrent.futures.wait([second], WAIT_S).done == {second}


# Shutting down


def test_a_shutdown_waits_for_every_future(service: Service) -> None:
    """And for the threads; results that were handled are acknowledged before the stream stops."""
    _answer_all(service)
    executor = _executor(service)
    futures = [executor.submit(double, n) for n in range(20)]
    executor.shutdown()
    assert all(f.done() for f in futures)
    assert Stream.last.calls[-2:] == ["settle 20", "stop"]
    assert not [t for t in threading.enumerate() if t.name.startswith("gcompute-")]


def test_a_shutdown_may_be_repeated(service: Service) -> None:
    """Waiting or not, with tasks or without."""
    _answer_all(service)
    executor = _executor(service)
    executor.submit(double, 1)
    for wait in (False, True, True, False):
        executor.shutdown(wait=wait)
    unused = _executor(service)
    unused.shutdown()
    unused.shutdown()


def test_a_shutdown_without_waiting_loses_nothing(service: Service) -> None:
    """It returns at once; what was taken in is still sent, and ends."""
    _answer_all(service)
    service.gate.clear()
    executor = _executor(service)
    futures = [executor.submit(double, n) for n in range(5)]
    executor.shutdown(wait=False)
    assert not any(f.done() for f in futures)
    service.gate.set()
    assert [f.result(WAIT_S) for f in futures] == ["done"] * 5
    executor.shutdown()


def test_a_shutdown_that_cancels_sends_nothing_more(service: Service) -> None:
    """What is on its way goes on; what waits is cancelled, and told to those who wait."""
    _answer_all(service)
    service.gate.clear()
    executor = _executor(service)
    first = executor.submit(double, 1)
    assert service.arrived.acquire(timeout=WAIT_S)
    rest = [executor.submit(double, n) for n in range(2, 10)]
    assert rest[0].cancel()
    executor.shutdown(wait=False, cancel_futures=True)
    assert all(f.cancelled() for f in rest)
    assert concurrent.futures.wait(rest, WAIT_S).done == set(rest)
    service.gate.set()
    assert first.result(WAIT_S) == "done"
    executor.shutdown()
    assert service.sent() == [1]


def test_after_a_shutdown_nothing_is_taken(service: Service) -> None:
    """RuntimeError, as the standard library has it, for every way to submit."""
    executor = _executor(service)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(double, 1)
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit_to_registered_function(FUNCTION)
    with pytest.raises(RuntimeError, match="shut down"):
        list(executor.map(double, [1]))
    assert "shut down" in repr(executor)


@pytest.mark.parametrize("waiting", [0, 5])
@pytest.mark.parametrize("wait", [False, True])
def test_a_shutdown_in_a_callback_does_not_deadlock(
    service: Service, waiting: int, wait: bool
) -> None:
    """The callback runs on the thread that ends the other futures: it cannot wait for them."""
    service.gate.clear()
    returned = threading.Event()
    executor = _executor(service)

    def callback(_future: object) -> None:
        executor.shutdown(wait=wait)
        returned.set()

    futures = [executor.submit(double, n) for n in range(1 + waiting)]
    futures[0].add_done_callback(callback)
    _answer_all(service)
    service.gate.set()
    assert returned.wait(WAIT_S)
    assert [f.result(WAIT_S) for f in futures] == ["done"] * (1 + waiting)
    executor.shutdown()


def test_a_shutdown_in_a_callback_of_a_failure_does_not_deadlock(service: Service) -> None:
    """The same on the thread that sends."""
    service.gate.clear()
    service.refusal = NotFound(http_status=404)
    returned = threading.Event()
    executor = _executor(service)

    def callback(_future: object) -> None:
        executor.shutdown()
        returned.set()

    futures = [executor.submit(double, n) for n in range(3)]
    futures[0].add_done_callback(callback)
    service.gate.set()
    assert returned.wait(WAIT_S)
    assert all(isinstance(f.exception(WAIT_S), NotFound) for f in futures)
    executor.shutdown()


def test_a_submit_in_a_callback_is_taken(service: Service) -> None:
    """A chain of tasks, each started by the one before."""
    _answer_all(service)
    with _executor(service) as executor:
        chained: concurrent.futures.Future[ComputeFuture] = concurrent.futures.Future()
        first = executor.submit(double, 1)
        first.add_done_callback(lambda _: chained.set_result(executor.submit(double, 2)))
        assert chained.result(WAIT_S).result(WAIT_S) == "done"


# Letting go


def test_an_executor_that_nobody_holds_still_ends_its_futures(service: Service) -> None:
    """It is collected; its tasks are sent, its futures end, its threads leave."""
    _answer_all(service)
    service.gate.clear()
    executor = _executor(service)
    gone = weakref.ref(executor)
    futures = [executor.submit(double, n) for n in range(3)]
    threads = [t for t in threading.enumerate() if t.name.startswith("gcompute-")]
    del executor
    gc.collect()
    assert gone() is None
    service.gate.set()
    assert [f.result(WAIT_S) for f in futures] == ["done"] * 3
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_a_future_that_nobody_holds_is_forgotten(service: Service) -> None:
    """Once it has ended, nothing of the engine keeps it."""
    _answer_all(service)
    with _executor(service) as executor:
        future = executor.submit(double, 1)
        future.result(WAIT_S)
        gone = weakref.ref(future)
        del future
        executor.submit(double, 2).result(WAIT_S)  # the delivery has turned to another one
        gc.collect()
        assert gone() is None


# Settings


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"endpoint_id": "e"}, ValueError, "endpoint_id is no UUID"),
        ({"endpoint_id": 1}, TypeError, "endpoint_id"),
        ({"task_group_id": "g"}, ValueError, "task_group_id is no UUID"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, not 0"),
        ({"amqp_port": 5673}, ValueError, "amqp_port must be one of"),
        ({"user_endpoint_config": [1]}, TypeError, "user_endpoint_config must be a dict"),
        ({"user_endpoint_config": {"a": {1}}}, TypeError, "JSON can carry"),
        ({"user_endpoint_config": {"a": float("nan")}}, TypeError, "JSON can carry"),
        ({"resource_specification": "x"}, TypeError, "resource_specification must be a dict"),
        ({"result_serializers": "a.B"}, TypeError, "must be a list"),
    ],
)
def test_a_wrong_setting_is_named(
    service: Service, options: dict[str, Any], error: type[Exception], named: str
) -> None:
    """When the executor is made."""
    with pytest.raises(error, match=named):
        _executor(service, **options)


def test_without_an_endpoint_nothing_is_taken(service: Service) -> None:
    """The error says how to set one; once it is set, all is well."""
    _answer_all(service)
    with _executor(service, endpoint_id=None) as executor:
        with pytest.raises(ValueError, match="no endpoint is set"):
            executor.submit(double, 1)
        executor.endpoint_id = uuid.UUID(ENDPOINT)
        assert executor.submit(double, 1).result(WAIT_S) == "done"


def test_what_cannot_be_called_is_a_type_error(service: Service) -> None:
    """At once, at the submit."""
    with _executor(service) as executor, pytest.raises(TypeError, match="a function is needed"):
        executor.submit("double")  # type: ignore[arg-type]


def test_a_configuration_is_copied(service: Service) -> None:
    """A later change of the user's dict does not reach tasks that were submitted before."""
    config = {"account": "x"}
    executor = _executor(service, user_endpoint_config=config)
    config["account"] = "y"
    assert executor.user_endpoint_config == {"account": "x"}


def test_a_given_task_group_is_used(service: Service) -> None:
    """In the request, and for the queue."""
    _answer_all(service)
    group = uuid.uuid4()
    with _executor(service, task_group_id=str(group)) as executor:
        assert executor.task_group_id == group
        executor.submit(double, 1).result(WAIT_S)
        assert executor.task_group_id == group
    assert service.requests[0][1]["task_group_id"] == str(group)
    assert f"watch {group}" in Stream.last.calls


def test_the_first_submit_makes_the_group_of_all(service: Service) -> None:
    """Later requests name the group that the service made; None asks for a new one."""
    _answer_all(service)
    with _executor(service) as executor:
        for n in range(2):
            executor.submit(double, n).result(WAIT_S)
        executor.task_group_id = None
        executor.submit(double, 2).result(WAIT_S)
    groups = [request.get("task_group_id") for _, request in service.requests]
    assert groups == [None, GROUP, None]


def test_a_strategy_of_the_executors_own_is_used(service: Service) -> None:
    """For arguments, in place of the client's."""
    _answer_all(service)
    own = ComputeSerializer(strategy_data=JSONData)
    strategy: SerializationStrategy = own.data_serializer
    with _executor(service, serializer=own) as executor:
        assert executor.serializer is own
        executor.submit(double, 1).result(WAIT_S)
    ((_, request),) = service.requests
    ((text,),) = request["tasks"].values()
    assert unpack_buffers(text)[0] == strategy.serialize([1])


def test_threads_are_named_after_the_executor(service: Service) -> None:
    """A stack dump says whose they are."""
    _answer_all(service)
    with _executor(service, label="mine") as executor:
        executor.submit(double, 1).result(WAIT_S)
        names = {t.name for t in threading.enumerate() if t.name.startswith("gcompute-")}
        assert "mine" in repr(executor)
    assert names == {"gcompute-sender-mine", "gcompute-delivery-mine"}
