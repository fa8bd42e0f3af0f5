"""Executors and ``os.fork``: what was used stays the parent's, what is new works in the child.

Each script runs in an interpreter of its own, as users' do.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from gcompute.local import LocalService
from tests.support.exiting import complaints

#: What every script begins with. ``in_child`` runs something in a forked process and gives what
#: it returned, as text; a child that does not end in time is an error.
_BEGINNING = """
import os, signal, sys, threading
import globus_sdk
from gcompute import Client, Executor

url, token, endpoint_id = sys.argv[1:]
authorizer = globus_sdk.AccessTokenAuthorizer(token)
client = Client(base_url=url, authorizer=authorizer, request_limit=None)

def double(x):
    return 2 * x

def in_child(function):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(40)
        try:
            said = str(function())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, (status, said)
    return said

def use_a_new_one():
    with Executor(endpoint_id, client=client) as executor:
        value = executor.submit(double, 4).result(30)
        return f"{value} {executor.task_group_id}"
"""


def _run(service: LocalService, script: str) -> list[str]:
    run = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-c", _BEGINNING + script),
            *(service.url, service.token, service.endpoint_id),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert complaints(run.stderr) == ""
    return run.stdout.splitlines()


def test_an_executor_that_was_in_use_says_so_in_the_child(service: LocalService) -> None:
    """Its threads are not there: RuntimeError, and no future that never ends; not in the parent."""
    told, again, after = _run(
        service,
        """
executor = Executor(endpoint_id, client=client)
pending = executor.submit(double, 1)
pending.result(30)
print(in_child(lambda: executor.submit(double, 2)))
print(in_child(lambda: (executor.shutdown(), list(executor.map(double, [1])))))
print(executor.submit(double, 3).result(30))
executor.shutdown()
""",
    )
    for said in (told, again):
        assert said.startswith("RuntimeError: the executor was in use when this process was forked")
        assert "make one here" in said
    assert after == "6"


def test_a_new_executor_works_in_the_child(service: LocalService) -> None:
    """With the same client, and in a task group of its own; the parent goes on in its own."""
    child, grandchild, parent = _run(
        service,
        """
executor = Executor(endpoint_id, client=client)
executor.submit(double, 1).result(30)
print(in_child(use_a_new_one))
print(in_child(lambda: use_a_new_one() and in_child(use_a_new_one)))
print(executor.submit(double, 5).result(30), executor.task_group_id)
executor.shutdown()
""",
    )
    (four, group), (eight, other), (ten, ours) = (
        line.split() for line in (child, grandchild, parent)
    )
    assert (four, eight, ten) == ("8", "8", "10")
    assert len({group, other, ours}) == 3


def test_one_that_was_not_used_works_in_both(service: LocalService) -> None:
    """It had nothing yet that a fork could take away."""
    child, parent = _run(
        service,
        """
executor = Executor(endpoint_id, client=client)
def use_it():
    with executor:
        return executor.submit(double, 1).result(30)
print(in_child(use_it))
print(executor.submit(double, 2).result(30))
executor.shutdown()
""",
    )
    assert (child, parent) == ("2", "4")


def test_a_fork_in_the_middle_of_everything(service: LocalService) -> None:
    """Whatever the parent's threads were doing, and whatever lock they held: every child works."""
    *children, parent = _run(
        service,
        """
executor = Executor(endpoint_id, client=client)
enough = threading.Event()
values = []
def submit_all_the_time():
    while not enough.is_set():
        values.extend(f.result(60) for f in [executor.submit(double, n) for n in range(20)])
thread = threading.Thread(target=submit_all_the_time)
thread.start()
for _ in range(8):
    print(in_child(use_a_new_one).split()[0])
enough.set()
thread.join()
executor.shutdown()
print(len(values) > 0 and values == [2 * n for n in range(20)] * (len(values) // 20))
""",
    )
    assert children == ["8"] * 8
    assert parent == "True"


def test_forks_while_the_first_submit_imports_what_it_needs(service: LocalService) -> None:
    """A module that is being imported by a thread would never be there in the child."""
    *children, parent = _run(
        service,
        """
executor = Executor(endpoint_id, client=client)
future = executor.submit(double, 1)
children = []
for _ in range(8):
    child = os.fork()
    if not child:
        signal.alarm(40)
        os._exit(0 if use_a_new_one().startswith("8") else 1)
    children.append(child)
    threading.Event().wait(0.01)
for child in children:
    print(os.waitpid(child, 0)[1])
print(future.result(30))
executor.shutdown()
""",
    )
    assert (children, parent) == (["0"] * 8, "2")


@pytest.mark.parametrize("submits", [False, True])
def test_a_child_that_leaves_as_scripts_do_ends(service: LocalService, submits: bool) -> None:
    """It waits for its own tasks at exit, and not for those of the parent."""
    ended, parent = _run(
        service,
        f"""
executor = Executor(endpoint_id, client=client)
future = executor.submit(double, 1)
child = os.fork()
if not child:
    signal.alarm(40)
    if {submits}:
        Executor(endpoint_id, client=client).submit(double, 2)
    sys.exit(0)
print(os.waitpid(child, 0)[1])
print(future.result(30))
executor.shutdown()
""",
    )
    assert (ended, parent) == ("0", "2")


def test_a_fork_while_the_first_executor_is_made(service: LocalService) -> None:
    """The client that executors share is made by one thread; the child does not wait for it."""
    out = _run(
        service,
        """
import gcompute.client

begun, usual = threading.Event(), Client.__init__

def slow(*args, **kwargs):
    begun.set()
    threading.Event().wait(0.2)  # a slow disk: nothing comes of it
    usual(*args, **kwargs)

Client.__init__ = slow
thread = threading.Thread(target=Executor)
thread.start()
begun.wait()
print(in_child(lambda: type(Executor().client).__name__))
thread.join()
""",
    )
    assert out == ["Client"]
