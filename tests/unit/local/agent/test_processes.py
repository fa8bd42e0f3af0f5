"""How processes end, in words; the pool itself is tested with the agent, in the scenarios."""

from __future__ import annotations

import pytest

from gcompute.local.agent.processes import describe_exit


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "exited with code 0"),
        (7, "exited with code 7"),
        (-9, "was killed by signal 9, SIGKILL"),
        (-11, "was killed by signal 11, SIGSEGV"),
        (-40, "was killed by signal 40"),
    ],
)
def test_an_exit_status_in_words(code: int, text: str) -> None:
    """A signal is named where it has a name."""
    assert describe_exit(code) == text
