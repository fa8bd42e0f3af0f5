"""What this process knows of its task groups.

Two questions need it. Which group do executors use that were given none: they share one, so
that one result queue serves them all (:class:`GroupChoice`). And what became of a submit that
broke off: the service lists a group's tasks, and those that are not known here are the ones
that it may have made (:class:`GroupTasks`).

Safe to use from many threads.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gcompute.forking import tell_of_forks


class GroupChoice:
    """Which task group the tasks of an executor go to.

    Attributes:
        id: the group; ``None`` until it is known.
        given: whether the user named it.
        shares: whether to use the group that executors share, where there is one.
    """

    __slots__ = ("given", "id", "shares")

    def __init__(self, given: str | None = None, *, shares: bool = True) -> None:
        self.id = given
        self.given = given is not None
        self.shares = shares


class GroupTasks:
    """The tasks of one group that were made here, at 8 bytes a task.

    A submit under way may make tasks at any moment, so a look at the group waits until none is,
    and submits wait for the look.
    """

    def __init__(self) -> None:
        #: Guards what follows; notified when a submit or a look ends.
        self._changed = threading.Condition()
        #: Hashes of the tasks' ids.
        self._hashes = array("q")
        self._submitting = 0
        self._looking = False
        #: Submits of which it is not known yet what became of them, and those of them that
        #: broke off.
        self._unsettled = 0
        self._broken_off = 0
        #: Whether the group was made by a submit of this process, its id was told to nobody, and
        #: nobody else was seen in it: then tasks that are not known here can only be of a submit
        #: that broke off.
        self.ours_alone = False

    @contextmanager
    def submitting(self) -> Iterator[None]:
        """Keep looks away for the time of a submit and of noting its tasks."""
        with self._changed:
            self._changed.wait_for(lambda: not self._looking)
            self._submitting += 1
        try:
            yield
        finally:
            with self._changed:
                self._submitting -= 1
                self._changed.notify_all()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Keep submits away for the time of a look."""
        with self._changed:
            self._changed.wait_for(lambda: not self._looking)
            self._looking = True
            self._changed.wait_for(lambda: not self._submitting)
        try:
            yield
        finally:
            with self._changed:
                self._looking = False
                self._changed.notify_all()

    @contextmanager
    def unsettled(self) -> Iterator[None]:
        """Count a submit from its beginning until it is known what became of it."""
        with self._changed:
            self._unsettled += 1
        try:
            yield
        finally:
            with self._changed:
                self._unsettled -= 1

    @contextmanager
    def broken_off(self) -> Iterator[None]:
        """Count a submit that broke off, until it is known what became of it."""
        with self._changed:
            self._broken_off += 1
        try:
            yield
        finally:
            with self._changed:
                self._broken_off -= 1

    def made(self, task_ids: Iterable[str]) -> None:
        """Note tasks that were made here."""
        with self._changed:
            self._hashes.extend(hash(task_id) for task_id in task_ids)

    def listed(self, task_ids: Iterable[str]) -> None:
        """Note tasks that the service lists, and that no submit to come can have made.

        While a submit is unsettled they may be its own: then they stay unknown, and are not
        taken for its own either, as they may be somebody else's as well.
        """
        with self._changed:
            if self._unsettled:
                self.ours_alone = False
            else:
                self._hashes.extend(hash(task_id) for task_id in task_ids)

    def found(self, task_ids: Iterable[str]) -> tuple[list[str], bool]:
        """Choose the tasks that a submit which broke off may have made.

        Returns:
            Those that were not made here as far as is known, and whether no other can have made
            them. From now on they count as known, for the next look is not for them; unless
            several submits broke off, each of which must find them.
        """
        with self._changed:
            known = set(self._hashes)
            unknown = [task_id for task_id in task_ids if hash(task_id) not in known]
            alone = self._broken_off == 1
            if alone:
                self._hashes.extend(hash(task_id) for task_id in unknown)
            return unknown, alone and self.ours_alone


class TaskGroups:
    """The groups that executors of one client use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: dict[str, GroupTasks] = {}
        #: The group that executors share: the last that was named, or made by a submit.
        self._default: str | None = None
        #: Groups of the process that this one was forked from. It takes what it does not know
        #: there for its own, so they are not used here unless a user names them.
        self._inherited: frozenset[str] = frozenset()
        tell_of_forks(self)

    def __getitem__(self, group: str) -> GroupTasks:
        """Give what is known of a group; of a new one, nothing."""
        with self._lock:
            return self._groups.setdefault(group, GroupTasks())

    def resolve(self, choice: GroupChoice) -> str | None:
        """Give the group of an executor; ``None`` where its next submit is to make one."""
        with self._lock:
            if choice.id in self._inherited and not choice.given:
                choice.id = None
            if choice.id is None and choice.shares:
                choice.id = self._default
            return choice.id

    def told(self, group: str) -> None:
        """Note that the id of a group leaves this place: others may add tasks to it now."""
        self[group].ours_alone = False

    def named(self, group: str) -> None:
        """Note that a user named a group: executors that are given none share it."""
        with self._lock:
            self._default = group

    def made(self, choice: GroupChoice, group: str) -> None:
        """Note that a submit made a group."""
        with self._lock:
            choice.id = choice.id or group
            self._default = group

    def forget(self, choice: GroupChoice, group: str) -> None:
        """Note that a group can be used no more."""
        with self._lock:
            choice.id = None
            if self._default == group:
                self._default = None

    def abandon(self) -> None:
        """Leave the groups, in a forked process, to the one that it was forked from."""
        self._lock = threading.Lock()
        self._inherited |= self._groups.keys()
        self._groups = {}
        self._default = None
