"""The loop of a worker, on a socket whose other end has already said everything."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

import pytest

from gcompute.local.agent.execution import Workplace
from gcompute.local.agent.frames import FrameReader, encode_task
from gcompute.local.agent.worker import serve
from gcompute.messages import ResultMessage, TaskMessage, decode, encode
from gcompute.serialize import ComputeSerializer, pack_buffers


def test_a_worker_says_that_it_is_warm_and_answers_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One empty frame, one result a task, and the end when the agent closes its end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "GC_TASK_UUID", "")
    serializer = ComputeSerializer()
    task_ids = [str(uuid.uuid4()) for _ in range(3)]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for n, task_id in enumerate(task_ids):
            parts: tuple[object, ...] = (abs, (-n,), {})
            buffer = pack_buffers([serializer.serialize(part) for part in parts])
            ours.sendall(encode_task(task_id, [], encode(TaskMessage(task_id, buffer))))
        ours.shutdown(socket.SHUT_WR)
        serve(theirs, Workplace(str(uuid.uuid4()), tmp_path))
        theirs.close()
        with ours.makefile("rb") as stream:
            warm, *results = FrameReader().feed(stream.read())
    assert warm == b""
    messages = [decode(result) for result in results]
    assert [m.task_id for m in messages if isinstance(m, ResultMessage)] == task_ids
    assert [serializer.deserialize(m.data) for m in messages if isinstance(m, ResultMessage)] == [
        *(0, 1, 2)
    ]
