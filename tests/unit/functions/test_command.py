"""Running a command: output, limits, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gcompute import ShellFunction, ShellResult
from gcompute.functions import command
from gcompute.functions.command import run_command


def test_output_errors_and_code_come_back() -> None:
    """As a dict, unless something else is to be made of it."""
    assert run_command("echo out; echo err >&2; exit 3") == {
        "cmd": "echo out; echo err >&2; exit 3",
        "stdout": "out\n",
        "stderr": "err\n",
        "returncode": 3,
        "exception_name": "subprocess.CalledProcessError",
    }
    assert run_command("true", make_result=ShellResult).exception_name is None


def test_output_is_kept_in_files_named_after_the_task(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the task's own directory, where the endpoint gives it one."""
    monkeypatch.setenv("GC_TASK_UUID", "the-task")
    monkeypatch.setenv("GC_TASK_SANDBOX_DIR", str(folder / "made" / "here"))
    assert run_command("pwd")["stdout"] == f"{folder / 'made' / 'here'}\n"
    (out,) = (folder / "made" / "here").glob("the-task.*.stdout")
    assert out.read_text() == f"{folder / 'made' / 'here'}\n"
    assert len(list((folder / "made" / "here").glob("the-task.*.stderr"))) == 1


def test_named_files_are_appended_to(folder: Path) -> None:
    """Their folders are made."""
    run_command("echo 1", stdout="a/b/out", stderr="err")
    assert run_command("echo 2", stdout="a/b/out", stderr="err")["stdout"] == "1\n2\n"
    assert (folder / "a" / "b" / "out").read_text() == "1\n2\n"


@pytest.mark.parametrize(
    ("lines", "expected"), [(0, "1\n2\n3\n"), (1, "3\n"), (2, "2\n3\n"), (9, "1\n2\n3\n")]
)
def test_the_last_lines_come_back(lines: int, expected: str) -> None:
    """The files have all of them."""
    assert run_command("seq 3", snippet_lines=lines)["stdout"] == expected


def test_output_that_is_no_text_comes_back_as_far_as_it_is() -> None:
    """Binary output is no reason to lose the rest."""
    assert run_command(r"printf 'a\xff\n'")["stdout"] == "a\N{REPLACEMENT CHARACTER}\n"


@contextmanager
def pipe_that_ends_with(programs: str) -> Iterator[str]:
    """Give a command that starts programs, each holding a pipe open; then wait for its end."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    try:
        yield programs
        os.close(writer)
        writer = -1
        # Returns once no process has the other end open.
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)


@pytest.mark.parametrize(
    "programs",
    [
        "sleep 1000",
        "sleep 1000 & sleep 1000 & wait",
        "(sleep 1000 & sleep 1000) & sleep 1000",
        "trap '' TERM; sleep 1000 & sleep 1000; sleep 1000",
    ],
)
def test_the_time_limit_ends_every_process(monkeypatch: pytest.MonkeyPatch, programs: str) -> None:
    """Children, grandchildren, and those that do not listen when they are asked to end."""
    monkeypatch.setattr(command, "GRACE_S", 0.3)
    with pipe_that_ends_with(programs) as line:
        result = run_command(line, walltime=0.2)
    assert (result["returncode"], result["exception_name"]) == (124, "subprocess.TimeoutExpired")


def test_a_program_can_finish_its_work_when_its_time_is_over() -> None:
    """It is asked first; what it then writes is there."""
    line = "trap 'echo saved; exit' TERM; echo started; while :; do sleep 0.01; done"
    assert run_command(line, walltime=0.5)["stdout"] == "started\nsaved\n"


@pytest.mark.parametrize("walltime", [None, 1000.0])
def test_an_interruption_ends_the_command(walltime: float | None) -> None:
    """An endpoint's own limit of time arrives as an exception out of a signal."""

    class Over(Exception):
        pass

    def over(_number: int, _frame: object) -> None:
        raise Over

    before = signal.signal(signal.SIGUSR1, over)
    killer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        with pipe_that_ends_with("exec sleep 1000") as line:
            killer.start()
            with pytest.raises(Over):
                run_command(line, walltime=walltime)
    finally:
        killer.join()
        signal.signal(signal.SIGUSR1, before)


def test_without_a_limit_the_command_stays_in_the_workers_group() -> None:
    """So it ends with the worker; with a limit it leads a group of its own."""
    own = str(os.getpgid(0))
    assert run_command("ps -o pgid= $$")["stdout"].split() == [own]
    assert run_command("ps -o pgid= $$", walltime=60)["stdout"].split() != [own]


def test_a_command_runs_in_bash() -> None:
    """Not in sh."""
    assert ShellFunction("[[ abc == a* ]] && echo $BASH_VERSION")().stdout


def test_a_worker_without_bash_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system's error reaches the user."""

    def fail(*_args: object, **_settings: object) -> None:
        raise FileNotFoundError("/bin/bash")

    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(FileNotFoundError, match="/bin/bash"):
        run_command("true")
