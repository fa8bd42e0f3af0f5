"""What the official process sends: no more than a budget allows, and what it registers is noted.

The hosted service has a limit of requests, and what scenarios register there is to be deleted,
also where a scenario fails. Every request of the official SDK and ``globus_sdk`` goes through one
method of ``requests``, and is looked at there; nothing of it is changed.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import requests.adapters

#: What can be registered, and the field that has its id.
_REGISTERED = {"functions": "function_uuid", "endpoints": "endpoint_id"}


class Pace:
    """Lets so many requests go in so many seconds, and holds the others back.

    Args:
        count: requests in any window.
        window_s: the window, in seconds.
    """

    def __init__(self, count: int, window_s: float) -> None:
        self._window_s = window_s
        self._lock = threading.Lock()
        #: When the latest requests went.
        self._went: deque[float] = deque([float("-inf")] * count, maxlen=count)

    def wait(self) -> None:
        """Wait until one more request may go."""
        with self._lock:
            time.sleep(max(0.0, self._went[0] + self._window_s - time.monotonic()))
            self._went.append(time.monotonic())


@contextmanager
def watched_requests(
    pace: Pace | None, registered: Path, users: Mapping[str, str]
) -> Iterator[None]:
    """Watch every request of the block.

    Args:
        pace: how fast they may go; ``None`` for no limit.
        registered: a file to which is added what was registered: kind, id and user.
        users: tokens to users.
    """
    send = requests.adapters.HTTPAdapter.send

    def watched(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if pace is not None:
            pace.wait()
        response = send(self, request, *args, **kwargs)
        kind = request.url.partition("?")[0].rpartition("/")[2]
        if request.method == "POST" and response.ok and kind in _REGISTERED:
            token = str(request.headers.get("authorization", "")).removeprefix("Bearer ")
            note = {"kind": kind, "id": response.json()[_REGISTERED[kind]], "user": users[token]}
            with registered.open("a") as file:
                file.write(json.dumps(note) + "\n")
        return response

    with mock.patch.object(requests.adapters.HTTPAdapter, "send", watched):
        yield
