"""What is said of tasks that are waited for, and of those that are left behind."""

from __future__ import annotations

import logging

import pytest

from gcompute.executor import leaving


class Engine:
    """Stands for one with tasks under way."""

    def __init__(self, unfinished: int, groups: list[str]) -> None:
        self._unfinished = unfinished
        self._groups = groups
        #: How often its groups were told.
        self.told = 0

    def close(self) -> None:
        """Take no more tasks."""

    def wait_for_futures(self, timeout_s: float | None = None) -> bool:
        raise KeyboardInterrupt

    def wait_for_callbacks(self) -> None:
        """Nothing runs."""

    def unfinished(self) -> int:
        return self._unfinished

    def tell_groups(self) -> list[str]:
        self.told += 1
        return self._groups


@pytest.mark.parametrize(
    ("unfinished", "groups", "said"),
    [
        (0, ["g"], []),
        (1, [], ["waiting for 1 task before all ends; Ctrl-C leaves at once"]),
        (
            2,
            ["g", "h"],
            [
                "waiting for 2 tasks before all ends; Ctrl-C leaves at once, and "
                "Executor.reload_tasks('g'), Executor.reload_tasks('h') finds the tasks again"
            ],
        ),
    ],
)
def test_what_is_waited_for_is_said(
    caplog: pytest.LogCaptureFixture, unfinished: int, groups: list[str], said: list[str]
) -> None:
    """Where there is anything; of tasks that were not sent nothing can be found."""
    engine = Engine(unfinished, groups)
    with caplog.at_level(logging.WARNING):
        leaving.tell_of_waiting(engine, "all ends")
    assert caplog.messages == said
    assert engine.told == len(said)


def test_ctrl_c_at_the_exit_leaves_all(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One Ctrl-C, however many executors have tasks; it goes no further than their exit."""
    monkeypatch.setattr(leaving, "_waited_for", set())
    engines = [Engine(1, ["g"]), Engine(3, []), Engine(0, ["h"])]
    for engine in engines:
        leaving.wait_at_exit(engine)
    with caplog.at_level(logging.WARNING):
        leaving._finish_all()
    assert sorted(caplog.messages) == [
        "left 1 task that did not end; Executor.reload_tasks('g') finds the tasks again",
        "left 3 tasks that did not end",
    ]
    assert not leaving._waited_for


def test_ctrl_c_in_a_block_is_told_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait for the end is part of leaving ``with``."""
    monkeypatch.setattr(leaving, "_waited_for", set())
    engine = Engine(2, [])
    leaving.wait_at_exit(engine)
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(KeyboardInterrupt),
        leaving.left_by_ctrl_c(engine),
        leaving.left_by_ctrl_c(engine),
    ):
        raise KeyboardInterrupt
    assert caplog.messages == ["left 2 tasks that did not end"]
    assert not leaving._waited_for
