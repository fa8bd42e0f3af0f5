"""What waits for the delivery's thread, in order.

The connection's thread puts messages in. Where they are large and not taken out as fast, it
waits for a moment, so that they stay with the broker and do not fill the memory; the wait is
short, and comes once, so that a callback of the user that takes minutes never costs the
connection a heartbeat.
"""

from __future__ import annotations

import queue
import threading
from typing import Generic, TypeVar

T = TypeVar("T")

#: Items of so many bytes are counted.
_LARGE_BYTES = 64 * 1024

#: Bytes of large items that may wait; one always may.
_ROOM_BYTES = 1024 * 1024

#: Seconds to wait for room: well under the time in which a broker misses a heartbeat.
_PATIENCE_S = 5.0


class Inbox(Generic[T]):
    """A queue of items with a size. One thread takes out; any thread puts in."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[tuple[T | None, int]] = queue.SimpleQueue()
        #: Guards what follows; notified when there is room.
        self._changed = threading.Condition()
        #: Bytes of large items that were put in and not taken out.
        self._bytes = 0
        #: Whether waiting for room was in vain, and there has been none since.
        self._stuck = False

    def put(self, item: T | None, size: int = 0) -> None:
        """Put an item in; ``None`` is the last one."""
        if size >= _LARGE_BYTES:
            with self._changed:
                if self._bytes and self._bytes + size > _ROOM_BYTES and not self._stuck:
                    self._stuck = not self._changed.wait_for(
                        lambda: not self._bytes or self._bytes + size <= _ROOM_BYTES, _PATIENCE_S
                    )
                self._bytes += size
        self._items.put((item, size))

    def get(self) -> tuple[T | None, int]:
        """Take the next item out, with its size; :meth:`done` says when it is dealt with."""
        return self._items.get()

    def done(self, size: int) -> None:
        """Make room: an item of this size is dealt with."""
        if size >= _LARGE_BYTES:
            with self._changed:
                self._bytes -= size
                if self._bytes <= _ROOM_BYTES:
                    self._stuck = False
                self._changed.notify_all()

    def empty(self) -> bool:
        """Tell whether nothing waits."""
        return self._items.empty()
