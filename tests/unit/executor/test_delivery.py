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
    TaskExecutionFailed,
)
from gcompute.executor import inbox as inbox_module
from gcompute.executor.consuming import Token
from gcompute.executor.delivery import Result, ResultDelivery
from gcompute.executor.future import ComputeFuture
from gcompute.executor.pending import AwaitedTask, PendingTasks
from gcompute.messages import ErrorDetails, Message, ResultMessage, StatusReport, encode
from tests.unit.executor.stand_ins import GROUP, SERIALIZER, WAIT_S, delivery


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
        #: How often something was acknowledged.
        self.calls = 0
        #: What was held, released and asked for, in order.
        self.said: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._tag = 0
        self.delivery = ResultDelivery(
            self.pending,
            broker=self,
            service=self,
            awaits=lambda future: False,
            on_stopped=lambda: self.acknowledged.put(None),
        )

    # What stands for the broker and the service.

    def acknowledge(self, tokens: list[Token]) -> None:
        self.calls += 1
        for token in tokens:
            self.acknowledged.put(token.tag)

    def hold(self, token: Token) -> None:
        self.said.put(("hold", token.tag))

    def release(self, token: Token, after_s: float) -> None:
        self.said.put(("release", token.tag, after_s))

    def fetch(self, group: str, task_id: str) -> None:
        self.said.put(("fetch", group, task_id))

    def reconcile(self, group: str) -> None:
        self.said.put(("reconcile", group))

    def shared(self, group: str) -> None:
        self.said.put(("shared", group))

    # What a test does.

    def wait_for(self, *numbers: int) -> list[ComputeFuture]:
        """Make futures of tasks that the service took."""
        tasks = [_awaited(number) for number in numbers]
        self.pending.submit_ends(self.pending.submit_starts(), GROUP, tasks)
        return [task.future for _, task in tasks]

    def arrives(self, body: bytes | Message, **more: Any) -> int:
        """Hand in a message; give its tag."""
        self._tag += 1
        settings: dict[str, Any] = {"completed_at": 1700000000, "high_assurance": False} | more
        raw = body if isinstance(body, bytes) else encode(body)
        self.delivery.deliver(delivery(self._tag, raw, **settings))
        return self._tag

    def acknowledges_to(self, tag: int) -> list[int]:
        """Wait until a delivery is acknowledged; give the tags that were on the way."""
        tags: list[int] = []
        while not tags or tags[-1] < tag:
            got = self.acknowledged.get(timeout=WAIT_S)
            assert got is not None
            tags.append(got)
        return tags

    def says(self) -> tuple[Any, ...]:
        """Wait for what is said next to the broker or the service."""
        return self.said.get(timeout=WAIT_S)


def _awaited(number: int) -> tuple[str, AwaitedTask]:
    future = ComputeFuture(_id(number))
    future.set_running_or_notify_cancel()
    return _id(number), AwaitedTask(future, SERIALIZER, asked_at=0.0, endpoint_id="e-0")


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


class Body(bytes):
    """A message that notes its end."""

    gone: threading.Event

    def __del__(self) -> None:
        self.gone.set()


def test_a_message_takes_no_memory_once_it_is_read(setting: Setting) -> None:
    """A large result is not in memory as a message and as a value at once, nor afterwards."""
    first, future = setting.wait_for(1, 2)
    handed_in, gone = threading.Event(), threading.Event()
    first.add_done_callback(lambda _future: handed_in.wait(WAIT_S))
    setting.arrives(_success(1))
    seen: list[bool] = []
    future.add_done_callback(lambda _future: seen.append(gone.is_set()))
    bodies = [Body(encode(_success(2)))]
    bodies[0].gone = gone
    tag = setting.arrives(bodies.pop())
    handed_in.set()  # only the delivery has the message now
    setting.acknowledges_to(tag)
    assert seen == [True]


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
    ],
    ids=["empty", "rubbish", "cut", "incomplete", "report"],
)
def test_a_message_that_is_no_result_is_acknowledged_and_forgotten(
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
    tag = setting.arrives(b"rubbish")
    assert setting.says() == ("reconcile", GROUP)
    assert setting.acknowledges_to(tag) == [tag]


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


def test_a_result_before_its_future_is_held_for_it(setting: Setting) -> None:
    """While a submit is under way; the sender then hands both in, and it is acknowledged."""
    number = setting.pending.submit_starts()
    tag = setting.arrives(_success(1, "early"))
    assert setting.says() == ("hold", tag)
    assert setting.acknowledged.empty()
    task_id, task = _awaited(1)
    ((ready, result),), strangers = setting.pending.submit_ends(number, GROUP, [(task_id, task)])
    assert strangers == []
    setting.delivery.complete(ready, result)
    assert task.future.result(WAIT_S) == "early"
    assert setting.acknowledges_to(tag) == [tag]


def test_of_two_copies_of_an_early_result_the_later_is_held(setting: Setting) -> None:
    """The connection that brought the other may be lost, and acknowledging both loses it."""
    number = setting.pending.submit_starts()
    first = setting.arrives(_success(1, "early"))
    second = setting.arrives(_success(1, "early"))
    assert setting.acknowledges_to(first) == [first]
    assert [setting.says(), setting.says()] == [("hold", first), ("hold", second)]
    task_id, task = _awaited(1)
    ((ready, result),), _ = setting.pending.submit_ends(number, GROUP, [(task_id, task)])
    setting.delivery.complete(ready, result)
    assert task.future.result(WAIT_S) == "early"
    assert setting.acknowledges_to(second) == [second]


# Strangers


def test_a_strangers_result_goes_back_to_the_queue(setting: Setting) -> None:
    """Held first, and not acknowledged: whoever else consumes the queue may wait for it."""
    tag = setting.arrives(_success(9))
    assert setting.says() == ("hold", tag)
    assert setting.says() == ("shared", GROUP)
    said, released, after_s = setting.says()
    assert (said, released) == ("release", tag)
    assert after_s > 0
    (future,) = setting.wait_for(1)
    behind = setting.arrives(_success(1, "mine"))
    assert future.result(WAIT_S) == "mine"
    assert setting.acknowledges_to(behind) == [behind]


def test_an_early_result_whose_submit_failed_goes_back_as_well(setting: Setting) -> None:
    """It was held already."""
    number = setting.pending.submit_starts()
    tag = setting.arrives(_success(9))
    assert setting.says() == ("hold", tag)
    ready, strangers = setting.pending.submit_ends(number, "", [])
    assert ready == []
    setting.delivery.estrange(strangers)
    assert setting.says() == ("shared", GROUP)
    assert setting.says()[:2] == ("release", tag)


def test_a_result_that_nobody_takes_is_dropped_in_the_end(setting: Setting) -> None:
    """Acknowledged, so that it does not come again and again; longer holds before that."""
    holds: list[float] = []
    while True:
        tag = setting.arrives(_success(9))
        setting.arrives(b"rubbish")  # what it says of this comes after all of the other
        assert setting.says() == ("hold", tag)
        said = setting.says()
        if said == ("reconcile", GROUP):
            break
        assert said == ("shared", GROUP)
        holds.append(setting.says()[2])
        assert setting.says() == ("reconcile", GROUP)
    assert tag in setting.acknowledges_to(tag + 1)
    assert holds == sorted(holds)
    assert len(holds) > 1


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
    assert setting.acknowledges_to(last) == [last - 1, last]


def test_large_results_behind_a_slow_callback_stay_with_the_broker(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held there, and given back when the callback returns, so that they come again."""
    monkeypatch.setattr(inbox_module, "_PATIENCE_S", 0.0)
    futures = setting.wait_for(1, 2, 3, 4)
    blocked, release = threading.Event(), threading.Event()

    def callback(_future: object) -> None:
        blocked.set()
        release.wait(WAIT_S)

    large = "x" * inbox_module._ROOM_BYTES
    futures[0].add_done_callback(callback)
    setting.arrives(_success(1, large))
    assert blocked.wait(WAIT_S)
    left = [setting.arrives(_success(number, large)) for number in (2, 3)]
    setting.arrives(_success(4, "small"))
    assert [setting.says(), setting.says()] == [("hold", tag) for tag in left]
    release.set()
    assert setting.says() == ("release", left[0], 0.0)
    assert futures[3].result(WAIT_S) == "small"
    assert not futures[1].done()
    setting.arrives(_success(2, large))
    assert futures[1].result(WAIT_S) == large
    assert setting.says() == ("release", left[1], 0.0)


def test_what_a_lost_connection_brought_is_not_given_back(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker has it back already; what is left of another group is as it was."""
    monkeypatch.setattr(inbox_module, "_PATIENCE_S", 0.0)
    (future,) = setting.wait_for(1)
    blocked, release = threading.Event(), threading.Event()

    def callback(_future: object) -> None:
        blocked.set()
        release.wait(WAIT_S)

    future.add_done_callback(callback)
    large = "x" * inbox_module._ROOM_BYTES
    setting.arrives(_success(1, large))
    assert blocked.wait(WAIT_S)
    lost = setting.arrives(_success(2, large))
    left = setting.arrives(_success(3, large), group="other")
    assert [setting.says(), setting.says()] == [("hold", lost), ("hold", left)]
    setting.delivery.interrupted(GROUP)
    release.set()
    assert setting.says() == ("release", left, 0.0)


def test_an_answer_waits_for_room_but_not_in_a_callback(setting: Setting) -> None:
    """Who asks over HTTP can wait; a callback that reloads tasks would wait for itself."""
    futures = setting.wait_for(1, 2, 3)
    large = {"status": "success", "result": SERIALIZER.serialize("x" * inbox_module._ROOM_BYTES)}
    blocked, release = threading.Event(), threading.Event()

    def answer(number: int) -> None:
        task = setting.pending.take(GROUP, _id(number))
        assert task is not None
        setting.delivery.answer(_id(number), task, large)

    def callback(_future: object) -> None:
        answer(2)
        blocked.set()
        release.wait(WAIT_S)

    futures[0].add_done_callback(callback)
    answer(1)
    assert blocked.wait(WAIT_S)
    asking = threading.Thread(target=answer, args=(3,))
    asking.start()
    asking.join(0.2)
    assert asking.is_alive()
    release.set()
    asking.join(WAIT_S)
    assert not asking.is_alive()
    assert len(futures[2].result(WAIT_S)) == inbox_module._ROOM_BYTES


def test_many_results_are_acknowledged_together(setting: Setting) -> None:
    """A burst of 200 takes a handful of calls, which name each delivery once."""
    futures = setting.wait_for(*range(200))
    hold = threading.Event()
    futures[0].add_done_callback(lambda _: hold.wait(WAIT_S))
    for number in range(200):
        tag = setting.arrives(_success(number))
    hold.set()
    tags = setting.acknowledges_to(tag)
    assert tags == list(range(1, 201))
    assert setting.calls <= 5
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
    """What waits behind 64 results is no reason to wait with their acknowledgement."""
    futures = setting.wait_for(*range(100))
    all_there, blocked, release = threading.Event(), threading.Event(), threading.Event()

    def block(_future: object) -> None:
        blocked.set()
        release.wait(WAIT_S)

    futures[0].add_done_callback(lambda _: all_there.wait(WAIT_S))
    futures[80].add_done_callback(block)
    for number in range(100):
        setting.arrives(_success(number))
    all_there.set()
    assert blocked.wait(WAIT_S)
    assert setting.acknowledges_to(64) == list(range(1, 65))
    assert setting.acknowledged.empty()
    release.set()
    setting.acknowledges_to(100)


# High assurance


def test_a_high_assurance_result_is_fetched(setting: Setting) -> None:
    """The message says only that it is there."""
    (future,) = setting.wait_for(1)
    tag = setting.arrives(ResultMessage(_id(1), ""), high_assurance=True)
    assert setting.says() == ("fetch", GROUP, _id(1))
    assert setting.acknowledges_to(tag) == [tag]
    assert not future.done()
    assert len(setting.pending) == 1


def test_a_high_assurance_result_is_fetched_whenever_its_submit_ends(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when its task becomes known while the message is looked at: it has no value to load."""
    number = setting.pending.submit_starts()
    task_id, task = _awaited(1)
    match = setting.pending.match

    def match_late(*args: Any) -> Any:
        setting.pending.submit_ends(number, GROUP, [(task_id, task)])
        return match(*args)

    monkeypatch.setattr(setting.pending, "match", match_late)
    tag = setting.arrives(ResultMessage(_id(1), ""), high_assurance=True)
    assert setting.says() == ("fetch", GROUP, _id(1))
    assert setting.acknowledges_to(tag) == [tag]
    assert not task.future.done()


def test_an_early_high_assurance_result_is_fetched_when_its_task_is_known(
    setting: Setting,
) -> None:
    """Before that nobody could say whom it is for."""
    number = setting.pending.submit_starts()
    tag = setting.arrives(ResultMessage(_id(1), ""), high_assurance=True)
    assert setting.says() == ("hold", tag)
    task_id, task = _awaited(1)
    ((ready, result),), _ = setting.pending.submit_ends(number, GROUP, [(task_id, task)])
    setting.delivery.complete(ready, result)
    assert setting.says() == ("fetch", GROUP, _id(1))
    assert setting.acknowledges_to(tag) == [tag]
    assert setting.pending.clear() == [task]
    assert not task.future.done()


# What the service says


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": "success", "result": SERIALIZER.serialize("asked")}, "asked"),
        ({"status": "failed", "exception": "boom"}, TaskExecutionFailed),
        ({"status": "success", "result": "zz\n"}, DeserializationError),
        ({"status": "success"}, ResultsUnavailable),
        ({"status": "success", "result": "EXITS"}, SystemExit),
    ],
)
def test_a_task_ends_as_the_service_says(setting: Setting, answer: Any, expected: Any) -> None:
    """Whatever it says; the result behind it arrives."""
    futures = setting.wait_for(1, 2)
    task = setting.pending.take(GROUP, _id(1))
    assert task is not None
    if answer.get("result") == "EXITS":
        answer = answer | {"result": SERIALIZER.serialize(ExitsWhenLoaded())}
    setting.delivery.answer(_id(1), task, answer)
    setting.arrives(_success(2, "fine"))
    assert futures[1].result(WAIT_S) == "fine"
    if isinstance(expected, type):
        assert type(futures[0].exception(0)) is expected
    else:
        assert futures[0].result(0) == expected


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
