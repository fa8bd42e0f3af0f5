"""What waits to be sent, and the moment at which the next of it goes.

The outbox (:mod:`.outbox`) and the pace (:mod:`.pacing`), with a lock and a clock. Callers add
submissions, and one thread, the sender's, takes batches. It waits here for an event, and for a
timer only where requests are scarce.

The lock is held for moments, and never while another one is taken: a garbage collection may
come upon an executor to be closed in whatever thread, which may hold any lock then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from gcompute.budget import RequestsLeft
from gcompute.executor.outbox import Outbox, Submission
from gcompute.executor.pacing import Pace

#: Bytes of payload in a request, well under what the service accepts.
_BATCH_BYTES = 5_000_000


class Outgoing:
    """Takes submissions in, and gives batches out. Safe to use from many threads.

    Args:
        requests_left: says how many requests may go; ``None`` for no limit.
    """

    def __init__(self, requests_left: Callable[[], RequestsLeft | None]) -> None:
        self._requests_left = requests_left
        #: Tasks in a batch, at most; ``None`` for a fair share of what waits.
        self.batch_size: int | None = None
        #: Guards the outbox and the flags. Entered as it is and not as the condition's: a Ctrl-C
        #: in there would leave it locked.
        self._lock = threading.RLock()
        #: Notified when there is something in an empty outbox, and by :meth:`close`.
        self._changed = threading.Condition(self._lock)
        self._outbox = Outbox(max_bytes=_BATCH_BYTES)
        self._closed = False
        #: Whether what was not sent is not to be sent.
        self._cancelled = False
        #: Of the thread that takes batches.
        self._pace = Pace()

    def add(self, submission: Submission) -> None:
        """Take a submission in; returns at once."""
        with self._lock:
            if not self._outbox:  # before it is in there: a Ctrl-C may come at any moment
                self._changed.notify_all()
            self._outbox.add(submission)

    def close(self, *, cancel: bool) -> list[Submission]:
        """Hear that nothing more comes: what waits goes now.

        Args:
            cancel: send nothing more.

        Returns:
            What is not sent then.
        """
        with self._lock:
            self._closed = True
            self._cancelled = self._cancelled or cancel
            self._changed.notify_all()
            return self._outbox.clear() if cancel else []

    def next_batch(self, under_way: Callable[[int], int]) -> list[Submission]:
        """Wait for something to send; empty when there never will be.

        Args:
            under_way: counts the tasks that were sent and have not ended, given how many wait.
        """
        with self._lock:
            if not self._outbox:
                self._pace.nothing_waits()
            self._changed.wait_for(lambda: self._outbox or self._closed)
        self._gather(under_way)
        left = self._requests_left()
        with self._lock:
            share = self._pace.share(len(self._outbox), left)
            batch = self._outbox.take(self.batch_size or share)
        self._pace.went(len(batch), time.monotonic())
        return batch

    def pause(self, seconds: float) -> bool:
        """Wait before a request is repeated; say whether it still should be."""
        with self._lock:
            return not self._changed.wait_for(lambda: self._cancelled, seconds)

    def _gather(self, under_way: Callable[[int], int]) -> None:
        """Wait for more tasks where requests are scarce."""
        before = None
        while True:
            with self._lock:
                waiting = len(self._outbox)
                if self._closed or (self.batch_size and waiting >= self.batch_size):
                    return
            pause_s = self._pace.pause_s(
                waiting,
                before=before,
                under_way=under_way(waiting),
                left=self._requests_left(),
                now=time.monotonic(),
            )
            if not pause_s:
                return
            before = waiting
            with self._lock:
                self._changed.wait_for(lambda: self._closed, min(pause_s, threading.TIMEOUT_MAX))
