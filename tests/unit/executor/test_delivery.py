"""From messages to futures: every kind of message, none of which stops the next."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from gcompute.errors import (
    AuthenticationFailed,
    DeserializationError,
    ResultsUnavailable,
    ServiceUnreachable,
    TaskExecutionFailed,
)
from gcompute.executor.delivery import Result, ResultDelivery
from gcompute.executor.future import ComputeFuture
from gcompute.executor.pending import PendingTasks
from gcompute.executor.stream import Delivery
from gcompute.messages import ErrorDetails, Message, ResultMessage, StatusReport, encode
from gcompute.serialize import ComputeSerializer

SERIALIZER = ComputeSerializer()
WAIT_S = 10


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


class ExitsWhenLoaded:
    """A result that runs code of its sender: it ends the thread that loads it."""

    def __reduce__(self) -> Any:
        return _leave, ()


def _leave() -> None:
    raise SystemExit(7)


class Setting:
    """A delivery with all that is around it; results come in by :meth:`arrives`."""

    def __init__(self) -> None:
        self.pending: PendingTasks[Result] = PendingTasks()
        #: Tags that were acknowledged; ``None`` for the end of the thread.
        self.acknowledged: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self.statuses: dict[str, Any] | Exception = {}
        #: Ids of each question for tasks' states.
        self.asked: list[list[str]] = []
        self._tag = 0
        self.delivery = ResultDelivery(
            self.pending,
            SERIALIZER,
            batch_status=self._batch_status,
            acknowledge=lambda token: self.acknowledged.put(token[1]),
            on_stopped=lambda: self.acknowledged.put(None),
        )

    def _batch_status(self, task_ids: list[str]) -> dict[str, dict[str, Any]]:
        self.asked.append(task_ids)
        if isinstance(self.statuses, Exception):
            raise self.statuses
        return self.statuses

    def wait_for(self, *numbers: int) -> list[ComputeFuture]:
        """Make futures of tasks that the service took."""
        futures = [ComputeFuture(_id(number)) for number in numbers]
        for future in futures:
            future.set_running_or_notify_cancel()
        self.pending.submit_starts()
        self.pending.submit_ends([(f.task_id or "", f) for f in futures])
        return futures

    def arrives(self, body: bytes | Message, **more: Any) -> int:
        """Hand in a message; give its tag."""
        self._tag += 1
        settings: dict[str, Any] = {"completed_at": 1700000000, "high_assurance": False} | more
        raw = body if isinstance(body, bytes) else encode(body)
        self.delivery.deliver(Delivery((1, self._tag), raw, **settings))
        return self._tag

    def acknowledges_to(self, tag: int) -> list[int]:
        """Wait until a delivery is acknowledged; give the tags that were on the way."""
        tags: list[int] = []
        while not tags or tags[-1] < tag:
            got = self.acknowledged.get(timeout=WAIT_S)
            assert got is not None
            tags.append(got)
        return tags


@pytest.fixture
def setting() -> Iterator[Setting]:
    """Give a delivery, and end its thread."""
    made = Setting()
    yield made
    made.delivery.stop()
    made.delivery.join(WAIT_S)
    assert not made.delivery.thread.is_alive()


def _success(number: int, value: object = None) -> ResultMessage:
    return ResultMessage(_id(number), SERIALIZER.serialize(value))


def test_results_reach_their_futures(setting: Setting) -> None:
    """Each its own, in whatever order they come."""
    futures = setting.wait_for(1, 2, 3)
    for number in (3, 1, 2):
        tag = setting.arrives(_success(number, f"value {number}"))
    assert [f.result(WAIT_S) for f in futures] == ["value 1", "value 2", "value 3"]
    assert setting.acknowledges_to(tag)[-1] == tag


def test_a_failure_carries_all_that_is_known(setting: Setting) -> None:
    """Task, traceback, code, time and the worker's environment."""
    (future,) = setting.wait_for(1)
    details = {"python_version": "3.9", "endpoint_id": "e-1"}
    setting.arrives(
        ResultMessage(
            _id(1), "Traceback: boom", ErrorDetails("RemoteExecutionError", "boom"), details
        )
    )
    error = future.exception(WAIT_S)
    assert isinstance(error, TaskExecutionFailed)
    assert error.task_id == _id(1)
    assert error.remote_data == "Traceback: boom"
    assert error.error_code == "RemoteExecutionError"
    assert error.completion_t == "1700000000"
    assert error.endpoint_id == "e-1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"rubbish",
        b"\x01{",
        b'\x01{"message_type":"result","data":{}}',
        encode(StatusReport(_id(9))),
        encode(ResultMessage(_id(9), "00\nstranger's")),
    ],
    ids=["empty", "rubbish", "cut", "incomplete", "report", "foreign"],
)
def test_a_message_that_is_nobodys_is_acknowledged_and_forgotten(
    setting: Setting, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It never loops, and the result behind it arrives."""
    (future,) = setting.wait_for(1)
    with caplog.at_level(logging.WARNING):
        setting.arrives(body)
        tag = setting.arrives(_success(1, "after"))
        assert future.result(WAIT_S) == "after"
        assert setting.acknowledges_to(tag)[-1] == tag


def test_a_message_that_cannot_be_read_makes_it_ask(setting: Setting) -> None:
    """It may have been the result of a task that is waited for."""
    (future,) = setting.wait_for(1)
    setting.statuses = {_id(1): {"status": "success", "result": SERIALIZER.serialize("asked")}}
    setting.arrives(b"rubbish")
    assert future.result(WAIT_S) == "asked"


@pytest.mark.parametrize("data", ["", "zz\nunknown", "00\n!", "11\n{", "st\nf:syntax error"])
def test_a_result_that_does_not_load_fails_its_future_only(setting: Setting, data: str) -> None:
    """The error names the task."""
    futures = setting.wait_for(1, 2)
    setting.arrives(ResultMessage(_id(1), data))
    setting.arrives(_success(2, "fine"))
    error = futures[0].exception(WAIT_S)
    assert isinstance(error, DeserializationError)
    assert _id(1) in str(error)
    assert futures[1].result(WAIT_S) == "fine"


def test_a_result_that_exits_when_loaded_fails_its_future_only(setting: Setting) -> None:
    """Loading runs code of the sender; it cannot end the thread that delivers."""
    futures = setting.wait_for(1, 2)
    setting.arrives(ResultMessage(_id(1), SERIALIZER.serialize(ExitsWhenLoaded())))
    setting.arrives(_success(2, "fine"))
    assert isinstance(futures[0].exception(WAIT_S), SystemExit)
    assert futures[1].result(WAIT_S) == "fine"


def test_a_result_that_comes_twice_counts_once(setting: Setting) -> None:
    """The second is dropped, and acknowledged."""
    (future,) = setting.wait_for(1)
    setting.arrives(_success(1, "first"))
    tag = setting.arrives(_success(1, "second"))
    setting.acknowledges_to(tag)
    assert future.result(0) == "first"


def test_a_result_before_its_future_is_kept_for_it(setting: Setting) -> None:
    """While a submit is under way; the sender then hands both in."""
    setting.pending.submit_starts()
    tag = setting.arrives(_success(1, "early"))
    setting.acknowledges_to(tag)
    future = ComputeFuture(_id(1))
    ((ready, result),) = setting.pending.submit_ends([(_id(1), future)])
    setting.delivery.complete(ready, result)
    assert future.result(WAIT_S) == "early"


@pytest.mark.parametrize("raised", [ValueError("mine"), SystemExit(3)])
def test_a_callback_that_raises_stops_nothing(setting: Setting, raised: BaseException) -> None:
    """Not the delivery, not the acknowledgement."""
    futures = setting.wait_for(1, 2)

    def callback(_future: object) -> None:
        raise raised

    futures[0].add_done_callback(callback)
    setting.arrives(_success(1))
    tag = setting.arrives(_success(2, "fine"))
    assert futures[1].result(WAIT_S) == "fine"
    setting.acknowledges_to(tag)


def test_a_slow_callback_holds_back_only_what_is_behind_it(setting: Setting) -> None:
    """What came before is acknowledged already; what is behind comes when it returns."""
    futures = setting.wait_for(1, 2, 3)
    blocked, release = threading.Event(), threading.Event()

    def callback(_future: object) -> None:
        blocked.set()
        release.wait(WAIT_S)

    futures[1].add_done_callback(callback)
    first = setting.arrives(_success(1))
    assert setting.acknowledges_to(first) == [first]
    setting.arrives(_success(2))
    last = setting.arrives(_success(3))
    assert blocked.wait(WAIT_S)
    assert setting.acknowledged.empty()
    assert not futures[2].done()
    release.set()
    assert futures[2].result(WAIT_S) is None
    assert setting.acknowledges_to(last) == [last]


def test_many_results_are_acknowledged_together(setting: Setting) -> None:
    """A burst of 200 takes a handful of acknowledgements, the last of which covers all."""
    futures = setting.wait_for(*range(200))
    hold = threading.Event()
    futures[0].add_done_callback(lambda _: hold.wait(WAIT_S))
    for number in range(200):
        tag = setting.arrives(_success(number))
    hold.set()
    tags = setting.acknowledges_to(tag)
    assert tags == sorted(tags)
    assert len(tags) <= 5
    assert all(f.done() for f in futures)


def test_what_was_handled_is_acknowledged_before_the_end() -> None:
    """A stop that comes with the last results, as a shutdown does, leaves none behind."""
    setting = Setting()
    (future,) = setting.wait_for(1)
    future.add_done_callback(lambda _: setting.delivery.stop())
    tag = setting.arrives(_success(1))
    setting.delivery.join(WAIT_S)
    assert setting.acknowledged.get(timeout=WAIT_S) == tag
    assert setting.acknowledged.get(timeout=WAIT_S) is None


def test_work_behind_a_result_does_not_keep_it_from_being_acknowledged(setting: Setting) -> None:
    """A question about tasks that waits behind the last result is no reason to wait."""
    (future,) = setting.wait_for(1)
    future.add_done_callback(lambda _: setting.delivery.reconcile())
    tag = setting.arrives(_success(1))
    assert setting.acknowledges_to(tag) == [tag]


# High assurance


def test_a_high_assurance_result_is_fetched(setting: Setting) -> None:
    """The message says only that it is there."""
    (future,) = setting.wait_for(1)
    setting.statuses = {_id(1): {"status": "success", "result": SERIALIZER.serialize("secret")}}
    setting.arrives(ResultMessage(_id(1), ""), high_assurance=True)
    assert future.result(WAIT_S) == "secret"
    assert setting.asked == [[_id(1)]]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({}, ResultsUnavailable),
        ({_id(1): {"status": "running"}}, ResultsUnavailable),
        ({_id(1): {"status": "failed", "exception": "boom"}}, TaskExecutionFailed),
        ({_id(1): {"status": "success", "result": "zz\n"}}, DeserializationError),
        ({_id(1): {"status": "success"}}, ResultsUnavailable),
        (ServiceUnreachable("away"), ResultsUnavailable),
        (KeyError("results"), KeyError),
    ],
)
def test_a_high_assurance_result_that_cannot_be_fetched_fails_its_future(
    setting: Setting, statuses: Any, expected: type[Exception]
) -> None:
    """Whatever the service says; the result behind it arrives."""
    futures = setting.wait_for(1, 2)
    setting.statuses = statuses
    setting.arrives(ResultMessage(_id(1), ""), high_assurance=True)
    setting.arrives(_success(2, "fine"))
    assert isinstance(futures[0].exception(WAIT_S), expected)
    assert futures[1].result(WAIT_S) == "fine"


# After a reconnection


def test_reconciling_ends_what_has_finished(setting: Setting) -> None:
    """Succeeded and failed tasks end; pending and unknown ones wait on."""
    futures = setting.wait_for(1, 2, 3, 4)
    setting.statuses = {
        _id(1): {"status": "success", "result": SERIALIZER.serialize("missed")},
        _id(2): {"status": "failed", "exception": "boom"},
        _id(3): {"status": "running"},
    }
    setting.delivery.reconcile()
    assert futures[0].result(WAIT_S) == "missed"
    assert isinstance(futures[1].exception(WAIT_S), TaskExecutionFailed)
    setting.arrives(_success(3, "later"))
    setting.arrives(_success(4, "as well"))
    assert futures[2].result(WAIT_S) == "later"
    assert futures[3].result(WAIT_S) == "as well"


def test_reconciling_asks_in_portions(setting: Setting) -> None:
    """A thousand tasks do not make one giant request; none is left out."""
    futures = setting.wait_for(*range(1200))
    result = SERIALIZER.serialize("missed")
    setting.statuses = {_id(n): {"status": "success", "result": result} for n in range(1200)}
    setting.delivery.reconcile()
    assert {f.result(WAIT_S) for f in futures} == {"missed"}
    assert sorted(task for chunk in setting.asked for task in chunk) == [
        _id(n) for n in range(1200)
    ]
    assert all(len(chunk) <= 500 for chunk in setting.asked)


@pytest.mark.parametrize("error", [ServiceUnreachable("away"), KeyError("results")])
def test_a_question_that_fails_stops_nothing(setting: Setting, error: Exception) -> None:
    """Results that arrive afterwards are delivered."""
    (future,) = setting.wait_for(1)
    setting.statuses = error
    setting.delivery.reconcile()
    setting.arrives(_success(1, "after all"))
    assert future.result(WAIT_S) == "after all"


def test_giving_up_fails_what_waits(setting: Setting) -> None:
    """Each future says which task, why, and how to ask for it; later tasks may wait again."""
    futures = setting.wait_for(1, 2)
    cause = AuthenticationFailed(http_status=401)
    setting.delivery.give_up(cause)
    for number, future in enumerate(futures, 1):
        error = future.exception(WAIT_S)
        assert isinstance(error, ResultsUnavailable)
        assert error.__cause__ is cause
        for part in (_id(number), "401", "Client.get_result"):
            assert part in str(error)
    (later,) = setting.wait_for(3)
    setting.arrives(_success(3, "again"))
    assert later.result(WAIT_S) == "again"
