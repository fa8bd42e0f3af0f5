"""What the official process sends: no more than a budget allows, and what it registers is noted.

The hosted service has a limit of requests, and what scenarios register there is to be deleted,
also where a scenario fails. Every request of the official SDK and ``globus_sdk`` goes through one
method of ``requests``, and is looked at there; nothing of it is changed.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import requests.adapters

from tools.recording.pace import Pace

#: What can be registered, and the field that has its id.
_REGISTERED = {"functions": "function_uuid", "endpoints": "endpoint_id"}


@contextmanager
def watched_requests(
    pace: Pace | None, registered: Path, users: Mapping[str, str]
) -> Iterator[None]:
    """Watch every request of the block.

    Told to end (SIGTERM), the process sends no more of them, and none is broken off: its answer
    may have an id that is to be noted.

    Args:
        pace: how fast they may go; ``None`` for no limit.
        registered: a file to which is added what was registered: kind, id and user.
        users: tokens to users.
    """
    send = requests.adapters.HTTPAdapter.send
    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())

    def watched(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if pace is not None:
            pace.wait()
        if ended.is_set():
            raise SystemExit(f"told to end, before {request.method} {request.url}")
        response = send(self, request, *args, **kwargs)
        kind = request.url.partition("?")[0].rpartition("/")[2]
        if request.method == "POST" and response.ok and kind in _REGISTERED:
            token = str(request.headers.get("authorization", "")).removeprefix("Bearer ")
            note = {"kind": kind, "id": response.json()[_REGISTERED[kind]], "user": users[token]}
            with registered.open("a") as file:
                file.write(json.dumps(note) + "\n")
        return response

    try:
        with mock.patch.object(requests.adapters.HTTPAdapter, "send", watched):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
