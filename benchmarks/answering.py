"""A service that answers each task itself, at once, with a result that was prepared.

What is left of a call is then the client's own work. The service is a process of its own,
:mod:`benchmarks.answering_service`; here it is started, told what to do, and asked what it saw.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.sides import Side

#: It takes any of both.
TOKEN = "benchmark"
ENDPOINT_ID = "4b116d3c-1703-4f8f-9f6f-39921e5864df"

_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Observed:
    """What the service saw since it was reset.

    Attributes:
        requests: how many, by method and path; ``<id>`` stands for ids.
        moments: when each came, in seconds; in order.
        batches: how many tasks each submit had, in order.
    """

    requests: dict[str, int]
    moments: list[float]
    batches: list[int]

    def most_in(self, window_s: float) -> int:
        """Count the requests of the busiest window of so many seconds."""
        return max(
            (
                bisect_left(self.moments, start + window_s) - i
                for i, start in enumerate(self.moments)
            ),
            default=0,
        )

    @property
    def beside_submits(self) -> int:
        """How many requests were no submits."""
        return len(self.moments) - len(self.batches)


@dataclass(frozen=True)
class Answering:
    """A running service.

    Attributes:
        url: of its HTTP.
    """

    url: str

    def order(self, scenario: str, count: int, **settings: Any) -> dict[str, Any]:
        """Give an order for a driver: what to measure, and where.

        Args:
            scenario: the driver's name for it.
            count: how many tasks.
            settings: what else the scenario takes.
        """
        return {
            "scenario": scenario,
            "count": count,
            "url": self.url,
            "token": TOKEN,
            "endpoint_id": ENDPOINT_ID,
            "settings": settings,
        }

    def drive(
        self,
        side: Side,
        scenario: str,
        count: int,
        *,
        options: dict[str, Any] | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        """Drive a side on the service, which is reset before.

        Args:
            side: whom.
            scenario: what the driver is to measure.
            count: how many tasks.
            options: keyword arguments of the Executor.
            settings: what else the scenario takes.
        """
        self.reset()
        return side.drive({**self.order(scenario, count, **settings), "options": options or {}})

    def reset(self) -> None:
        """Have it forget what it saw, and what it was told."""
        self._ask("POST", "reset")

    def observed(self) -> Observed:
        """Ask what it saw."""
        return Observed(**self._ask("GET", "observed"))

    def _ask(self, method: str, what: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/benchmark/{what}", method=method)
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            content: dict[str, Any] = json.load(answer)
        return content


@contextmanager
def answering(broker_url: str) -> Iterator[Answering]:
    """Run the service on a broker.

    Args:
        broker_url: of a broker on which it may declare queues.

    Raises:
        RuntimeError: it did not start; it has said why on standard error.
    """
    command = [sys.executable, "-m", "benchmarks.answering_service", broker_url]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError("the service that answers at once did not start")
            yield Answering(url)
        finally:
            process.stdin.close()
