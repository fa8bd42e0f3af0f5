"""A worker process: takes tasks from its socket one at a time, runs them, answers.

Started by :mod:`gcompute.local.agent.processes` with one argument, a JSON object: ``fd`` (the
number of the inherited socket), ``endpoint_id``, ``run_dir``, ``sandbox``. Its standard output is
the agent's standard error, so that what user functions print ends up in the agent's log.

It ends when the agent closes the socket, without waiting for threads that user functions left
behind. It imports neither asyncio nor pika: a worker is to be up quickly.
"""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FunctionType

from gcompute.messages import encode
from gcompute.serialize import ComputeSerializer

from .execution import Workplace, environment_details, execute
from .frames import LENGTH_SIZE, decode_task, encode_frame, payload_length


def main() -> None:
    """Serve until the agent closes the socket."""
    settings = json.loads(sys.argv[1])
    sys.argv[:] = [""]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    # Python made the descriptor inheritable for this process only: programs that user functions
    # start must not keep the socket open.
    os.set_inheritable(settings["fd"], False)
    workplace = Workplace(
        endpoint_id=settings["endpoint_id"],
        run_dir=Path(settings["run_dir"]),
        sandbox=settings["sandbox"],
        details=environment_details(settings["endpoint_id"]),
    )
    with socket.socket(fileno=settings["fd"]) as connection:
        _warm_up()
        # The agent may be gone already: that is an orderly end.
        with suppress(ConnectionError):
            serve(connection, workplace)
    _flush()
    os._exit(0)


def serve(connection: socket.socket, workplace: Workplace) -> None:
    """Answer tasks until the other end closes."""
    own_pid = os.getpid()
    connection.sendall(encode_frame(b""))
    with connection.makefile("rb") as stream:
        while len(head := stream.read(LENGTH_SIZE)) == LENGTH_SIZE:
            task_id, result_serializers, body = decode_task(stream.read(payload_length(head)))
            result = execute(body, task_id, result_serializers, workplace)
            if os.getpid() != own_pid:
                # The function forked, and this is the child that came back from it: the task is
                # the parent's to answer.
                os._exit(0)
            _flush()
            connection.sendall(encode_frame(encode(result)))


def _warm_up() -> None:
    """Load what the first task would otherwise wait for: dill, above all."""
    serializer = ComputeSerializer()
    # A function of a user's script, as far as dill can tell; one of gcompute is refused.
    scripted = FunctionType((lambda: None).__code__, {"__name__": "__main__"}, "scripted")
    serializer.deserialize(serializer.serialize(scripted))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        # User functions may have closed or replaced it.
        with suppress(Exception):
            stream.flush()
