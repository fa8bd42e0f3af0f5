"""The future of a task."""

from __future__ import annotations

import concurrent.futures
import logging

import pytest

from gcompute import ComputeFuture
from gcompute.executor.future import settle


def test_it_is_a_future_that_knows_its_task() -> None:
    """Of the standard library's kind; the id comes when the service gives it."""
    future = ComputeFuture()
    assert isinstance(future, concurrent.futures.Future)
    assert future.task_id is None
    assert "not sent yet" in repr(future)
    future.task_id = "t-1"
    assert "t-1" in repr(future)
    assert ComputeFuture("t-2").task_id == "t-2"


def test_settling_ends_with_a_result_or_an_error() -> None:
    """None is a result as well."""
    for value in (1, None):
        future = ComputeFuture()
        settle(future, value)
        assert future.result(0) == value
    failed = ComputeFuture()
    settle(failed, error=ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        failed.result(0)


def test_settling_twice_changes_nothing() -> None:
    """A result that comes twice, or after a cancellation, disturbs nobody."""
    future = ComputeFuture()
    settle(future, 1)
    settle(future, 2)
    settle(future, error=ValueError())
    assert future.result(0) == 1
    cancelled = ComputeFuture()
    assert cancelled.cancel()
    settle(cancelled, 1)
    assert cancelled.cancelled()


@pytest.mark.parametrize("raised", [ValueError("callback"), SystemExit(3), KeyboardInterrupt()])
def test_a_callback_that_raises_is_logged_and_no_more(
    raised: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """Even one that tries to end the thread that delivers."""

    def callback(_future: object) -> None:
        raise raised

    future = ComputeFuture()
    future.add_done_callback(callback)
    with caplog.at_level(logging.ERROR):
        settle(future, 1)
    assert future.result(0) == 1
    assert caplog.records
