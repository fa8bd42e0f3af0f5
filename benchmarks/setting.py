"""What a benchmark is given, and what it gives back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from benchmarks.answering import Answering, answering
from benchmarks.figures import Column, Row
from benchmarks.sides import FLOOR_DRIVER, Side
from tests.support.rabbitmq import running_rabbitmq

if TYPE_CHECKING:
    from gcompute.local import LocalService

#: Worker processes of the service.
WORKERS = 2

#: The loosest limits that the official Executor takes, as keyword arguments of it. At its
#: defaults each call after the fourth waits for some 4.5 s before it is sent.
LOOSEST_OFFICIAL = {"api_burst_limit": 8, "api_burst_window_s": 1}

T = TypeVar("T")

#: A driver's answers, one a round, by column.
Rounds = dict[Column, list[dict[str, Any]]]


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
    """The two sides, and the services, each of which starts when it is first asked for.

    Leaving the context stops what was started.
    """

    def __init__(self, official: Side, ours: Side) -> None:
        self.official = official
        self.ours = ours
        #: What was started: ``broker``, ``answering``, ``stack``.
        self.started: set[str] = set()
        self._exits = ExitStack()

    @cached_property
    def broker_url(self) -> str:
        """The URL of a RabbitMQ that runs."""
        folder = self._exits.enter_context(tempfile.TemporaryDirectory(prefix="gcompute-"))
        node = self._exits.enter_context(running_rabbitmq(Path(folder)))
        self.started.add("broker")
        return node.url()

    @cached_property
    def stack(self) -> Stack:
        """The local service, with real workers, as it runs."""
        from gcompute.local import LocalService  # what needs no service runs without it

        service = LocalService(workers=WORKERS, broker=self.broker_url)
        stack = Stack(self._exits.enter_context(service), self.broker_url)
        self.started.add("stack")
        return stack

    @cached_property
    def answering(self) -> Answering:
        """The service that answers tasks itself, as it runs."""
        service = self._exits.enter_context(answering(self.broker_url))
        self.started.add("answering")
        return service

    def take_turns(self, rounds: int, measure: Callable[[Side], T]) -> tuple[list[T], list[T]]:
        """Measure the sides in turn, so that noise hits both.

        Returns:
            The official's rounds and ours.
        """
        pairs = [(measure(self.official), measure(self.ours)) for _ in range(rounds)]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def isolate(
        self,
        rounds: int,
        scenario: str,
        count: int,
        *,
        official_options: dict[str, Any] | None = None,
    ) -> Rounds:
        """Measure both clients and the floor, in turn, on the service that answers tasks itself.

        Args:
            rounds: how many.
            scenario: what the drivers are to measure.
            count: how many tasks.
            official_options: for the official Executor; its defaults without.
        """
        answers: Rounds = {"official": [], "ours": [], "floor": []}
        for _ in range(rounds):
            answers["official"].append(
                self.answering.drive(self.official, scenario, count, options=official_options)
            )
            answers["ours"].append(self.answering.drive(self.ours, scenario, count))
            # The floor's submits have as many tasks as ours had, behind the one of the warm-up.
            batches = self.answering.observed().batches[1:]
            answers["floor"].append(self.drive_floor(scenario, count, batches, 128))
        return answers

    def drive_floor(
        self, scenario: str, count: int, batches: list[int], acknowledge_every: int
    ) -> dict[str, Any]:
        """Send prepared requests, and consume what comes of them.

        Args:
            scenario: what is measured.
            count: how many tasks.
            batches: tasks of each request.
            acknowledge_every: messages that are acknowledged together.
        """
        order = self.answering.order(
            scenario, count, batches=batches, acknowledge_every=acknowledge_every
        )
        return self.ours.drive(order, FLOOR_DRIVER)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
