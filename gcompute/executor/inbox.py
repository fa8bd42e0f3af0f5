"""What waits for the delivery's thread, in order, with room for so many bytes.

Where large results come faster than they are taken out, memory must stay bounded, and how
depends on who brings them. Who asks over HTTP waits until there is room. The connection's
thread must not, or a callback of the user that takes minutes would cost the connection a
heartbeat: it waits for a moment, and then leaves the item with the broker, unacknowledged. When
there is room the item's name is given out, so that the broker is asked for it again.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
N = TypeVar("N")

#: Items of so many bytes are counted.
_LARGE_BYTES = 64 * 1024

#: Bytes of large items that may wait; one always may.
_ROOM_BYTES = 256 * 1024

#: Seconds that the connection's thread waits for room: well under the time in which a broker
#: misses a heartbeat, and long enough for a large value to be loaded.
_PATIENCE_S = 1.0


class Inbox(Generic[T, N]):
    """A queue of items with a size. One thread takes out; any thread puts in.

    ``N`` is what names an item to whoever can bring it again.
    """

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[tuple[T | None, int]] = queue.SimpleQueue()
        #: Guards what follows; notified when there is room.
        self._changed = threading.Condition()
        #: Bytes of large items that were put in and are not dealt with.
        self._bytes = 0
        #: Whether waiting for room was in vain, and there has been none since.
        self._stuck = False
        self._closed = False
        #: Names and sizes of items that found no room, the oldest first. While there are any, a
        #: large item waits or is on its way, and gives them out when it is dealt with.
        self._left: deque[tuple[N, int]] = deque()

    def put(self, item: T | None, size: int = 0, *, wait: bool = True) -> None:
        """Put an item in, when there is room for it; ``None`` is the last one.

        Args:
            item: the item.
            size: its bytes.
            wait: whether to wait for room; the thread that takes out cannot.
        """
        if size >= _LARGE_BYTES:
            with self._changed:
                if wait:
                    self._changed.wait_for(lambda: self._closed or self._has_room(size))
                self._bytes += size
        self._items.put((item, size))

    def offer(self, item: T, size: int, name: N) -> bool:
        """Put an item in if there is room for it, now or in a moment.

        Returns:
            Whether there was; else :meth:`done` gives its name when there is.
        """
        if size >= _LARGE_BYTES:
            with self._changed:
                if not self._stuck:
                    self._stuck = not self._changed.wait_for(
                        lambda: self._closed or self._has_room(size), _PATIENCE_S
                    )
                if not self._has_room(size):
                    self._left.append((name, size))
                    return False
                self._bytes += size
        self._items.put((item, size))
        return True

    def digest(self) -> None:
        """Wait for a moment until what was offered fits into the room, being dealt with or not."""
        with self._changed:
            if not self._stuck:
                self._stuck = not self._changed.wait_for(
                    lambda: self._closed or self._bytes <= _ROOM_BYTES, _PATIENCE_S
                )

    def get(self) -> tuple[T | None, int]:
        """Take the next item out, with its size; :meth:`done` says when it is dealt with."""
        return self._items.get()

    def done(self, size: int) -> Sequence[N]:
        """Make room: an item of this size is dealt with.

        Returns:
            Names of items that found no room, and do now.
        """
        if size < _LARGE_BYTES and not self._left:
            return ()
        with self._changed:
            if size >= _LARGE_BYTES:
                self._bytes -= size
            if self._bytes <= _ROOM_BYTES:
                self._stuck = False
            self._changed.notify_all()
            return self._take_left()

    def forget(self, chosen: Callable[[N], bool]) -> None:
        """Forget items that found no room: their names mean nothing any more."""
        with self._changed:
            self._left = deque(left for left in self._left if not chosen(left[0]))

    def close(self) -> None:
        """Let nobody wait for room any more: nothing is taken out from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def empty(self) -> bool:
        """Tell whether nothing waits."""
        return self._items.empty()

    def _has_room(self, size: int) -> bool:
        return not self._bytes or self._bytes + size <= _ROOM_BYTES

    def _take_left(self) -> list[N]:
        names: list[N] = []
        taken = self._bytes
        while self._left and (not taken or taken + self._left[0][1] <= _ROOM_BYTES):
            name, size = self._left.popleft()
            names.append(name)
            taken += size
        return names
