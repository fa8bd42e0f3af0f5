"""The threads that run users' callbacks, and what cannot be waited for in them.

Futures end in few threads, and each runs the callbacks of those that it ends. A callback that
waits there for another of them waits for its own thread, and with it every result behind it: for
ever. Who is about to wait asks here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import get_ident
from typing import Any

#: By the thread's ident: tells whether a future can only be ended by that thread.
_threads: dict[int, Callable[[Future[Any]], bool]] = {}


@contextmanager
def running_callbacks(ends: Callable[[Future[Any]], bool]) -> Iterator[None]:
    """Have this thread be known for one that ends futures, and runs their callbacks.

    Args:
        ends: tells whether a future that has not ended can only be ended by this thread.
    """
    outer = _threads.get(get_ident())
    _threads[get_ident()] = ends if outer is None else lambda f: ends(f) or outer(f)
    try:
        yield
    finally:
        if outer is None:
            _threads.pop(get_ident(), None)  # none where a callback has forked
        else:
            _threads[get_ident()] = outer


def waits_for_itself(futures: Iterable[Future[Any]]) -> bool:
    """Tell whether one of these futures can only be ended by the thread that asks."""
    ends = _threads.get(get_ident())
    return ends is not None and any(not future.done() and ends(future) for future in futures)


def check_wait(future: Future[Any]) -> None:
    """See to it that somebody else can end the future that the caller is about to wait for.

    Raises:
        RuntimeError: only the caller's thread can.
    """
    check_waits((future,))


def check_waits(futures: Iterable[Future[Any]]) -> None:
    """See to it that somebody else can end the futures that the caller is about to wait for.

    Raises:
        RuntimeError: one of them, only the caller's thread can.
    """
    ends = _threads.get(get_ident())
    if ends is None:
        return
    for future in futures:
        if not future.done() and ends(future):
            raise RuntimeError(
                f"a callback cannot wait for {future!r}, since it runs in the thread that ends "
                "it: use add_done_callback there as well, or wait in a thread of your own"
            )


if hasattr(os, "register_at_fork"):
    # These threads are the parent's, and their idents are given to the first ones of the child.
    os.register_at_fork(after_in_child=_threads.clear)
