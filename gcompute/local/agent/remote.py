"""What an engine's worker runs: one task, from its message to its result's message.

The engine pickles :func:`run_task` by its name, so this module must be importable where its
workers are. It needs the standard library and dill, and of gcompute nothing that has further
requirements: ``pip install --no-deps gcompute dill`` is enough for a worker.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gcompute.messages import encode

from .execution import Workplace, environment_details, execute


def run_task(
    body: bytes,
    task_id: str,
    result_serializers: Sequence[str],
    endpoint_id: str,
    run_dir: str,
    sandbox: bool,
) -> bytes:
    """Run a task; give the body of its result's message.

    Args:
        body: the task message.
        task_id: the task.
        result_serializers: see :func:`~gcompute.local.agent.execution.execute`.
        endpoint_id: whose task it is.
        run_dir: the working directory; made where the worker is.
        sandbox: whether the task gets a directory of its own below that.
    """
    own_pid = os.getpid()
    workplace = _workplace(endpoint_id, run_dir, sandbox)
    result = execute(body, task_id, result_serializers, workplace)
    if os.getpid() != own_pid:
        # The function forked, and this is the child that came back from it.
        os._exit(0)
    for stream in (sys.stdout, sys.stderr):
        # The function may have closed or replaced it.
        with suppress(Exception):
            stream.flush()
    return encode(result)


@functools.lru_cache(maxsize=8)
def _workplace(endpoint_id: str, run_dir: str, sandbox: bool) -> Workplace:
    return Workplace(endpoint_id, Path(run_dir), sandbox, details=environment_details(endpoint_id))
