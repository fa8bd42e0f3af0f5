"""What an engine's worker runs."""

from __future__ import annotations

import functools
import json
import os
import pickle
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from gcompute.local.agent.remote import run_task
from gcompute.messages import ResultMessage, TaskMessage, decode, encode
from gcompute.serialize import ComputeSerializer, pack_buffers

TASK_ID, ENDPOINT_ID = str(uuid.uuid4()), str(uuid.uuid4())


def call(run_dir: Path) -> functools.partial[bytes]:
    """Give a call of a task that says where it runs."""
    serializer = ComputeSerializer()
    parts: tuple[object, ...] = (os.getcwd, (), {})
    buffer = pack_buffers([serializer.serialize(part) for part in parts])
    return functools.partial(
        run_task,
        encode(TaskMessage(TASK_ID, buffer)),
        TASK_ID,
        [],
        endpoint_id=ENDPOINT_ID,
        run_dir=str(run_dir),
        sandbox=False,
    )


def test_a_message_goes_in_and_a_message_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place is made where the worker is, and the result says whose it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "GC_TASK_UUID", "")
    result = decode(call(tmp_path / "new")())
    assert isinstance(result, ResultMessage)
    assert result.task_id == TASK_ID
    assert ComputeSerializer().deserialize(result.data) == str(tmp_path / "new")
    assert result.details is not None
    assert result.details["endpoint_id"] == ENDPOINT_ID


def test_a_worker_needs_little(tmp_path: Path) -> None:
    """The call is pickled by its name, and running it takes dill, and nothing else installed."""
    program = (
        "import json, pickle, sys; from importlib.metadata import packages_distributions as p; "
        "pickle.loads(sys.stdin.buffer.read())(); "
        "names = {m.partition('.')[0] for m in sys.modules}; "
        "print(json.dumps(sorted(names & p().keys())))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path += {sys.path!r}; {program}"],
        input=pickle.dumps(call(tmp_path)),
        capture_output=True,
        check=True,
    )
    assert set(json.loads(done.stdout)) - {"gcompute"} == {"dill"}
