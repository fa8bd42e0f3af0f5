"""The program in a folder of its own, in processes that end with the test."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gcompute import cli, environment


class Program:
    """Runs ``gcompute local`` with nothing of this user's.

    Args:
        home: the folder that the program takes for the user's own.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / ".local" / "state" / "gcompute" / "local"
        self.environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home)}
        self._started: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in this process, which is quicker than one of its own."""
        output, errors = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
        ):
            for name in ("XDG_STATE_HOME", *environment.proxies()):
                patch.delenv(name, raising=False)
            patch.setenv("HOME", self.environment["HOME"])
            status = cli.main(["local", *arguments])
        return subprocess.CompletedProcess(arguments, status, output.getvalue(), errors.getvalue())

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run a command with ``--json``; give what it says."""
        done = self(*arguments, "--json")
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run a command that goes on; it is killed with the test."""
        process = subprocess.Popen(
            self._command(arguments),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def up(self, *arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        """Start a service in the foreground; give the process, and what it said when ready."""
        process = self.start("up", "--port", "0", "--workers", "0", "--json", *arguments)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        return process, json.loads(line)

    def close(self) -> None:
        """End what was started."""
        for process in self._started:
            process.kill()
            process.communicate()
        said = self.json("status")
        if said["state"] != "absent":
            os.kill(said["pid"], signal.SIGKILL)
            ended = self("down")
            assert ended.returncode == 0, ended.stderr

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "gcompute", "local", *arguments]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program, whose services end with the test."""
    made = Program(tmp_path)
    yield made
    made.close()
