"""Words for what engines raise."""

from __future__ import annotations

import re
from concurrent.futures import BrokenExecutor, CancelledError
from concurrent.futures.process import BrokenProcessPool

import pytest

from gcompute.local.agent.engine_failure import describe_error, describe_value, is_broken


class WorkerLost(Exception):
    """Parsl's, by its name."""


class KilledWorker(Exception):
    """dask's, by its name."""


@pytest.mark.parametrize(
    ("error", "broken", "code", "words"),
    [
        (BrokenExecutor(), True, "WorkerLost", r"all that the engine ran .* \(BrokenExecutor\)"),
        (BrokenProcessPool("gone"), True, "WorkerLost", r"\(BrokenProcessPool: gone\)"),
        (
            WorkerLost("w1"),
            False,
            "WorkerLost",
            r"of Pool that ran this task died \(WorkerLost: w1",
        ),
        (KilledWorker("w1"), False, "WorkerLost", "KilledWorker: w1"),
        (CancelledError(), False, "EngineFailed", "Pool cancelled this task"),
        (
            ModuleNotFoundError("No module named 'gcompute'"),
            False,
            "EngineFailed",
            "pip install --no-deps gcompute",
        ),
        (OSError("full"), False, "EngineFailed", r"Pool could not run this task \(OSError: full\)"),
    ],
)
def test_an_error_in_words(error: Exception, broken: bool, code: str, words: str) -> None:
    """A lost worker is told apart from an engine that cannot run the task."""
    assert is_broken(error) is broken
    found, text = describe_error(error, "Pool")
    assert found == code
    assert re.search(words, text)


def test_a_missing_package_is_found_behind_the_words_of_an_engine() -> None:
    """The way out is told, whoever wraps the error; a circle of causes ends."""
    cause, error = ModuleNotFoundError("No module named 'gcompute'"), RuntimeError("bad graph")
    error.__cause__, cause.__cause__ = cause, error
    assert "pip install --no-deps gcompute" in describe_error(error, "Pool")[1]
    error.__cause__ = cause.__cause__ = None
    assert "could not run this task" in describe_error(error, "Pool")[1]


def test_a_value_that_is_no_result() -> None:
    """The engine is named, and what it gave."""
    assert describe_value(3, "Pool")[1].startswith("Pool gave a int in place of")
