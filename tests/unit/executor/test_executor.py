"""The Executor as users see it: submitting, registering, and its settings."""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import pickle
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

import gcompute
from gcompute import Client, ComputeFuture, Executor
from gcompute.core import WINDOW_FACTOR
from gcompute.errors import NotFound, PermissionDenied, SerializationError, TaskTooLarge
from gcompute.serialize import (
    AllDataStrategies,
    ComputeSerializer,
    JSONData,
    SerializationStrategy,
    unpack_buffers,
)
from tests.unit.executor.stand_ins import (
    ENDPOINT,
    FUNCTION,
    GROUP,
    WAIT_S,
    Service,
    Stream,
    answer_all,
    double,
    executor_of,
)

OTHER_GROUP = "30000000-0000-4000-8000-00000000000f"


class Stuck:
    """Cannot be serialized."""

    def __reduce__(self) -> str:
        raise TypeError("stuck")


# Submitting


def test_a_call_becomes_a_task_and_its_result_a_future(service: Service) -> None:
    """The way of one call, with its task id and task group."""
    with executor_of(service) as executor:
        started = threading.Event()
        service.on_submit = lambda ids: started.set()
        future = executor.submit(double, 21)
        assert started.wait(WAIT_S)
        answer_all(service, 42)
        second = executor.submit(double, 21)
        assert second.result(WAIT_S) == 42
        assert future.task_id is not None
        Stream.last.result(future.task_id, "late")
        assert future.result(WAIT_S) == "late"
        assert executor.task_group_id == uuid.UUID(GROUP)
    assert Stream.last.calls[:2] == ["prepare", f"watch {GROUP}"]


def test_making_and_leaving_one_starts_nothing(service: Service) -> None:
    """No thread, no request, no connection without a task."""
    before, made = set(threading.enumerate()), Stream.made
    with executor_of(service):
        assert set(threading.enumerate()) <= before
    assert Stream.made == made
    assert service.requests == []


def test_settings_hold_for_the_tasks_after_them(service: Service) -> None:
    """Each task goes where the settings said when it was submitted."""
    other = str(uuid.uuid4())
    answer_all(service)
    service.gate.clear()
    with executor_of(service) as executor:
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
    answer_all(service)
    service.gate.clear()
    with executor_of(service) as executor:
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
    with executor_of(service) as executor:
        assert isinstance(executor.submit(lambda: stuck).exception(0), SerializationError)
    assert service.registered == []


def test_a_task_over_the_limit_is_refused_with_its_size(service: Service) -> None:
    """Before it is sent."""
    executor = executor_of(service, serializer=ComputeSerializer(strategy_data=JSONData))
    with executor:
        error = executor.submit(double, "x" * 10_000_000).exception(0)
    assert isinstance(error, TaskTooLarge)
    assert error.size > 10_000_000 == error.limit
    assert "double" in str(error)
    assert service.requests == []


def test_map_gives_results_in_order(service: Service) -> None:
    """As concurrent.futures documents it."""
    answer_all(service, 7)
    with executor_of(service) as executor:
        assert list(executor.map(double, range(5), timeout=WAIT_S)) == [7] * 5
    assert service.sent() == list(range(5))


# Registered functions


def test_registering_sends_the_function_once(service: Service) -> None:
    """A second registration is a mistake; submits use the first."""
    answer_all(service)
    with executor_of(service) as executor:
        assert executor.register_function(double, description="mine") == FUNCTION
        with pytest.raises(ValueError, match=f"knows the function double already, as {FUNCTION}"):
            executor.register_function(double)
        assert executor.submit(double, 1).result(WAIT_S) == "done"
    assert service.registered == [{"function": double, "description": "mine"}]


def test_a_known_id_is_not_registered(service: Service) -> None:
    """Given with the function, or alone."""
    known = str(uuid.uuid4())
    answer_all(service)
    with executor_of(service) as executor:
        assert executor.register_function(double, function_id=uuid.UUID(known)) == known
        executor.submit(double, 1).result(WAIT_S)
        executor.submit_to_registered_function(known.upper(), (2,), {}).result(WAIT_S)
        executor.submit_to_registered_function(uuid.UUID(known), [3]).result(WAIT_S)
        with pytest.raises(ValueError, match="function_id is no UUID"):
            executor.submit_to_registered_function("double")
    assert service.registered == []
    assert {f for _, request in service.requests for f in request["tasks"]} == {known}


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
        executor_of(service, **options)


def test_without_an_endpoint_nothing_is_taken(service: Service) -> None:
    """The error says how to set one; once it is set, all is well."""
    answer_all(service)
    with executor_of(service, endpoint_id=None) as executor:
        with pytest.raises(ValueError, match="no endpoint is set"):
            executor.submit(double, 1)
        executor.endpoint_id = uuid.UUID(ENDPOINT)
        assert executor.submit(double, 1).result(WAIT_S) == "done"


def test_what_cannot_be_called_is_a_type_error(service: Service) -> None:
    """At once, at the submit."""
    with executor_of(service) as executor, pytest.raises(TypeError, match="a function is needed"):
        executor.submit("double")  # type: ignore[arg-type]


def test_a_configuration_is_copied(service: Service) -> None:
    """A later change of the user's dict does not reach tasks that were submitted before."""
    config = {"account": "x"}
    executor = executor_of(service, user_endpoint_config=config)
    config["account"] = "y"
    assert executor.user_endpoint_config == {"account": "x"}


def test_a_given_task_group_is_used(service: Service) -> None:
    """In the request, and for the queue."""
    answer_all(service)
    group = uuid.uuid4()
    with executor_of(service, task_group_id=str(group)) as executor:
        assert executor.task_group_id == group
        executor.submit(double, 1).result(WAIT_S)
        assert executor.task_group_id == group
    assert service.requests[0][1]["task_group_id"] == str(group)
    assert f"watch {group}" in Stream.last.calls


def test_the_first_submit_makes_the_group_of_all(service: Service) -> None:
    """Later requests name the group that the service made; None asks for a new one."""
    answer_all(service)
    with executor_of(service) as executor:
        for n in range(2):
            executor.submit(double, n).result(WAIT_S)
        executor.task_group_id = None
        executor.submit(double, 2).result(WAIT_S)
    groups = [request.get("task_group_id") for _, request in service.requests]
    assert groups == [None, GROUP, None]


def test_a_strategy_of_the_executors_own_is_used(service: Service) -> None:
    """For arguments, in place of the client's."""
    answer_all(service)
    own = ComputeSerializer(strategy_data=JSONData)
    strategy: SerializationStrategy = own.data_serializer
    with executor_of(service, serializer=own) as executor:
        assert executor.serializer is own
        executor.submit(double, 1).result(WAIT_S)
    ((_, request),) = service.requests
    ((text,),) = request["tasks"].values()
    assert unpack_buffers(text)[0] == strategy.serialize([1])


def test_threads_are_named_after_theexecutor_of(service: Service) -> None:
    """A stack dump says whose they are."""
    answer_all(service)
    others = set(threading.enumerate())
    with executor_of(service, label="mine") as executor:
        executor.submit(double, 1).result(WAIT_S)
        names = {t.name for t in set(threading.enumerate()) - others}
        assert "mine" in repr(executor)
    assert names == {
        "gcompute-sender-mine",
        "gcompute-delivery-mine",
        "gcompute-fetching-mine",
    }


# Task groups


def test_executors_of_one_client_share_connection_and_task_group(service: Service) -> None:
    """One stream, one queue; who sets another group watches that on the same connection."""
    answer_all(service)
    made = Stream.made
    with executor_of(service) as first, executor_of(service) as second:
        first.submit(double, 1).result(WAIT_S)
        second.submit(double, 2).result(WAIT_S)
        assert first.task_group_id == second.task_group_id == uuid.UUID(GROUP)
        second.task_group_id = OTHER_GROUP
        assert second.submit(double, 3).result(WAIT_S) == "done"
        assert first.task_group_id == uuid.UUID(GROUP)
        assert executor_of(service).task_group_id == uuid.UUID(OTHER_GROUP)
    assert Stream.made == made + 1
    assert [r.get("task_group_id") for _, r in service.requests] == [None, GROUP, OTHER_GROUP]
    assert Stream.last.calls.count("prepare") == 1


def test_who_gets_results_in_another_way_has_other_threads(service: Service) -> None:
    """``transport`` and ``amqp_port`` say how; the task group is still one."""
    answer_all(service)
    made = Stream.made
    with executor_of(service) as first, executor_of(service, amqp_port=443) as second:
        first.submit(double, 1).result(WAIT_S)
        second.submit(double, 2).result(WAIT_S)
        assert (Stream.made, Stream.last.port) == (made + 2, 443)
        assert first.task_group_id == second.task_group_id


def test_the_last_executor_of_a_client_ends_the_connection(service: Service) -> None:
    """And another one starts a new one."""
    answer_all(service)
    first, second = executor_of(service), executor_of(service)
    for executor in (first, second):
        executor.submit(double, 1).result(WAIT_S)
    stream = Stream.last
    first.shutdown()
    assert not stream.stopped.is_set()
    assert second.submit(double, 2).result(WAIT_S) == "done"
    second.shutdown()
    assert stream.stopped.is_set()
    with executor_of(service) as third:
        assert third.submit(double, 3).result(WAIT_S) == "done"
        assert Stream.last is not stream


def test_reading_the_task_group_tells_it(service: Service) -> None:
    """Another process may submit to it now: what it makes is never taken for ours."""
    answer_all(service)
    with executor_of(service) as executor:
        executor.submit(double, 1).result(WAIT_S)
        assert service._executors_share.groups("auto")[GROUP].ours_alone
        assert str(executor.task_group_id) == GROUP
        assert not service._executors_share.groups("auto")[GROUP].ours_alone


def _status(value: object) -> dict[str, Any]:
    return {"status": "success", "result": ComputeSerializer().serialize(value)}


def test_tasks_of_a_group_are_found_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the service's order: those that have finished have ended, the others wait."""
    ids = [f"40000000-0000-4000-8000-00000000000{n}" for n in range(3)]
    service.listed = ids
    finished = {ids[1]: _status("found")}
    monkeypatch.setattr(service, "_batch_status", lambda _: dict(finished))
    with executor_of(service) as executor:
        futures = executor.reload_tasks(OTHER_GROUP)
        assert executor.task_group_id == uuid.UUID(OTHER_GROUP)
        assert [f.task_id for f in futures] == ids
        assert [f.done() for f in futures] == [False, True, False]
        assert futures[1].result(0) == "found"
        assert not futures[0].cancel()
        Stream.last.result(ids[2], "later", OTHER_GROUP)
        assert futures[2].result(WAIT_S) == "later"
        finished.update((task_id, _status("asked")) for task_id in ids)
        again = executor.reload_tasks()
        assert again[0] is futures[0]
        assert [f.result(0) for f in again] == ["asked"] * 3


def test_without_a_task_group_there_is_nothing_to_find(service: Service) -> None:
    """The error says how to name one; an empty group has no futures, and starts nothing."""
    before = set(threading.enumerate())
    with executor_of(service) as executor:
        with pytest.raises(ValueError, match=r"reload_tasks\(task_group_id\) says which"):
            executor.reload_tasks()
        assert executor.reload_tasks(GROUP) == []
        assert set(threading.enumerate()) <= before


def test_a_group_that_the_service_does_not_know_is_its_error(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As is an answer about another group."""
    unknown = NotFound(http_status=404, code="TASK_GROUP_NOT_FOUND")

    def get_task_group(task_group_id: str) -> dict[str, Any]:
        raise unknown

    with executor_of(service) as executor:
        monkeypatch.setattr(service, "get_task_group", get_task_group)
        with pytest.raises(NotFound, match="TASK_GROUP_NOT_FOUND"):
            executor.reload_tasks(OTHER_GROUP)
        monkeypatch.setattr(service, "get_task_group", lambda _: {"taskgroup_id": GROUP})
        with pytest.raises(ValueError, match=f"asked for task group {OTHER_GROUP} and answered"):
            executor.reload_tasks(OTHER_GROUP)
    with pytest.raises(RuntimeError, match="shut down"):
        executor.reload_tasks(GROUP)


# Source code, budget, copies


def test_source_code_is_registered_once(service: Service) -> None:
    """A second time is a mistake, and names the first; nothing goes after a shutdown."""
    with executor_of(service) as executor:
        source = "def f():\n    return 1\n"
        assert executor.register_source_code(source, "f", description="mine") == FUNCTION
        assert service.registered == [{"source": source, "name": "f", "description": "mine"}]
        with pytest.raises(ValueError, match=f"registered this source already, as {FUNCTION}"):
            executor.register_source_code(source, "f")
        executor.register_source_code(source + "\n", "f")
    assert len(service.registered) == 2
    with pytest.raises(RuntimeError, match="shut down"):
        executor.register_source_code("def g(): pass", "g")


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({}, (20, 10.0)),
        ({"api_burst_limit": 4}, (4, 10.0)),
        ({"api_burst_window_s": 16}, (20, 16)),
        ({"api_burst_limit": 4, "api_burst_window_s": 16}, (4, 16)),
    ],
)
def test_a_burst_limit_is_the_clients_budget(
    options: dict[str, Any], limit: tuple[int, float]
) -> None:
    """For all that uses the client."""
    with Client() as client:
        Executor(client=client, **options)
        budget = client._budget
        assert budget is not None
        assert (budget.limit, budget._window_s) == (limit[0], limit[1] * WINDOW_FACTOR)
        assert client._api.budget is budget


def test_a_burst_limit_of_nothing_is_an_error() -> None:
    """Named when the executor is made; a client without a limit gets one."""
    with Client(request_limit=None) as client:
        with pytest.raises(ValueError, match="at least one request"):
            Executor(client=client, api_burst_limit=0)
        Executor(client=client, api_burst_limit=3)
        assert client._budget is not None
        assert client._budget.limit == 3


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_an_executor_cannot_be_copied(
    service: Service, copying: Callable[[object], object]
) -> None:
    """The error says what to do instead."""
    with executor_of(service) as executor, pytest.raises(TypeError, match="reload_tasks"):
        copying(executor)


def test_setting_an_amqp_port_late_warns(service: Service) -> None:
    """Results come already; the same port again is no matter."""
    answer_all(service)
    with executor_of(service, amqp_port=5671) as executor:
        executor.amqp_port = 443
        executor.submit(double, 1).result(WAIT_S)
        executor.amqp_port = 443
        with pytest.warns(UserWarning, match="a new amqp_port changes nothing") as caught:
            executor.amqp_port = 5671
    assert caught[0].filename == __file__


def test_a_callback_that_waits_for_another_task_is_told(service: Service) -> None:
    """It would wait for its own thread, and with it every result; the executor goes on."""
    answer_all(service)
    told: list[BaseException] = []

    def callback(_future: object) -> None:
        try:
            executor.submit(double, 2).result(WAIT_S)
        except BaseException as error:
            told.append(error)

    with executor_of(service) as executor:
        first = executor.submit(double, 1)
        first.add_done_callback(callback)
        assert first.result(WAIT_S) == "done"
        assert executor.submit(double, 4).result(WAIT_S) == "done"
    (error,) = told
    assert isinstance(error, RuntimeError)
    assert "a callback cannot wait" in str(error)


@pytest.mark.parametrize(
    "wait",
    [
        lambda future: gcompute.wait([future]),
        lambda future: gcompute.wait([future], return_when="FIRST_COMPLETED"),
        lambda future: list(gcompute.as_completed([future])),
        lambda future: asyncio.run(gather(future)),
    ],
    ids=["wait", "wait for the first", "as_completed", "await"],
)
def test_no_way_to_wait_in_a_callback_hangs(
    service: Service, wait: Callable[[ComputeFuture], object]
) -> None:
    """Each says so; what waits for nothing is fine, and the executor goes on."""
    told: list[BaseException | None] = []
    done = threading.Event()

    def callback(_future: object) -> None:
        later = executor.submit(double, 2)
        gcompute.wait([later], timeout=0)
        gcompute.wait([later, first], return_when="FIRST_COMPLETED")
        try:
            wait(later)
        except BaseException as error:
            told.append(error)
        done.set()

    answer_all(service)
    with executor_of(service) as executor:
        service.gate.clear()
        first = executor.submit(double, 1)
        first.add_done_callback(callback)
        service.gate.set()
        assert done.wait(WAIT_S)
    (error,) = told
    assert isinstance(error, RuntimeError)
    assert "a callback cannot wait" in str(error)


async def gather(*futures: ComputeFuture) -> list[Any]:
    return await asyncio.gather(*futures)


@pytest.mark.parametrize(
    ("args", "kwargs", "match"),
    [
        ("abc", None, "args must be a tuple or a list, not str"),
        (5, None, "args must be a tuple or a list, not int"),
        ((), [("x", 1)], "kwargs must be a dict, not list"),
        ((), {1: 2}, "kwargs must have text for keys, not 1"),
    ],
)
def test_arguments_of_a_registered_function_are_checked(
    service: Service, args: Any, kwargs: Any, match: str
) -> None:
    """A text is not three arguments of one letter; nothing is sent."""
    with executor_of(service) as executor, pytest.raises(TypeError, match=match):
        executor.submit_to_registered_function(FUNCTION, args, kwargs)
    assert not service.requests


def test_a_reload_that_is_interrupted_is_waited_for_by_nobody(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has its futures: a shutdown returns, though their tasks go on."""
    service.listed = ["40000000-0000-4000-8000-000000000000"]

    def interrupted(_task_ids: list[str]) -> dict[str, Any]:
        raise KeyboardInterrupt

    executor = executor_of(service)
    with monkeypatch.context() as patched:
        patched.setattr(service, "_batch_status", interrupted)
        with pytest.raises(KeyboardInterrupt):
            executor.reload_tasks(OTHER_GROUP)
    ended = threading.Thread(target=executor.shutdown, daemon=True)
    ended.start()
    ended.join(WAIT_S)
    assert not ended.is_alive()


def test_a_callback_of_a_batch_that_failed_cannot_wait_for_the_next(service: Service) -> None:
    """It runs in the thread that would send it."""
    service.refusal = PermissionDenied(http_status=403, message="no")
    told: list[BaseException | None] = []
    done = threading.Event()

    def callback(_future: object) -> None:
        try:
            executor.submit(double, 2).result(WAIT_S)
        except BaseException as error:
            told.append(error)
        done.set()

    with executor_of(service) as executor:
        service.gate.clear()
        future = executor.submit(double, 1)
        future.add_done_callback(callback)
        service.gate.set()
        assert done.wait(WAIT_S)
    assert isinstance(told[0], RuntimeError)
