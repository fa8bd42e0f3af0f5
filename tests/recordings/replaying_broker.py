"""A broker that says what a recorded one said, frame by frame, to a client of ours.

It walks through the recording. What the recorded client sent, ours must send before the walk goes
on: the same methods, for the same queues. What the recorded broker sent, ours is sent. Channels and
consumers have the names that our client gives them. What only our client does (it limits its
prefetch, and closes what it opened) is answered and listed in `beyond`.

A result is not sent before the submit of its task was answered, as that came first in truth.
It listens on loopback, in a thread of its own; pika on our side is the real one.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pika.frame
from pika import spec
from pika.spec import BasicProperties

from tools.recording.frames import bytes_of

Event = dict[str, Any]

_PATIENCE_S = 20.0
_PROTOCOL_HEADER_BYTES = 8
_METHODS = {method.NAME: method for method in spec.methods.values()}

#: What only our client asks for, and the answer.
_ANSWERS: dict[str, Callable[[Any], Any]] = {
    "Basic.Cancel": lambda _asked: None,  # pika cancels without waiting when it closes
    "Basic.Qos": lambda _asked: spec.Basic.QosOk(),
    "Channel.Close": lambda _asked: spec.Channel.CloseOk(),
    "Connection.Close": lambda _asked: spec.Connection.CloseOk(),
}


class OtherThanRecorded(AssertionError):
    """The client did something else than the recorded one."""


class ReplayingBroker:
    """Plays the recorded AMQP of a scenario.

    Args:
        path: the recording.
        until_known: waits until the submit of a task, by its id, was answered.
    """

    def __init__(self, path: Path, until_known: Callable[[str], None]) -> None:
        self._events: list[Event] = [json.loads(line) for line in path.read_text().splitlines()]
        self._until_known = until_known
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(_PATIENCE_S)
        self._thread = threading.Thread(target=self._run, name="replaying broker")
        #: What went wrong; nothing did while it is empty.
        self.errors: list[BaseException] = []
        #: Methods that our client used beyond the recorded ones.
        self.beyond: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"amqp://user:password@127.0.0.1:{self._server.getsockname()[1]}/%2F"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._thread.join(_PATIENCE_S)
        self._server.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            for number in dict.fromkeys(event["connection"] for event in self._events):
                events = [each for each in self._events if each["connection"] == number]
                connection, _ = self._server.accept()
                with connection:
                    _Session(connection, events, self._until_known, self.beyond).play()
        except BaseException as error:
            self.errors.append(error)


class _Session:
    """One connection."""

    def __init__(
        self,
        connection: socket.socket,
        events: list[Event],
        until_known: Callable[[str], None],
        beyond: list[str],
    ) -> None:
        connection.settimeout(_PATIENCE_S)
        self._connection = connection
        self._events = events
        self._until_known = until_known
        self._beyond = beyond
        self._received = b""
        #: Recorded channel to ours, and recorded consumer to ours.
        self._channels: dict[int, int] = {0: 0}
        self._consumers: dict[str, str] = {}
        #: Recorded channel to the last tag that ours has acknowledged.
        self._acknowledged: dict[int, int] = {}

    def play(self) -> None:
        """Walk through the recording, then serve the client until it closes."""
        self._read_exactly(_PROTOCOL_HEADER_BYTES)
        for index, event in enumerate(self._events):
            if event["from"] == "client":
                self._await(event)
            elif event.get("method") == "Basic.Deliver":
                self._until_known(_task_of(self._events[index + 2]))
                self._send(event)
            else:
                self._send(event)
        while (frame := self._read_frame()) is not None:
            if self._beyond_recorded(frame) == "Connection.Close":
                return

    # -- what the client sends --------------------------------------------------------------

    def _await(self, recorded: Event) -> None:
        """Read on until the client has sent what the recorded one sent."""
        name, channel = recorded["method"], recorded["channel"]
        if name == "Basic.Ack":
            while self._acknowledged.get(channel, 0) < recorded["arguments"]["delivery_tag"]:
                self._beyond_recorded(self._next_frame(recorded))
            return
        while True:
            frame = self._next_frame(recorded)
            if isinstance(frame, pika.frame.Method) and name == frame.method.NAME:
                self._learn(recorded, frame)
                return
            self._beyond_recorded(frame)

    def _learn(self, recorded: Event, frame: Any) -> None:
        """Take the client's names, and compare what must be the same."""
        arguments = recorded["arguments"]
        if recorded["method"] == "Channel.Open":
            self._channels[recorded["channel"]] = frame.channel_number
            self._acknowledged.pop(recorded["channel"], None)
        elif self._channels[recorded["channel"]] != frame.channel_number:
            raise OtherThanRecorded(f"{recorded['method']} is on another channel: {frame}")
        if recorded["method"] == "Basic.Consume":
            self._consumers[arguments["consumer_tag"]] = frame.method.consumer_tag
        for name in ("queue", "no_ack", "exclusive", "virtual_host", "response", "mechanism"):
            ours = getattr(frame.method, name, None)
            ours = ours.decode() if isinstance(ours, bytes) else ours
            if name in arguments and ours != arguments[name]:
                raise OtherThanRecorded(
                    f"{recorded['method']}: {name} is {ours!r}, recorded is {arguments[name]!r}"
                )

    def _beyond_recorded(self, frame: Any) -> str:
        """Serve what only our client does; name it."""
        if not isinstance(frame, pika.frame.Method):
            return ""  # a heartbeat
        name: str = frame.method.NAME
        if name == "Basic.Ack":
            recorded = next(r for r, ours in self._channels.items() if ours == frame.channel_number)
            self._acknowledged[recorded] = frame.method.delivery_tag
        elif name in _ANSWERS:
            self._beyond.append(name)
            answer = _ANSWERS[name](frame.method)
            if answer is not None:
                self._send_method(frame.channel_number, answer)
        else:
            raise OtherThanRecorded(f"the client sent {frame.method}, and the recorded one did not")
        return name

    def _next_frame(self, awaited: Event) -> Any:
        frame = self._read_frame()
        if frame is None:
            raise OtherThanRecorded(f"the client closed before it sent {awaited['method']}")
        return frame

    def _read_frame(self) -> Any:
        """Give the next frame; ``None`` at the end of the connection."""
        while True:
            used, frame = pika.frame.decode_frame(self._received)
            if frame is not None:
                self._received = self._received[used:]
                return frame
            received = self._connection.recv(65536)
            if not received:
                return None
            self._received += received

    def _read_exactly(self, count: int) -> None:
        while len(self._received) < count:
            self._received += self._connection.recv(65536)
        self._received = self._received[count:]

    # -- what the broker sent ---------------------------------------------------------------

    def _send(self, recorded: Event) -> None:
        channel = self._channels[recorded["channel"]]
        if "method" in recorded:
            arguments = dict(recorded["arguments"])
            if "consumer_tag" in arguments:
                arguments["consumer_tag"] = self._consumers[arguments["consumer_tag"]]
            self._send_method(channel, _method(recorded["method"], arguments))
        elif "properties" in recorded:
            index = self._events.index(recorded)
            size = len(bytes_of(self._events[index + 1]["body"]))
            properties = BasicProperties(**recorded["properties"])
            self._connection.sendall(pika.frame.Header(channel, size, properties).marshal())
        else:
            body = bytes_of(recorded["body"])
            self._connection.sendall(pika.frame.Body(channel, body).marshal())

    def _send_method(self, channel: int, method: Any) -> None:
        self._connection.sendall(pika.frame.Method(channel, method).marshal())


def _method(name: str, arguments: dict[str, Any]) -> Any:
    method = _METHODS[name]()
    for argument, value in arguments.items():
        setattr(method, argument, value)
    return method


def _task_of(body: Event) -> str:
    return str(body["body"]["message"]["data"]["task_id"])
