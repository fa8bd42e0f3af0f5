"""The stream of results by itself: what needs no broker that answers."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable
from typing import cast

import pytest

from gcompute.errors import AuthenticationFailed, ComputeError, ServiceUnreachable
from gcompute.executor import stream as stream_module
from gcompute.executor.consuming import Delivery, QueueConsumer, Token
from gcompute.executor.stream import ResultStream
from tests.unit.executor.stand_ins import GROUP, WAIT_S


class Listener:
    """Keeps what it hears, in order."""

    def __init__(self) -> None:
        self.heard: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def delivered(self, delivery: Delivery) -> None:
        raise AssertionError("no broker of these tests delivers")

    def digest(self) -> None:
        raise AssertionError("no broker of these tests delivers")

    def consuming(self, task_group_id: str) -> None:
        raise AssertionError("no broker of these tests lets anybody consume")

    def interrupted(self, task_group_id: str, reason: str) -> None:
        self.heard.put(("interrupted", task_group_id))

    def refused(self, error: ComputeError) -> None:
        self.heard.put(("refused", str(error)))

    def next(self) -> tuple[str, str]:
        return self.heard.get(timeout=WAIT_S)


def _raising(error: Exception) -> Callable[[], dict[str, str]]:
    def find_access() -> dict[str, str]:
        raise error

    return find_access


@pytest.mark.parametrize("accepted", [False, True])
def test_it_can_be_stopped_while_it_connects(
    accepted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Also in the middle of the handshake, to which this broker never answers; quietly."""
    listener = Listener()
    with socket.create_server(("127.0.0.1", 0)) as broker:
        url = f"amqp://u:p@127.0.0.1:{broker.getsockname()[1]}/"
        stream = ResultStream(lambda: {"connection_url": url, "queue_prefix": ""}, listener)
        stream.watch(GROUP)
        if accepted:
            connection, _ = broker.accept()
            with connection:
                assert connection.recv(4) == b"AMQP"  # the handshake has begun
                stream.stop()
                stream.join(WAIT_S)
        stream.stop()
        stream.join(WAIT_S)
    assert listener.heard.empty()
    assert [r for r in caplog.records if r.name.startswith("gcompute")] == []


def test_one_that_was_never_used_needs_no_end() -> None:
    """Neither a thread nor a connection; and once stopped, it starts no more."""
    before = set(threading.enumerate())
    stream = ResultStream(_raising(AssertionError("asked")), Listener())
    stream.stop()
    stream.join(0)
    stream.prepare()
    stream.watch(GROUP)
    assert set(threading.enumerate()) <= before


def test_no_access_yet_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while; who watches hears of it each time, and what was refused is the end."""
    monkeypatch.setattr(stream_module, "Backoff", lambda: _no_wait)
    answers = [ServiceUnreachable("away", sent=False)] * 3
    refusal = AuthenticationFailed(http_status=401)
    listener = Listener()

    def find_access() -> dict[str, str]:
        raise answers.pop() if answers else refusal

    stream = ResultStream(find_access, listener)
    stream.watch(GROUP)
    assert [listener.next() for _ in range(3)] == [("interrupted", GROUP)] * 3
    assert listener.next() == ("refused", str(refusal))
    stream.stop()
    stream.join(WAIT_S)
    assert listener.heard.empty()


class _NoWait:
    def next_s(self, good_for_s: float = 0.0) -> float:
        return 0.0


_no_wait = _NoWait()


def test_after_a_refusal_it_can_be_used_again() -> None:
    """Whoever watches next starts it over: a login may have helped."""
    listener = Listener()
    stream = ResultStream(_raising(AuthenticationFailed(http_status=401)), listener)
    for _ in range(2):
        stream.watch(GROUP)
        assert listener.next()[0] == "refused"
    stream.stop()


def test_a_defect_is_told_to_those_who_wait(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for ever for a thread that has died."""
    listener = Listener()
    stream = ResultStream(_raising(KeyError("connection_url")), listener)
    stream.watch(GROUP)
    kind, text = listener.next()
    assert kind == "refused"
    assert "KeyError" in text
    assert "the stream of results broke" in caplog.text
    stream.stop()


def test_what_is_left_without_a_connection_is_left_out() -> None:
    """Acknowledging needs the connection that delivered; the next one delivers again."""
    stream = ResultStream(_raising(AssertionError("asked")), Listener())
    stream.acknowledge([])
    assert stream._handled == []
    stream.stop()


class _Consumer:
    """Stands for one of a group's queue, on this connection or on one before it."""

    def __init__(self) -> None:
        self.group = GROUP
        self.handled_tags: list[int] = []
        self.acknowledged: list[int] = []

    def handled(self, tag: int) -> None:
        self.handled_tags.append(tag)

    def acknowledge(self) -> None:
        self.acknowledged += self.handled_tags


def test_each_consumer_of_a_group_acknowledges_its_own() -> None:
    """An earlier copy of a result, of a connection that was lost, may be dealt with last."""
    stream = ResultStream(_raising(AssertionError("asked")), Listener())
    now, before = _Consumer(), _Consumer()
    stream._handled = [Token(cast(QueueConsumer, one), tag) for one, tag in ((now, 5), (before, 3))]
    stream._acknowledge()
    assert (now.acknowledged, before.acknowledged) == ([5], [3])
    stream.stop()
