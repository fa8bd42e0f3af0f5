"""What a benchmark is given, and what it gives back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from benchmarks.figures import Row
from benchmarks.sides import Side
from tests.support.rabbitmq import running_rabbitmq

if TYPE_CHECKING:
    from gcompute.local import LocalService

#: Worker processes of the service.
WORKERS = 2

T = TypeVar("T")


@dataclass(frozen=True)
class Stack:
    """The service that both sides use: web service, endpoint and workers on one RabbitMQ."""

    service: LocalService
    broker_url: str

    def order(self, scenario: str, count: int) -> dict[str, Any]:
        """Give an order for the driver: what to measure, and where."""
        return {
            "scenario": scenario,
            "count": count,
            "url": self.service.url,
            "token": self.service.token,
            "endpoint_id": str(self.service.endpoint_id),
        }


class Setting(AbstractContextManager["Setting"]):
    """The two sides, and the stack, which starts when it is first asked for.

    Leaving the context stops what was started.
    """

    def __init__(self, official: Side, ours: Side) -> None:
        self.official = official
        self.ours = ours
        self._stack: Stack | None = None
        self._exits = ExitStack()

    @property
    def started(self) -> bool:
        """Whether anybody has asked for the stack."""
        return self._stack is not None

    @property
    def stack(self) -> Stack:
        """The running service."""
        if self._stack is None:
            from gcompute.local import LocalService  # what needs no service runs without it

            folder = self._exits.enter_context(tempfile.TemporaryDirectory(prefix="gcompute-"))
            node = self._exits.enter_context(running_rabbitmq(Path(folder)))
            service = LocalService(workers=WORKERS, broker=node.url())
            self._stack = Stack(self._exits.enter_context(service), node.url())
        return self._stack

    def take_turns(self, rounds: int, measure: Callable[[Side], T]) -> tuple[list[T], list[T]]:
        """Measure the sides in turn, so that noise hits both.

        Returns:
            The official's rounds and ours.
        """
        pairs = [(measure(self.official), measure(self.ours)) for _ in range(rounds)]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack = None
        self._exits.close()

    def __enter__(self) -> Self:
        return self


@dataclass(frozen=True)
class Benchmark:
    """One entry of the suite.

    Attributes:
        name: what the command line calls it.
        measures: one line that says what.
        method: how, in sentences that stand under the table.
        run: measures. Raises :class:`~benchmarks.sides.BenchmarkFailed`, or whatever broke.
    """

    name: str
    measures: str
    method: str
    run: Callable[[Setting], Iterable[Row]]
