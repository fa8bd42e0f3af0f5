"""A forked process is told apart: locks that other threads held there do not hold for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import globus_sdk
import httpx
import pytest

from gcompute.budget import RequestBudget
from gcompute.executor.groups import GroupChoice, TaskGroups
from gcompute.finished import FinishedTasks
from gcompute.forking import no_fork, tell_of_forks
from gcompute.http.connections import Connections
from gcompute.login import Login
from gcompute.once import Once

WAIT_S = 60


def _in_child(function: Callable[[], object]) -> bool:
    """Tell whether something is true in a forked process; it is ended where it hangs."""
    child = os.fork()
    if not child:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest's own would raise, in here
            signal.alarm(WAIT_S)
            os._exit(0 if function() else 1)
        finally:  # else the child would go on with the tests
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


class _Told:
    def __init__(self) -> None:
        self.count = 0
        tell_of_forks(self)

    def abandon(self) -> None:
        self.count += 1


def test_the_child_is_told_and_the_parent_is_not() -> None:
    """Once a fork, also of a grandchild."""
    told = _Told()
    assert _in_child(lambda: told.count == 1 and _in_child(lambda: told.count == 2))
    assert told.count == 0


def test_a_fork_waits_for_what_must_not_be_cut_in_two() -> None:
    """An import in another thread would never end in the child, nor would who needs the module."""
    begun, ended = threading.Event(), threading.Event()

    def import_something() -> None:
        with no_fork:
            begun.set()
            threading.Event().wait(0.1)
            ended.set()

    importing = threading.Thread(target=import_something)
    importing.start()
    assert begun.wait(WAIT_S)
    assert _in_child(lambda: ended.is_set() and _in_child(ended.is_set))
    importing.join()
    with no_fork:  # of the thread that forks; free in parent and child
        assert _in_child(lambda: True)


def test_a_fork_does_not_keep_logging_from_what_it_waits_for() -> None:
    """Most modules make a logger when they are imported, whatever the program imports first."""
    program = """
import os, signal, sys, threading
import gcompute.forking

begun, forking = threading.Event(), threading.Event()

def import_something():
    with gcompute.forking.no_fork:
        begun.set()
        forking.wait()
        threading.Event().wait(0.1)
        import logging
        logging.getLogger("of a module")

signal.alarm(%d)
importing = threading.Thread(target=import_something)
importing.start()
begun.wait()
import logging
forking.set()
child = os.fork()
if not child:
    os._exit(0)
importing.join()
sys.exit(os.waitpid(child, 0)[1])
"""
    subprocess.run([sys.executable, "-c", program % WAIT_S], check=True)


def test_what_is_no_more_is_not_told() -> None:
    """Being told keeps nothing alive."""
    counts: list[int] = []

    class Recording(_Told):
        def abandon(self) -> None:
            counts.append(1)

    kept, gone = Recording(), Recording()
    del gone
    assert _in_child(lambda: counts == [1])
    assert kept.count == 0


@pytest.mark.parametrize(
    ("make", "use"),
    [
        (FinishedTasks, lambda finished: finished.add("t", {}) is None),
        (RequestBudget, lambda budget: budget.take(0.0).moment == 0.0),
        (Once, lambda once: once.claim("thing")),
        (TaskGroups, lambda groups: groups.resolve(GroupChoice()) is None),
        (lambda: Connections(httpx.Client), lambda connections: connections.close() is None),
        (
            lambda: Login(authorizer=globus_sdk.AccessTokenAuthorizer("t")),
            lambda login: login.authorize().header == "Bearer t",
        ),
    ],
    ids=["finished", "budget", "once", "groups", "connections", "login"],
)
def test_a_lock_that_was_held_at_the_fork_is_free_in_the_child(
    make: Callable[[], Any], use: Callable[[Any], bool]
) -> None:
    """Whoever held it is not there."""
    thing = make()
    with ExitStack() as held:
        held.enter_context(thing._lock)
        assert _in_child(lambda: use(thing))
    assert use(thing)


def test_what_a_child_claimed_before_the_fork_stays_claimed() -> None:
    """It is the same program: what its user was told once need not be told again."""
    once = Once()
    once.claim("thing")
    assert _in_child(lambda: not once.claim("thing"))


def test_the_parents_connections_stay_open_and_the_child_has_its_own() -> None:
    """Two processes on one connection read each other's answers."""
    connections = Connections(httpx.Client)
    with connections.use() as ours:
        pass

    def another() -> bool:
        with connections.use() as theirs:
            return theirs is not ours and not ours.is_closed

    assert _in_child(another)
    with connections.use() as still:
        assert still is ours
    connections.close()
