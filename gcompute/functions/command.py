"""Running one command line on a worker, with a limit of time that leaves nothing behind.

A command goes in; what it wrote, how it ended and, where it failed, the name of the exception
come out. The command is the worker's child; with a limit of time it leads a process group of
its own, all of which ends when the time is over. Its output goes to files in the task's
directory, which stay.

This module travels to workers as source: it imports nothing but the standard library, and is
written for every Python that an endpoint may have.
"""

from __future__ import annotations

import collections
import os
import signal
import subprocess
import tempfile
import time
import uuid
from typing import Any, Callable, TextIO  # noqa: UP035 - for every Python

#: Seconds that a command has to end after it was asked to.
GRACE_S = 2.0
#: What coreutils' timeout(1) returns for a command whose time was over.
TIME_IS_OVER = 124


def run_command(
    cmd: str,
    stdout: str | None = None,
    stderr: str | None = None,
    walltime: float | None = None,
    snippet_lines: int = 1000,
    make_result: Callable[..., Any] = dict,
) -> Any:
    """Run a command line in bash and wait for it.

    Args:
        cmd: the command line.
        stdout: file that its output is appended to; default a new one, named after the task.
        stderr: the same for its errors.
        walltime: seconds after which it is ended, with every process that it started.
        snippet_lines: how many of the last lines of each file to give back; 0 for all.
        make_result: called with the keyword arguments ``cmd``, ``stdout``, ``stderr``,
            ``returncode`` and ``exception_name``.
    """
    # Set where the endpoint gives each task a directory of its own.
    sandbox = os.environ.get("GC_TASK_SANDBOX_DIR")
    if sandbox:
        os.makedirs(sandbox, exist_ok=True)
        os.chdir(sandbox)
    with _output_file(stdout, ".stdout") as out, _output_file(stderr, ".stderr") as err:
        returncode, failure = _run(cmd, out, err, walltime)
        return make_result(
            cmd=cmd,
            stdout=_last_lines(out, snippet_lines),
            stderr=_last_lines(err, snippet_lines),
            returncode=returncode,
            exception_name=failure,
        )


def _output_file(path: str | None, suffix: str) -> TextIO:
    """Open a file to append to and to read; a new one where no path is given."""
    if path:
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
    else:
        task = os.environ.get("GC_TASK_UUID") or str(uuid.uuid4())[-10:]
        descriptor, path = tempfile.mkstemp(dir=os.getcwd(), prefix=task + ".", suffix=suffix)
        os.close(descriptor)
    # Output that is no text is no reason to fail.
    return open(path, "a+", encoding="utf-8", errors="replace")


def _run(cmd: str, out: TextIO, err: TextIO, walltime: float | None) -> tuple[int, str | None]:
    """Run a command, and give its return code and the name of what went wrong."""
    # Without a limit the command stays in the worker's group, and ends with it.
    process = subprocess.Popen(
        ["/bin/bash", "-c", cmd],
        stdout=out,
        stderr=err,
        close_fds=False,
        start_new_session=walltime is not None,
    )
    try:
        returncode = process.wait(timeout=walltime)
    except subprocess.TimeoutExpired:
        _end_group(process)
        return TIME_IS_OVER, "subprocess.TimeoutExpired"
    except BaseException:
        # The endpoint's own limit of time, for one.
        if walltime is None:
            process.kill()
            process.wait()
        else:
            _end_group(process)
        raise
    return returncode, "subprocess.CalledProcessError" if returncode else None


def _end_group(leader: subprocess.Popen[bytes]) -> None:
    """Ask every process of a group to end, and kill those that have not within the grace."""
    deadline = time.monotonic() + GRACE_S
    try:
        os.killpg(leader.pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            # A leader that has ended stays a member until it is waited for.
            leader.poll()
            os.killpg(leader.pid, 0)
            time.sleep(0.02)
        os.killpg(leader.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # Nobody is left.
    leader.wait()


def _last_lines(file: TextIO, count: int) -> str:
    """Read the last lines of a file; all for 0."""
    file.seek(0)
    return "".join(collections.deque(file, maxlen=count) if count > 0 else file.readlines())
