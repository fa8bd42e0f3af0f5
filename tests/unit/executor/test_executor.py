"""The Executor as users see it: submitting, registering, and its settings."""

from __future__ import annotations

import concurrent.futures
import threading
import uuid
from typing import Any

import pytest

from gcompute.errors import SerializationError, TaskTooLarge
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
        assert set(threading.enumerate()) == before
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
    with executor_of(service, label="mine") as executor:
        executor.submit(double, 1).result(WAIT_S)
        names = {t.name for t in threading.enumerate() if t.name.startswith("gcompute-")}
        assert "mine" in repr(executor)
    assert names == {
        "gcompute-sender-mine",
        "gcompute-delivery-mine",
        "gcompute-fetching-mine",
    }
