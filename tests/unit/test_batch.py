"""Many invocations in one submit request."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute import Batch
from gcompute.errors import SerdeError, SerializationError
from gcompute.runtime import create_user_runtime
from gcompute.serialize import AllDataStrategies, ComputeSerializer, JSONData, unpack_buffers
from tests.support.names import stable

F = "10000000-0000-4000-8000-000000000001"
G = "10000000-0000-4000-8000-000000000002"
GROUP = "30000000-0000-4000-8000-000000000003"
JSON = ComputeSerializer(strategy_data=JSONData)


class Stuck:
    """Cannot be serialized."""

    def __reduce__(self) -> str:
        raise TypeError("stuck")


def _calls(batch: Batch) -> dict[str, list[Any]]:
    """What a batch would submit, loaded again."""
    return {
        function: [
            tuple(JSON.deserialize(buffer) for buffer in unpack_buffers(text)) for text in texts
        ]
        for function, texts in batch.prepare()["tasks"].items()
    }


def test_a_new_batch_is_empty_and_false() -> None:
    """``if batch`` asks for tasks."""
    batch = Batch(None)
    assert len(batch) == 0
    assert not batch
    assert batch.prepare() == {"create_queue": False, "tasks": {}}


@given(st.lists(st.tuples(st.sampled_from([F, G]), st.integers()), max_size=30))
def test_invocations_keep_their_order(calls: list[tuple[str, int]]) -> None:
    """Each function's payloads come in the order of their addition, and all are counted."""
    batch = Batch(None, serializer=JSON)
    for function, argument in calls:
        batch.add(function, (argument,))
    assert len(batch) == len(calls)
    assert bool(batch) is bool(calls)
    assert _calls(batch) == {
        function: [([argument], {}) for f, argument in calls if f == function]
        for function in dict.fromkeys(f for f, _ in calls)
    }


def test_ids_of_any_spelling_are_one_function() -> None:
    """UUID object, text, upper case."""
    batch = Batch(None, serializer=JSON)
    for function in (F, uuid.UUID(F), F.upper()):
        batch.add(function)
    assert list(batch.prepare()["tasks"]) == [F]
    assert len(batch) == 3


@pytest.mark.parametrize(
    ("args", "kwargs", "sent"),
    [
        (None, None, ([], {})),
        ((), {}, ([], {})),
        ([1], None, ([1], {})),
        ((1, 2), {"y": 3}, ([1, 2], {"y": 3})),
    ],
)
def test_arguments_may_be_left_out(args: Any, kwargs: Any, sent: tuple[Any, Any]) -> None:
    """No args and no kwargs are empty ones."""
    batch = Batch(None, serializer=JSON)
    batch.add(F, args, kwargs)
    assert _calls(batch) == {F: [sent]}


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "error", "named"),
    [
        ("f", (), {}, ValueError, "function_id"),
        (None, (), {}, TypeError, "function_id"),
        (F, "text", {}, TypeError, "args must be a tuple or a list, not str"),
        (F, 1, {}, TypeError, "args"),
        (F, {"x": 1}, {}, TypeError, "args"),
        (F, (), [("x", 1)], TypeError, "kwargs must be a dict, not list"),
        (F, (), (), TypeError, "kwargs"),
        (F, (), {1: 2}, TypeError, "kwargs must have text for keys, not 1"),
        (F, (Stuck(),), {}, SerializationError, "argument 0"),
        (F, (), {"x": Stuck()}, SerializationError, "argument 'x'"),
    ],
)
def test_a_mistake_is_named_and_leaves_the_batch_as_it_was(
    function: Any, args: Any, kwargs: Any, error: type[Exception], named: str
) -> None:
    """What was added before stays, and nothing of the failed one does."""
    batch = Batch(None)
    batch.add(G, (1,))
    before = batch.prepare()
    with pytest.raises(error, match=named):
        batch.add(function, args, kwargs)
    assert batch.prepare() == before
    assert len(batch) == 1


def test_later_changes_of_an_argument_do_not_travel() -> None:
    """Arguments are serialized when they are added."""
    batch = Batch(None, serializer=JSON)
    argument = [1]
    batch.add(F, (argument,))
    argument.append(2)
    assert _calls(batch) == {F: [([[1]], {})]}


def test_the_body_is_the_documented_one() -> None:
    """All fields, ready for JSON; strategies by their official paths."""
    runtime = create_user_runtime()
    batch = Batch(
        uuid.UUID(GROUP),
        {"num_nodes": 2},
        {"account": "x"},
        True,
        user_runtime=runtime,
        result_serializers=[AllDataStrategies, "site.Strategy"],
    )
    batch.add(F)
    body = json.loads(json.dumps(batch.prepare()))
    assert body.pop("tasks").keys() == {F}
    assert body == {
        "create_queue": True,
        "task_group_id": GROUP,
        "resource_specification": {"num_nodes": 2},
        "user_endpoint_config": {"account": "x"},
        "user_runtime": json.loads(json.dumps(asdict(runtime))),
        "result_serializers": [
            "globus_compute_sdk.serialize.concretes.AllDataStrategies",
            "site.Strategy",
        ],
    }


def test_a_body_is_no_window_into_the_batch() -> None:
    """Changing what prepare gave changes nothing that is sent later."""
    batch = Batch(None)
    batch.add(F)
    batch.prepare()["tasks"][F].clear()
    assert len(batch.prepare()["tasks"][F]) == 1


def test_the_task_group_is_a_uuid() -> None:
    """Settable by text or UUID, checked each time."""
    batch = Batch(GROUP)
    assert batch.task_group_id == uuid.UUID(GROUP)
    assert GROUP in repr(batch)
    batch.task_group_id = None
    assert batch.task_group_id is None
    with pytest.raises(ValueError, match="task_group_id is no UUID"):
        batch.task_group_id = "group"
    with pytest.raises(ValueError, match="task_group_id is no UUID"):
        Batch("group")


def test_a_result_serializer_that_is_none_is_refused() -> None:
    """When the batch is made, not at the endpoint."""
    with pytest.raises(SerdeError):
        Batch(None, result_serializers=["gcompute.serialize.NoSuch"])
    with pytest.raises(TypeError, match="must be a list of strategies"):
        Batch(None, result_serializers="globus_compute_sdk.serialize.JSONData")


@pytest.mark.parametrize("name", ["resource_specification", "user_endpoint_config"])
@pytest.mark.parametrize(
    "value", [[1], "x", 7, {"a": {1}}, {"a": float("nan")}, {"a": uuid.UUID(F)}], ids=stable
)
def test_a_value_that_json_cannot_carry_is_refused(name: str, value: Any) -> None:
    """When it is given, by the name of the argument, and not when the batch is sent."""
    with pytest.raises(TypeError, match=f"{name} must be a dict"):
        Batch(None, **{name: value})
    batch = Batch(None)
    with pytest.raises(TypeError, match=f"{name} must be a dict"):
        setattr(batch, name, value)


def test_the_older_form_warns_where_it_is_used() -> None:
    """The warning shows the present form, and points at the user's line."""
    batch = Batch(None)
    with pytest.warns(
        DeprecationWarning, match=r"batch\.add\(function_id, args=\(x,\)\)"
    ) as caught:
        batch.add(1, endpoint_id=G, function_id=F)
    assert caught[0].filename == __file__
