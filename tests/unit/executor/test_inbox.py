"""What waits for the delivery: in order, with room for large items, without stalling for long."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from gcompute.executor import inbox as inbox_module
from gcompute.executor.inbox import Inbox
from tests.unit.executor.stand_ins import WAIT_S

LARGE = 600_000  # two of them are more than there is room for


@pytest.fixture
def inbox() -> Inbox[str, str]:
    """Give an empty one."""
    return Inbox()


class Writer:
    """Does something from a thread of its own."""

    def __init__(self, write: Callable[[], object]) -> None:
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(write,))
        self.thread.start()

    def _run(self, write: Callable[[], object]) -> None:
        write()
        self.done.set()

    def finishes(self) -> bool:
        return self.done.wait(WAIT_S)


def _waits(inbox: Inbox[str, str], writer: Writer) -> bool:
    while not inbox._changed._waiters:  # type: ignore[attr-defined]
        if writer.done.wait(0.001):
            return False
    return True


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """Have nobody wait for room; keep what would have been waited."""
    asked: list[float | None] = []

    def wait_for(self: object, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        if not predicate():
            asked.append(timeout)
        return predicate()

    monkeypatch.setattr(threading.Condition, "wait_for", wait_for)
    return asked


def _deal_with_one(inbox: Inbox[str, str]) -> list[str]:
    """Take an item out; give the names of those for which there is room now."""
    return list(inbox.done(inbox.get()[1]))


def _deal_with_one_more(inbox: Inbox[str, str]) -> list[str]:
    inbox.put("one more", 1)
    return _deal_with_one(inbox)


def test_items_come_out_in_order(inbox: Inbox[str, str]) -> None:
    """With their sizes; ``None`` is an item as well."""
    inbox.put("a", 1)
    inbox.put("b", LARGE)
    assert inbox.offer("c", 2, "name")
    inbox.put(None)
    assert not inbox.empty()
    assert [inbox.get() for _ in range(4)] == [("a", 1), ("b", LARGE), ("c", 2), (None, 0)]
    assert inbox.empty()


def test_small_items_never_wait(inbox: Inbox[str, str], waits: list[float | None]) -> None:
    """Not even thousands of them, and not behind large ones."""
    inbox.put("large", 10 * LARGE)
    for _ in range(5000):
        inbox.put("small", inbox_module._LARGE_BYTES - 1)
        assert inbox.offer("small", inbox_module._LARGE_BYTES - 1, "name")
    assert waits == []


def test_one_large_item_always_has_room(inbox: Inbox[str, str], waits: list[float | None]) -> None:
    """However large; and so has one that fits beside it."""
    assert inbox.offer("huge", 100 * inbox_module._ROOM_BYTES, "name")
    _deal_with_one(inbox)
    inbox.put("huge", 100 * inbox_module._ROOM_BYTES)
    _deal_with_one(inbox)
    inbox.put("half", inbox_module._ROOM_BYTES // 2)
    assert inbox.offer("half", inbox_module._ROOM_BYTES // 2, "name")
    assert waits == []


@pytest.mark.parametrize("how", ["put", "offer"])
def test_a_large_item_waits_for_room(
    inbox: Inbox[str, str], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Until the ones before are dealt with, and no longer."""
    monkeypatch.setattr(inbox_module, "_PATIENCE_S", 3 * WAIT_S)
    inbox.put("first", LARGE)
    names = ["second"] if how == "offer" else []
    writer = Writer(lambda: getattr(inbox, how)("second", LARGE, *names))
    assert _waits(inbox, writer)
    item, size = inbox.get()
    assert (item, inbox.empty(), writer.done.is_set()) == ("first", True, False)
    assert inbox.done(size) == []
    assert writer.finishes()
    assert inbox.get() == ("second", LARGE)


def test_who_is_not_in_a_hurry_waits_without_an_end(
    inbox: Inbox[str, str], waits: list[float | None]
) -> None:
    """Who asks over HTTP can wait, or memory would fill; who takes out would wait for itself."""
    inbox.put("first", LARGE)
    inbox.put("second", LARGE)
    assert waits == [None]
    inbox.put("by the reader", LARGE, wait=False)
    assert waits == [None]


def test_a_stuck_reader_delays_the_connection_once_only(
    inbox: Inbox[str, str], waits: list[float | None]
) -> None:
    """Less than a heartbeat; what comes then is left at once, until there was room again."""
    taken = [inbox.offer("item", LARGE, f"name {n}") for n in range(5)]
    assert taken == [True, False, False, False, False]
    assert len(waits) == 1
    assert waits[0] is not None
    assert 0 < waits[0] < 3
    assert _deal_with_one(inbox) == ["name 1"]
    assert inbox.offer("item", LARGE, "name 1")
    assert len(waits) == 1
    assert not inbox.offer("item", LARGE, "name 5")
    assert len(waits) == 2


def test_what_was_left_is_asked_for_as_there_is_room(
    inbox: Inbox[str, str], waits: list[float | None]
) -> None:
    """The oldest first, as many as fit, or one that never will; also when small items are done."""
    room = inbox_module._ROOM_BYTES
    inbox.offer("item", room, "")
    inbox.put("small", 1)
    for n, size in enumerate([room // 2, room // 2, 2 * room, room // 4]):
        assert not inbox.offer("item", size, str(n))
    assert _deal_with_one(inbox) == ["0", "1"]
    assert _deal_with_one(inbox) == ["2"]
    inbox.put("small", 1)
    assert _deal_with_one(inbox) == ["3"]
    assert _deal_with_one_more(inbox) == []


def test_what_was_left_is_asked_for_only_where_it_fits_beside_what_waits(
    inbox: Inbox[str, str], waits: list[float | None]
) -> None:
    """A reader that deals with one of many has no room for one of many yet."""
    quarter = inbox_module._ROOM_BYTES // 4
    for _ in range(4):
        assert inbox.offer("item", quarter, "")
    assert not inbox.offer("item", 2 * quarter, "two")
    assert _deal_with_one(inbox) == []
    assert _deal_with_one(inbox) == ["two"]


def test_names_that_mean_nothing_any_more_are_forgotten(
    inbox: Inbox[str, str], waits: list[float | None]
) -> None:
    """After a lost connection: the broker sends again by itself what was left there."""
    inbox.put("item", LARGE)
    for name in ("here", "lost", "lost"):
        inbox.offer("item", LARGE, name)
    inbox.forget(lambda name: name == "lost")
    assert _deal_with_one(inbox) == ["here"]
    assert _deal_with_one_more(inbox) == []


@pytest.mark.parametrize("how", ["put", "offer"])
def test_at_the_end_nobody_waits(
    inbox: Inbox[str, str], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Nothing is taken out any more, so there never would be room."""
    monkeypatch.setattr(inbox_module, "_PATIENCE_S", 3 * WAIT_S)
    inbox.put("first", LARGE)
    names = ["second"] if how == "offer" else []
    writer = Writer(lambda: getattr(inbox, how)("second", LARGE, *names))
    assert _waits(inbox, writer)
    inbox.close()
    assert writer.finishes()


def test_who_brings_large_items_waits_until_they_are_dealt_with(inbox: Inbox[str, str]) -> None:
    """So that the next is not there beside them."""
    inbox.digest()
    assert inbox.offer("a", LARGE, "name")
    writer = Writer(inbox.digest)
    assert _waits(inbox, writer)
    _deal_with_one(inbox)
    assert writer.finishes()


def test_who_brings_large_items_waits_for_a_moment_only(
    inbox: Inbox[str, str], waits: list[float | None]
) -> None:
    """And once only, as long as there is no room."""
    assert inbox.offer("a", LARGE, "name")
    inbox.digest()
    inbox.digest()
    assert waits == [inbox_module._PATIENCE_S]
    _deal_with_one(inbox)
    assert inbox.offer("b", LARGE, "name")
    inbox.digest()
    assert waits == [inbox_module._PATIENCE_S] * 2
