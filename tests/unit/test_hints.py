"""What endpoints' error texts usually mean.

The texts in ``error_texts/`` were written by the official agent 4.19.0 with its thread, process
and Parsl engines (``official_``), and by the agent of ``gcompute.local`` (``local_``), when tasks
failed in these ways; only the folders' names were changed. Those of ``own_`` are failures of
the user's own code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gcompute import TaskExecutionFailed
from gcompute.hints import hints_for

_TEXTS = Path(__file__).parent / "error_texts"

_MEANINGS = {
    "official_large_result": "10 MiB",
    "local_large_result": "10 MiB",
    "official_processes_lost_worker": "worker process died",
    "official_parsl_lost_worker": "worker process died",
    "local_lost_worker": "worker process died",
    "official_time_limit": "GC_TASK_TIMEOUT",
    "official_no_memory": "too little memory",
    "official_missing_module": "not installed where the task ran",
    "official_missing_module_of_argument": "not installed where the task ran",
    "official_broken_argument": "compare the Python and dill versions",
    "official_unknown_strategy": "compare the Python and dill versions",
    "official_coroutine_function": "asyncio.run",
    "local_coroutine_function": "asyncio.run",
    "official_name_of_the_script": "Import in its body",
    "local_name_of_the_script": "Import in its body",
    "official_unsendable_result": "result cannot be sent back",
    "local_unsendable_result": "result cannot be sent back",
}


@pytest.mark.parametrize(("name", "meaning"), _MEANINGS.items())
def test_what_the_endpoint_did_is_explained(name: str, meaning: str) -> None:
    """By one hint, at the end of the error's message."""
    text = (_TEXTS / f"{name}.txt").read_text()
    (hint,) = hints_for(text)
    assert meaning in hint
    assert str(TaskExecutionFailed(text)).endswith(f"Hint: {hint}")


@pytest.mark.parametrize("name", sorted(p.stem for p in _TEXTS.glob("own_*.txt")))
def test_what_the_user_did_is_not_explained_away(name: str) -> None:
    """Although its words are about pickles or time."""
    assert hints_for((_TEXTS / f"{name}.txt").read_text()) == []


def test_every_text_is_tried() -> None:
    """None lies in the folder for nothing."""
    names = {path.stem for path in _TEXTS.iterdir()}
    assert {n for n in names if not n.startswith("own_")} == set(_MEANINGS)
    assert len(names) > len(_MEANINGS)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        # As Parsl's exception and the local agent's write them.
        (
            "parsl.executors.high_throughput.errors.ManagerLost: Task failure due to loss of "
            "manager 4f on host n1",
            "walltime",
        ),
        ("TaskTimeout: Task exceeded its limit of 3 s (GC_TASK_TIMEOUT)", "GC_TASK_TIMEOUT"),
        ("SystemError: unknown opcode", "serialization"),
        ("joblib.externals.loky.process_executor.TerminatedWorkerError: A worker", "process died"),
    ],
)
def test_others_are_known_as_well(text: str, fragment: str) -> None:
    """Those that need a node or a Python that is not at hand."""
    (hint,) = hints_for(text)
    assert fragment in hint


def test_one_hint_is_enough() -> None:
    """The most specific one."""
    assert len(hints_for("WorkerLost: gone\nMemoryError\nImportError: x")) == 1
