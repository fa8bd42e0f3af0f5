"""Prepared requests on one kept connection, to measure a service and no client."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from benchmarks.sides import BenchmarkFailed

if TYPE_CHECKING:
    from gcompute.local import LocalService

_TIMEOUT_S = 30.0
#: Length of the text that is an argument of each task of a prepared submit.
_TEXT = 100


class Requests:
    """A connection to a service, as its first user."""

    def __init__(self, service: LocalService) -> None:
        self._connection = http.client.HTTPConnection(
            urlsplit(service.url).netloc, timeout=_TIMEOUT_S
        )
        self._headers = {
            "Authorization": f"Bearer {service.token}",
            "Content-Type": "application/json",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Send a request, and wait for its answer.

        Raises:
            BenchmarkFailed: the service refused.
        """
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise BenchmarkFailed(f"{method} {path}: {answer.status} {content[:500]!r}")
        return content


def laps(count: int, run: Callable[[], object], *, warm_up: int = 3) -> list[float]:
    """Time some calls, after some that do not count; give milliseconds."""
    for _ in range(warm_up):
        run()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def idle_endpoint(service: LocalService) -> str:
    """Register an endpoint that nobody runs: tasks for it wait."""
    with closing(service.client()) as client:
        answer: dict[str, Any] = client.register_endpoint("idle", None, metadata={})
    return str(answer["endpoint_id"])


def submit_body(service: LocalService, tasks: int) -> bytes:
    """Encode the body of a submit of so many small tasks."""
    with closing(service.client()) as client:
        # A function of the standard library: every worker has it, by name.
        function_id = client.register_function(time.time)
        batch = client.create_batch()
        for number in range(tasks):
            batch.add(function_id, args=(number, 0.5, "x" * _TEXT))
    return json.dumps(batch.prepare()).encode()
