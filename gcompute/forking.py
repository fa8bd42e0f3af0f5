"""Telling what has a lock or threads that its process was forked from another one.

Of the parent's threads only the one that forked is there: what another one was in the middle of
is never finished, and a lock that it held is never released. Our own locks are made anew in the
child. Nothing can be done there about a module that was being imported, and would be waited for
for ever: so a fork waits until no thread of ours imports anything.
"""

from __future__ import annotations

import logging  # noqa: F401 - see below
import os
import threading
import weakref
from typing import Protocol


class Forked(Protocol):
    """What is told of a fork."""

    def abandon(self) -> None:
        """Be as new in a forked process; nothing of the parent's may be touched."""


#: Held while something is imported, or another's lock is held, where a thread of ours may come
#: by; and while anybody forks.
no_fork = threading.RLock()

_told: weakref.WeakSet[Forked] = weakref.WeakSet()


def tell_of_forks(forked: Forked) -> None:
    """Call ``abandon`` in each process that is forked from this one, as long as it lives."""
    _told.add(forked)


def _tell_all() -> None:
    for forked in list(_told):
        forked.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell_all)
    # A fork takes the locks of those who registered last first. So logging must have registered
    # before this: who imports something, and has no_fork, comes to need logging's.
    os.register_at_fork(
        before=no_fork.acquire, after_in_parent=no_fork.release, after_in_child=no_fork.release
    )
