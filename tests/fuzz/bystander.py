"""A client that goes about its work on its own connection while others misbehave."""

from __future__ import annotations

import threading
import time
from typing import Any

import pika

#: How long one of its messages may take, in seconds: floods are worked off one read at a time.
ROUND_TRIP_S = 10.0


class Bystander:
    """Publishes to himself, all the time, on a connection that must stay."""

    def __init__(self, url: str) -> None:
        self.rounds = 0
        self.slowest_s = 0.0
        self._url = url
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="bystander")

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise AssertionError(f"the bystander failed after {self.rounds} rounds") from (
                self._error
            )

    def _run(self) -> None:
        try:
            parameters = pika.URLParameters(self._url)
            parameters.blocked_connection_timeout = ROUND_TRIP_S
            with pika.BlockingConnection(parameters) as connection:
                channel = connection.channel()
                queue = channel.queue_declare("", exclusive=True).method.queue
                while not self._stop.is_set():
                    self._round(channel, queue)
                    connection.process_data_events(0)
        except BaseException as error:
            self._error = error

    def _round(self, channel: Any, queue: str) -> None:
        began = time.monotonic()
        body = b"round %d" % self.rounds
        channel.basic_publish("", queue, body)
        _, _, got = channel.basic_get(queue, auto_ack=True)
        assert got == body, got
        self.rounds += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
