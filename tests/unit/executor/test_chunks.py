"""Several calls as one task: what is sent, and what comes back."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import pytest

from gcompute import ComputeFuture, TaskExecutionFailed
from gcompute.errors import ComputeError, SerializationError
from gcompute.executor.chunks import ChunkFunction, chunk_results
from gcompute.registration import function_registration
from gcompute.serialize import (
    AllCodeStrategies,
    ComputeSerializer,
    DillCode,
    PortableCode,
    PureSourceDill,
    PureSourceTextInspect,
    SerializationStrategy,
)

ENDPOINT = "20000000-0000-4000-8000-000000000002"


def calls(x: int, y: int = 1) -> int:
    """Add; has the name of a parameter of what it is put into."""
    return x + y


def needs_this_module(x: int) -> int:
    """Use another function of this module."""
    return calls(x)


@pytest.mark.parametrize(
    ("strategy", "function"),
    [
        *itertools.product((DillCode, AllCodeStrategies, PortableCode), (calls, needs_this_module)),
        # A source alone does not have the module's other names.
        (PureSourceTextInspect, calls),
        (PureSourceDill, calls),
    ],
)
def test_it_is_loaded_as_what_it_is(strategy: type[SerializationStrategy], function: Any) -> None:
    """A function with a name, that makes the calls; see also the interoperability tests."""
    serializer = ComputeSerializer(strategy_code=strategy())
    loaded = serializer.deserialize(serializer.serialize(ChunkFunction(function)))
    assert loaded([(1,), (2,)]) == [[2, 3], None]
    assert loaded.__name__ == f"{function.__name__}_in_chunks"
    assert not isinstance(loaded, ChunkFunction)


def test_it_is_registered_under_a_name_of_its_own() -> None:
    """With the description of the function; the text is always the same."""
    bodies = [function_registration(ChunkFunction(calls), ComputeSerializer()) for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert bodies[0]["function_name"] == "calls_in_chunks"
    assert bodies[0]["description"].startswith("Add;")


def test_callables_without_a_name_are_named_by_what_they_call() -> None:
    """As without chunks."""
    assert ChunkFunction(functools.partial(calls, y=2)).__name__ == "calls_in_chunks"
    assert ChunkFunction(functools.partial(calls, y=2))([(1,)]) == [[3], None]
    with pytest.raises(TypeError, match="a function is needed, not 'calls'"):
        ChunkFunction("calls")  # type: ignore[arg-type]


def test_what_has_no_source_is_refused_with_the_reason() -> None:
    """That of the inner function."""
    with pytest.raises(SerializationError, match="<lambda>"):
        ComputeSerializer(strategy_code=PureSourceDill()).serialize(ChunkFunction(lambda x: x))


def test_a_failure_comes_in_its_place() -> None:
    """After the results before it, with the task and the position in it."""
    results, error = chunk_results(ComputeFuture("t-1"), [[1, 2], "Traceback\nBoom"], ENDPOINT)
    assert results == [1, 2]
    assert isinstance(error, TaskExecutionFailed)
    assert (error.task_id, error.endpoint_id) == ("t-1", ENDPOINT)
    assert error.error_code == "RemoteExecutionError"
    assert error.remote_traceback == "Traceback\nBoom"
    assert "call 2 of the task" in error.__notes__[0]


@pytest.mark.parametrize("value", [None, 7, [1, None], [[1]], "ab"])
def test_another_value_is_not_taken_for_results(value: object) -> None:
    """As from a worker that did something else; the error names the task."""
    with pytest.raises(ComputeError, match="task t-1 was to run several calls"):
        chunk_results(ComputeFuture("t-1"), value, ENDPOINT)
