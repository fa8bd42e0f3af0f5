"""Scripts that just end: what they submitted is sent and waited for; Ctrl-C leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gcompute.local import LocalService
from tests.support.exiting import complaints

_BEGINNING = """
import sys, threading, time
import globus_sdk
from gcompute import Client, Executor

url, token, endpoint_id, path = sys.argv[1:]
client = Client(base_url=url, authorizer=globus_sdk.AccessTokenAuthorizer(token))
executor = Executor(endpoint_id, client=client)

def wait_for(path):
    import os, time
    deadline = time.monotonic() + 60
    while not os.path.exists(path) and time.monotonic() < deadline:
        time.sleep(0.02)
    return os.path.exists(path)

def one():
    return 1
"""


def _start(service: LocalService, path: Path, script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-W", "error", "-c", _BEGINNING + script),
            *(service.url, service.token, service.endpoint_id, str(path)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _end(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()


def test_a_script_without_with_waits_for_its_results(service: LocalService, tmp_path: Path) -> None:
    """And for their callbacks, slow ones too: all of their output is there."""
    process = _start(
        service,
        tmp_path / "go",
        """
def told(number):
    def callback(future):
        time.sleep(0.05)
        print(number, future.result(), flush=True)
    return callback

for number in range(10):
    executor.submit(one).add_done_callback(told(number))
""",
    )
    out, err = _end(process)
    assert complaints(err) == ""
    assert process.returncode == 0
    assert sorted(out.splitlines()) == [f"{n} 1" for n in range(10)]


def test_callbacks_at_exit_run_to_their_end(service: LocalService, tmp_path: Path) -> None:
    """Also when the executor was shut down without waiting for it."""
    process = _start(
        service,
        tmp_path / "go",
        """
def callback(future):
    time.sleep(0.3)
    print("called with", future.result(), flush=True)

executor.submit(one).add_done_callback(callback)
executor.shutdown(wait=False)
""",
    )
    out, err = _end(process)
    assert (out, complaints(err)) == ("called with 1\n", "")
    assert process.returncode == 0


@pytest.mark.parametrize("interrupted", [False, True])
def test_ctrl_c_leaves(service: LocalService, tmp_path: Path, interrupted: bool) -> None:
    """A script that waits for its results at its end says so after a while, and how to leave.

    It waits there also after a first Ctrl-C in ``result()``, as what was submitted may be wanted.
    """
    go = tmp_path / "go"
    process = _start(
        service,
        go,
        f"""
future = executor.submit(wait_for, path)
while not future.task_id:
    time.sleep(0.01)
print("submitted", executor.task_group_id, flush=True)
if {interrupted}:
    future.result()
""",
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        submitted, group = process.stdout.readline().split()
        assert submitted == "submitted"
        if interrupted:
            process.send_signal(signal.SIGINT)
        said = [process.stderr.readline()]
        while "Ctrl-C leaves at once" not in said[-1]:
            assert said[-1], said
            said.append(process.stderr.readline())
        assert "waiting for 1 task before the interpreter exits" in said[-1]
        assert f"Executor.reload_tasks('{group}') finds the tasks again" in said[-1]
        assert ("KeyboardInterrupt\n" in said) == interrupted
        process.send_signal(signal.SIGINT)
        process.wait(40)  # the task would go on for longer
        assert not go.exists()
    finally:
        go.touch()
        _, err = _end(process)
    assert err.splitlines() == [
        f"left 1 task that did not end; Executor.reload_tasks('{group}') finds the tasks again"
    ]


def test_a_second_ctrl_c_leaves_an_executor_and_the_script(
    service: LocalService, tmp_path: Path
) -> None:
    """The first, in ``result()``, leaves ``with``, which waits for the task and says so.

    The second ends that, and the interpreter's exit does not wait again.
    """
    go = tmp_path / "go"
    process = _start(
        service,
        go,
        """
with executor:
    future = executor.submit(wait_for, path)
    while not future.task_id:
        time.sleep(0.01)
    print("submitted", executor.task_group_id, flush=True)
    future.result()
""",
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        _submitted, group = process.stdout.readline().split()
        process.send_signal(signal.SIGINT)
        found = f"Executor.reload_tasks('{group}') finds the tasks again\n"
        assert process.stderr.readline() == (
            f"waiting for 1 task before the executor is left; Ctrl-C leaves at once, and {found}"
        )
        process.send_signal(signal.SIGINT)
        process.wait(60)
        assert not go.exists()
    finally:
        go.touch()
        _, err = _end(process)
    assert f"left 1 task that did not end; {found}" in err
    assert "before the interpreter exits" not in err


def test_a_second_ctrl_c_may_come_at_once(service: LocalService, tmp_path: Path) -> None:
    """Before the wait has begun that it ends."""
    go = tmp_path / "go"
    process = _start(
        service,
        go,
        """
import logging, signal

class Impatient(logging.StreamHandler):
    def emit(self, record):
        super().emit(record)
        if "waiting for" in record.getMessage():
            signal.raise_signal(signal.SIGINT)

logging.getLogger("gcompute").addHandler(Impatient())
with executor:
    executor.submit(wait_for, path)
    raise KeyboardInterrupt
""",
    )
    try:
        process.wait(60)
        assert not go.exists()
    finally:
        go.touch()
        _, err = _end(process)
    waiting, left = [line for line in err.splitlines() if "task" in line and " File " not in line]
    assert waiting.startswith("waiting for 1 task before the executor is left; Ctrl-C leaves")
    assert left.startswith("left 1 task that did not end")


def test_importing_and_making_one_start_no_thread() -> None:
    """Neither ``import gcompute`` nor ``Executor(...)``, nor leaving it unused."""
    script = """
import threading
import gcompute
import globus_sdk
assert threading.active_count() == 1, threading.enumerate()
client = gcompute.Client(authorizer=globus_sdk.AccessTokenAuthorizer("t"))
with gcompute.Executor("20000000-0000-4000-8000-000000000002", client=client) as executor:
    assert threading.active_count() == 1, threading.enumerate()
assert threading.active_count() == 1, threading.enumerate()
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
