"""A person who logs in: at a terminal in this process, or at one of another process.

What he does is real: he opens the address that was printed, gives the service's token there, and
types the code that the page shows.
"""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from types import SimpleNamespace

import httpx
import pytest

from gcompute.local import LocalService

_ADDRESS = re.compile(r"https?://\S+/v2/oauth2/authorize\?\S+")
_CODE = re.compile(r"<code>(.+)</code>")
_PATIENCE_S = 30.0


def code_from_page(address: str, password: str) -> str:
    """Log in on the page of an address; give the code that it shows."""
    page = httpx.get(address, timeout=30)
    assert page.status_code == 200, page.text
    answer = httpx.post(address, data={"token": password}, follow_redirects=True, timeout=30)
    found = _CODE.search(answer.text)
    assert found is not None, answer.text
    return found[1]


class Screen(io.StringIO):
    """What a terminal shows."""

    def isatty(self) -> bool:
        """Say that it is a terminal."""
        return True


class Person:
    """Somebody at the keyboard of this process.

    Attributes:
        screen: what he looks at; also stands for the keyboard, which is a terminal too.
        asked: the addresses that he was sent to.
        slips: what he types first, instead of codes.
    """

    def __init__(self, service: LocalService) -> None:
        self.screen = Screen()
        self.asked: list[str] = []
        self.slips: list[str] = []
        self._password = service.token

    def type(self, prompt: str = "") -> str:
        """Type the code for the address that was shown last, as ``input`` gives it."""
        if self.slips:
            return self.slips.pop()
        address = _ADDRESS.findall(self.screen.getvalue())[-1]
        self.asked.append(address)
        return code_from_page(address, self._password)

    def sit_down(
        self, monkeypatch: pytest.MonkeyPatch, *, output: io.StringIO | None = None
    ) -> None:
        """Take the place before this process, until the test ends.

        The streams are replaced as the login sees them, for pytest has its own in ``sys``.

        Args:
            monkeypatch: undoes it.
            output: standard output, where it is not the screen.
        """
        seen = SimpleNamespace(
            stdin=self.screen, stdout=output or self.screen, stderr=self.screen, modules=sys.modules
        )
        monkeypatch.setattr("gcompute.login.terminal.sys", seen)
        monkeypatch.setattr("builtins.input", self.type)

    def leave(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Leave nobody before this process."""
        nobody = SimpleNamespace(stdin=None, stdout=None, stderr=None, modules=sys.modules)
        monkeypatch.setattr("gcompute.login.terminal.sys", nobody)


def at_terminal(
    command: list[str], environment: Mapping[str, str], password: str
) -> tuple[int, str]:
    """Run a command at a terminal, logging in where it asks; give its status and its output."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=dict(environment)
        )
    finally:
        os.close(theirs)
    try:
        output = _converse(ours, password)
        return process.wait(_PATIENCE_S), output
    finally:
        os.close(ours)
        process.kill()
        process.wait()


def _converse(terminal: int, password: str) -> str:
    """Read until the other end is closed, and type a code for each address."""
    output, answered = "", 0
    deadline = time.monotonic() + _PATIENCE_S
    while select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
        try:
            output += os.read(terminal, 65536).decode(errors="replace")
        except OSError:
            return output  # Linux: the last process with the terminal has ended
        addresses = _ADDRESS.findall(output)
        if len(addresses) > answered and output.rstrip().endswith(":"):
            answered += 1
            os.write(terminal, f"{code_from_page(addresses[-1], password)}\n".encode())
    raise AssertionError(f"it neither asked nor ended: {output}")


def python(code: str) -> list[str]:
    """Give the command that runs some Python."""
    return [sys.executable, "-c", code]
