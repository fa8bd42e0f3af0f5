"""The bar that shows how many futures have ended."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable

import pytest

import gcompute
from gcompute import ComputeFuture
from gcompute.executor.future import settle


class Terminal(io.StringIO):
    """A terminal that keeps what is written."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


def shown(call: Callable[[], object]) -> str:
    """Call something with a terminal as standard error, and give what it writes there."""
    with contextlib.redirect_stderr(Terminal()) as terminal:
        call()
    return terminal.getvalue()


def mixed() -> list[ComputeFuture]:
    """Give four futures: two with results, one that failed, one that was cancelled."""
    futures = [ComputeFuture() for _ in range(4)]
    for future in futures[:2]:
        settle(future, 1)
    settle(futures[2], error=ValueError("no"))
    futures[3].cancel()
    return futures


def test_as_completed_shows_a_bar() -> None:
    """It ends full, with the failures counted."""
    last = shown(lambda: list(gcompute.as_completed(mixed(), progress=True))).rpartition("\r")[2]
    assert "4/4" in last
    assert "failed=2" in last
    assert last.endswith("\n")


def test_wait_shows_a_bar() -> None:
    """It stays where it is when the time is over."""
    futures = [*mixed()[:2], ComputeFuture()]
    last = shown(lambda: gcompute.wait(futures, 0, progress=True)).rpartition("\r")[2]
    assert "2/3" in last
    assert "failed" not in last
    assert last.endswith("\n")


def test_a_log_has_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard error is no terminal, nothing is written."""
    list(gcompute.as_completed(mixed(), progress=True))
    assert capsys.readouterr() == ("", "")


def test_nobody_asked_for_a_bar() -> None:
    """Then there is none."""
    assert shown(lambda: list(gcompute.as_completed(mixed()))) == ""


def test_a_loop_that_is_left_early_may_end_its_bar() -> None:
    """So that what is printed next starts on a line of its own."""

    def take_one() -> None:
        completed = gcompute.as_completed(mixed(), progress=True)
        next(completed)
        completed.close()
        assert shown(completed.close) == ""

    assert shown(take_one).endswith("\n")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where a bar is wanted."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert len(list(gcompute.as_completed(mixed()))) == 4
    for call in (gcompute.as_completed, gcompute.wait):
        with pytest.raises(ImportError, match=r"pip install 'gcompute\[progress\]'"):
            call(mixed(), progress=True)
