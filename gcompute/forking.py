"""Telling what has a lock or threads that its process was forked from another one.

Of the parent's threads only the one that forked is there: what another one was in the middle of
is never finished, and a lock that it held is never released.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """What is told of a fork."""

    def abandon(self) -> None:
        """Be as new in a forked process; nothing of the parent's may be touched."""


_told: weakref.WeakSet[Forked] = weakref.WeakSet()


def tell_of_forks(forked: Forked) -> None:
    """Call ``abandon`` in each process that is forked from this one, as long as it lives."""
    _told.add(forked)


def _tell_all() -> None:
    for forked in list(_told):
        forked.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell_all)
