"""What waits for the delivery: in order, with room for large items, without stalling for long."""

from __future__ import annotations

import threading

import pytest

from gcompute.executor import inbox as inbox_module
from gcompute.executor.inbox import Inbox
from tests.unit.executor.stand_ins import WAIT_S

LARGE = 600_000  # two of them are more than there is room for


@pytest.fixture
def inbox() -> Inbox[str]:
    """Give an empty one."""
    return Inbox()


class Writer:
    """Puts an item in from a thread of its own."""

    def __init__(self, inbox: Inbox[str], item: str, size: int) -> None:
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(inbox, item, size))
        self.thread.start()

    def _run(self, inbox: Inbox[str], item: str, size: int) -> None:
        inbox.put(item, size)
        self.done.set()

    def finishes(self) -> bool:
        return self.done.wait(WAIT_S)


def _waits(inbox: Inbox[str], writer: Writer) -> bool:
    while not inbox._changed._waiters:  # type: ignore[attr-defined]
        if writer.done.wait(0.001):
            return False
    return True


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have nobody wait for room; keep what would have been waited."""
    asked: list[float] = []

    def wait_for(self: object, predicate: object, timeout: float) -> bool:
        asked.append(timeout)
        return False

    monkeypatch.setattr(threading.Condition, "wait_for", wait_for)
    return asked


def test_items_come_out_in_order(inbox: Inbox[str]) -> None:
    """With their sizes; ``None`` is an item as well."""
    inbox.put("a", 1)
    inbox.put("b", LARGE)
    inbox.put(None)
    assert not inbox.empty()
    assert [inbox.get() for _ in range(3)] == [("a", 1), ("b", LARGE), (None, 0)]
    assert inbox.empty()


def test_small_items_never_wait(inbox: Inbox[str], waits: list[float]) -> None:
    """Not even thousands of them, and not behind large ones."""
    inbox.put("large", 10 * LARGE)
    for _ in range(5000):
        inbox.put("small", inbox_module._LARGE_BYTES - 1)
    assert waits == []


def test_one_large_item_always_has_room(inbox: Inbox[str], waits: list[float]) -> None:
    """However large; and so has one that fits beside it."""
    inbox.put("huge", 100 * inbox_module._ROOM_BYTES)
    assert waits == []
    inbox.get()
    inbox.done(100 * inbox_module._ROOM_BYTES)
    inbox.put("half", inbox_module._ROOM_BYTES // 2)
    inbox.put("half", inbox_module._ROOM_BYTES // 2)
    assert waits == []


def test_a_large_item_waits_for_room(inbox: Inbox[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the ones before are dealt with, and no longer."""
    monkeypatch.setattr(inbox_module, "_PATIENCE_S", 3 * WAIT_S)
    inbox.put("first", LARGE)
    writer = Writer(inbox, "second", LARGE)
    assert _waits(inbox, writer)
    item, size = inbox.get()
    assert (item, inbox.empty(), writer.done.is_set()) == ("first", True, False)
    inbox.done(size)
    assert writer.finishes()
    assert inbox.get() == ("second", LARGE)


def test_a_stuck_reader_delays_the_writer_once_only(inbox: Inbox[str], waits: list[float]) -> None:
    """Less than a heartbeat; what comes then does not wait, until there was room again."""
    for _ in range(5):
        inbox.put("item", LARGE)
    assert len(waits) == 1
    assert 0 < waits[0] < 15
    for _ in range(4):
        inbox.done(inbox.get()[1])
    inbox.put("item", LARGE)
    assert len(waits) == 2


def test_as_long_as_there_is_no_room_nobody_waits_again(
    inbox: Inbox[str], waits: list[float]
) -> None:
    """A reader that deals with one of many is not quick yet."""
    for _ in range(5):
        inbox.put("item", LARGE)
    inbox.done(inbox.get()[1])
    inbox.put("item", LARGE)
    assert len(waits) == 1
