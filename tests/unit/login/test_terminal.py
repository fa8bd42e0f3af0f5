"""Whether anybody can be asked, by what this process is connected to."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import globus_sdk
import pytest
from globus_sdk.login_flows import CommandLineLoginFlowManager, LocalServerLoginFlowManager

from gcompute.login import terminal
from gcompute.login.prompt import TerminalLogin, asks_on_terminal


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


_PIPE, _TTY = io.StringIO(), _Terminal()


def _connect(monkeypatch: pytest.MonkeyPatch, stdin: Any, stdout: Any, stderr: Any) -> None:
    seen = SimpleNamespace(stdin=stdin, stdout=stdout, stderr=stderr, modules={})
    monkeypatch.setattr(terminal, "sys", seen)


@pytest.mark.parametrize(
    ("stdin", "stdout", "stderr", "possible"),
    [
        (_TTY, _TTY, _TTY, True),
        (_TTY, _PIPE, _TTY, True),
        (_TTY, _TTY, _PIPE, True),
        (_TTY, _PIPE, _PIPE, False),
        (_PIPE, _TTY, _TTY, False),
        (None, _TTY, _TTY, False),
        (_closed(), _TTY, _TTY, False),
        (_TTY, None, None, False),
    ],
)
def test_a_person_must_see_and_type(
    monkeypatch: pytest.MonkeyPatch, stdin: Any, stdout: Any, stderr: Any, possible: bool
) -> None:
    """The keyboard is standard input; the screen is either of the other streams."""
    _connect(monkeypatch, stdin, stdout, stderr)
    assert terminal.can_prompt() is possible


def test_the_address_is_shown_on_a_stream_that_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output, unless that goes elsewhere."""
    _connect(monkeypatch, _TTY, _TTY, _PIPE)
    assert terminal.shown() is _TTY
    _connect(monkeypatch, _TTY, _PIPE, _TTY)
    assert terminal.shown() is _TTY


@pytest.mark.parametrize(
    ("shell", "notebook"),
    [(SimpleNamespace(kernel=object()), True), (SimpleNamespace(), False), (None, False)],
    ids=["kernel", "terminal shell", "no shell"],
)
def test_a_notebook_can_ask_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, shell: Any, notebook: bool
) -> None:
    """A kernel of IPython asks in the notebook; its shell in a terminal is a terminal."""
    _connect(monkeypatch, None, _PIPE, _PIPE)
    modules = {"IPython": SimpleNamespace(get_ipython=lambda: shell)}
    monkeypatch.setattr(sys.modules["gcompute.login.terminal"].__dict__["sys"], "modules", modules)
    assert terminal.can_prompt() is notebook
    assert terminal.in_notebook() is notebook


@pytest.mark.parametrize(
    ("manager", "asks"),
    [
        (None, True),
        ("command-line", True),
        (CommandLineLoginFlowManager, True),
        ("local-server", False),
        (LocalServerLoginFlowManager, False),
        (TerminalLogin, False),
    ],
)
def test_apps_that_would_read_standard_input_are_known(manager: Any, asks: bool) -> None:
    """Those with the prompt of ``globus_sdk``, which does not look who is there."""
    app: Any = SimpleNamespace(config=globus_sdk.GlobusAppConfig(login_flow_manager=manager))
    assert asks_on_terminal(app) is asks


def test_a_prompt_that_is_made_ahead_is_known_too() -> None:
    """An app may be given one that exists."""
    client = globus_sdk.NativeAppAuthClient("50000000-0000-4000-8000-000000000005")
    for cls, asks in ((CommandLineLoginFlowManager, True), (TerminalLogin, False)):
        config = globus_sdk.GlobusAppConfig(login_flow_manager=cls(client))
        app: Any = SimpleNamespace(config=config)
        assert asks_on_terminal(app) is asks
    client.close()
