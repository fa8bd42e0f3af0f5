"""Errors that keep no values: those of futures that failed free what they came from."""

from __future__ import annotations

import gc
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gcompute import ComputeFuture, Executor
from gcompute.errors import ServiceUnreachable
from gcompute.executor.traces import without_values
from gcompute.messages import ResultMessage, encode
from tests.unit.executor.stand_ins import (
    GROUP,
    WAIT_S,
    Service,
    Stream,
    delivery,
    double,
    executor_of,
)


class Value:
    """Can be referred to weakly, and cannot be serialized."""

    def __reduce__(self) -> str:
        raise TypeError("stuck")


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Have nothing freed but by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _fail(value: Value) -> None:
    raise KeyError("no such thing")


def _fail_by_others(value: Value) -> None:
    try:
        _fail(value)
    except KeyError as error:
        raise ValueError("wrong") from error


@pytest.mark.usefixtures("_no_collector")
def test_frames_go_and_their_lines_stay() -> None:
    """Of the error and of its causes."""
    value = Value()
    alive = weakref.ref(value)
    kept: BaseException | None = None
    try:
        _fail_by_others(value)
    except ValueError as error:
        without_values(error)
        kept = error
    del value
    assert alive() is None
    assert kept is not None
    text = "".join(traceback.format_exception(kept))
    assert "in _fail_by_others" in text
    assert "in _fail\n" in text
    assert text.count('raise KeyError("no such thing")') == 1


@pytest.mark.usefixtures("_no_collector")
def test_a_cause_of_an_error_that_was_not_raised_goes_too() -> None:
    """And errors that are each other's context have an end."""
    first, second = ValueError(), ValueError()
    first.__context__, second.__context__ = second, first
    try:
        raise second
    except ValueError:
        without_values(first)
    assert second.__traceback__ is None


def _unloadable(service: Service, executor: Executor) -> ComputeFuture:
    def answer(task_ids: list[str]) -> None:
        body = encode(ResultMessage(task_ids[0], "00\nnothing of pickle's"))
        Stream.last.listener.delivered(delivery(1, body, group=GROUP))

    service.on_submit = answer
    return executor.submit(double, 1)


def _unreachable(service: Service, executor: Executor) -> ComputeFuture:
    def refuse(*_request: Any) -> dict[str, Any]:
        try:
            raise OSError("no route")
        except OSError as error:
            raise ServiceUnreachable("no answer", sent=False) from error

    setattr(service, "_submit", refuse)  # noqa: B010 - a method is replaced
    return executor.submit(double, 1)


def _unserializable(_service: Service, executor: Executor) -> ComputeFuture:
    return executor.submit(double, Value())


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("fail", [_unloadable, _unreachable, _unserializable])
def test_a_future_that_failed_is_freed_beside_its_error(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[[Service, Executor], ComputeFuture],
) -> None:
    """With what it would have given, although the user keeps the error; no collector is needed."""
    monkeypatch.setattr("gcompute.executor.sender.Patience.after", lambda *_: None)
    executor = executor_of(service)
    future = fail(service, executor)
    error = future.exception(WAIT_S)
    executor.shutdown()
    alive = weakref.ref(future)
    del future
    assert alive() is None
    assert error is not None
    assert '  File "' in "".join(traceback.format_exception(error))
