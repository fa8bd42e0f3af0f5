"""How fast a recorder sends: every process of it together, as the service counts them together."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path


class Pace:
    """Lets so many requests go in so many seconds, and holds the others back.

    Args:
        count: requests in any window.
        window_s: the window, in seconds.
        file: has when requests went; whoever is given the same one shares the budget.
    """

    def __init__(self, count: int, window_s: float, file: Path) -> None:
        self._count = count
        self._window_s = window_s
        self._file = file

    def wait(self) -> None:
        """Wait until one more request may go."""
        with self._file.open("a+") as file:
            # Who waits here has whoever comes later wait as well. The clock is the machine's.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            went = [float(line) for line in file][-self._count :]
            if len(went) == self._count:
                time.sleep(max(0.0, went[0] + self._window_s - time.monotonic()))
            file.write(f"{time.monotonic()!r}\n")
