"""The matrix: who asks, what carries, who works."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

#: This package's client, or the official SDK.
CLIENTS = ("gcompute", "official")
BROKERS = ("embedded", "rabbitmq")
#: The worker processes of the local service, or an engine of the official agent.
WORKERS = ("own", "threads", "processes", "parsl")


@dataclass(frozen=True, order=True)
class Cell:
    """One combination, in which every scenario plays."""

    client: str
    broker: str
    worker: str

    def __str__(self) -> str:
        return f"{self.client}-{self.broker}-{self.worker}"


CELLS = tuple(
    Cell(client, broker, worker)
    for broker, worker, client in itertools.product(BROKERS, WORKERS, CLIENTS)
)

#: The short form: every worker, with each client and each broker twice.
SHORT = (
    Cell("official", "embedded", "own"),
    Cell("gcompute", "rabbitmq", "threads"),
    Cell("gcompute", "embedded", "processes"),
    Cell("official", "rabbitmq", "parsl"),
)
