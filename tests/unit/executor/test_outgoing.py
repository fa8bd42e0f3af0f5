"""When batches go: no lock is held that another thread may need."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from gcompute.budget import RequestsLeft
from gcompute.executor.outbox import Destination, Submission
from gcompute.executor.outgoing import Outgoing
from tests.unit.executor.stand_ins import WAIT_S


def _submission(destination: Destination) -> Submission:
    unused = cast(Any, None)
    return Submission(unused, destination, unused, "", 1)


def _destination() -> Destination:
    return Destination(cast(Any, None), cast(Any, None))


@pytest.mark.parametrize("asked", ["requests_left", "under_way"])
def test_an_executor_is_closed_whoever_asks_for_the_budget(asked: str) -> None:
    """The garbage collector may close one in a thread that has the budget's lock."""
    closed: list[bool] = []

    def close(name: str) -> None:
        if name == asked:
            other = threading.Thread(target=outgoing.close, kwargs={"cancel": False}, daemon=True)
            other.start()
            other.join(WAIT_S)
            closed.append(not other.is_alive())

    def requests_left() -> RequestsLeft:
        close("requests_left")
        return RequestsLeft(0, 20, 1000.0)

    def under_way(_waiting: int) -> int:
        close("under_way")
        return 1

    outgoing = Outgoing(requests_left)
    submission = _submission(_destination())
    outgoing.add(submission)
    assert outgoing.next_batch(under_way) == [submission]
    assert closed
    assert all(closed)
    assert outgoing.next_batch(under_way) == []


def test_what_is_cancelled_meanwhile_does_not_go() -> None:
    """A shutdown that cancels gives back what was about to go."""
    cancelled: list[Submission] = []

    def requests_left() -> None:
        cancelled.extend(outgoing.close(cancel=True))

    outgoing = Outgoing(requests_left)
    submission = _submission(_destination())
    outgoing.add(submission)
    assert outgoing.next_batch(lambda _: 0) == []
    assert cancelled == [submission]
    assert not outgoing.pause(WAIT_S)
