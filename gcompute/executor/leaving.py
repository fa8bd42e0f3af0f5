"""Leaving while tasks are under way: at the interpreter's exit, and by Ctrl-C.

The interpreter's exit sends everything and waits for it, as with the standard library's
executors, and says so after a while. A Ctrl-C that ends a wait for an executor's end says that
nobody waits for its tasks: the exit does not, either. Whoever is told that tasks are left behind
is told how to find them again.
"""

from __future__ import annotations

import atexit
import logging
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from gcompute.executor.results import wait_for_last_callbacks

log = logging.getLogger(__name__)

#: Seconds after which the interpreter's exit says what it waits for.
_EXIT_SILENCE_S = 5.0


class Unfinished(Protocol):
    """Who may have tasks under way; see :class:`gcompute.executor.engine.Engine`."""

    def close(self) -> None:
        """Take no more tasks; send what waits."""

    def wait_for_futures(self, timeout_s: float | None = None) -> bool:
        """Wait until every future has ended; tell whether all have."""

    def wait_for_callbacks(self) -> None:
        """Wait until what the sender's thread does for them is done."""

    def unfinished(self) -> int:
        """Count the futures that have not ended."""

    def tell_groups(self) -> Sequence[str]:
        """Give the task groups of its tasks, which the user is told."""


_waited_for: weakref.WeakSet[Unfinished] = weakref.WeakSet()


def wait_at_exit(engine: Unfinished) -> None:
    """Have the interpreter's exit wait for its tasks."""
    _waited_for.add(engine)


def let_exit(engine: Unfinished) -> None:
    """Have the interpreter's exit not wait: nobody needs what is left any more."""
    _waited_for.discard(engine)


def tell_of_waiting(engine: Unfinished, until: str) -> None:
    """Tell the user what is waited for, where there is anything, and how to do without."""
    if count := engine.unfinished():
        found = _how_to_find(engine)
        log.warning(
            "waiting for %s before %s; Ctrl-C leaves at once%s",
            _tasks(count),
            until,
            f", and {found}" if found else "",
        )


@contextmanager
def left_by_ctrl_c(engine: Unfinished) -> Iterator[None]:
    """Have a Ctrl-C in the block leave its tasks behind; blocks may be in one another."""
    try:
        yield
    except KeyboardInterrupt:
        _leave_behind(engine)
        raise


def _leave_behind(engine: Unfinished) -> None:
    """Wait for its tasks no more, since a Ctrl-C said so; tell, once, how to find them again."""
    if engine not in _waited_for:
        return
    let_exit(engine)
    if count := engine.unfinished():
        found = _how_to_find(engine)
        log.warning("left %s that did not end%s", _tasks(count), f"; {found}" if found else "")


def _tasks(count: int) -> str:
    return f"{count} task{'s' * (count != 1)}"


def _how_to_find(engine: Unfinished) -> str:
    """Say how to find its tasks again; nothing where none was sent."""
    calls = ", ".join(f"Executor.reload_tasks({group!r})" for group in engine.tell_groups())
    return f"{calls} finds the tasks again" if calls else ""


def _finish(engine: Unfinished) -> None:
    """Send everything and wait until every future has ended."""
    engine.close()
    if not engine.wait_for_futures(_EXIT_SILENCE_S):
        tell_of_waiting(engine, "the interpreter exits")
    engine.wait_for_futures()
    engine.wait_for_callbacks()


@atexit.register
def _finish_all() -> None:
    engines = list(_waited_for)
    try:
        for engine in engines:
            _finish(engine)
        wait_for_last_callbacks()
    except KeyboardInterrupt:
        for engine in engines:
            _leave_behind(engine)
