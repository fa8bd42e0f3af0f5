"""A broker that says what a recorded one said, frame by frame, to a client of ours.

It walks through the recording. What the recorded client sent, ours must send before the walk goes
on: the same methods, for the same queues. What the recorded broker sent, ours is sent. Channels and
consumers have the names that our client gives them. What only our client does (it limits its
prefetch, and closes what it opened) is answered and listed in `beyond`. Every argument of what it
sends is compared but those that are `FREE`, and at the end the same deliveries are acknowledged.

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

from tools.recording.differences import differences
from tools.recording.frames import bytes_of, describe

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
#: What the client may say otherwise, by method and path of the argument, with the reason.
FREE = {
    ("Connection.StartOk", "client_properties.connection_name"): "ours tells brokers whose it is",
    ("Connection.StartOk", "client_properties.platform"): "the Python that plays may be another",
    ("Connection.StartOk", "client_properties.version"): "pika's, which may be another",
    ("Connection.TuneOk", "heartbeat"): "ours notices sooner that a connection is gone",
    ("Channel.Close", "reply_text"): "it is for people",
    ("Basic.Consume", "consumer_tag"): "each consumer has a name of its own",
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
        #: Recorded channel to the tags delivered there, and which of them either has acknowledged.
        self._delivered: dict[int, set[int]] = {}
        self._acknowledged: dict[int, set[int]] = {}
        self._recorded_acknowledged: dict[int, set[int]] = {}

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
                break
        for channel in self._delivered:
            self._compare_acknowledged(channel)

    # -- what the client sends --------------------------------------------------------------

    def _await(self, recorded: Event) -> None:
        """Read on until the client has sent what the recorded one sent."""
        name, channel = recorded["method"], recorded["channel"]
        if name == "Basic.Ack":
            theirs = self._recorded_acknowledged.setdefault(channel, set())
            theirs |= self._covered(channel, recorded["arguments"])
            while not theirs <= self._acknowledged.setdefault(channel, set()):
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
            self._compare_acknowledged(recorded["channel"])
            for tags in (self._delivered, self._acknowledged, self._recorded_acknowledged):
                tags.pop(recorded["channel"], None)
        elif self._channels[recorded["channel"]] != frame.channel_number:
            raise OtherThanRecorded(f"{recorded['method']} is on another channel: {frame}")
        if recorded["method"] == "Basic.Consume":
            self._consumers[arguments["consumer_tag"]] = frame.method.consumer_tag
        if told := other_arguments(recorded, frame):
            raise OtherThanRecorded("; ".join(told))

    def _covered(self, channel: int, acknowledgement: dict[str, Any]) -> set[int]:
        """Give the delivered tags that one acknowledgement is for."""
        tag, multiple = acknowledgement["delivery_tag"], acknowledgement["multiple"]
        delivered = self._delivered.get(channel, set())
        return {each for each in delivered if each == tag or (multiple and each < tag)}

    def _compare_acknowledged(self, channel: int) -> None:
        ours, theirs = self._acknowledged, self._recorded_acknowledged
        if ours.get(channel, set()) != theirs.get(channel, set()):
            raise OtherThanRecorded(
                f"acknowledged on channel {channel} are {ours.get(channel, set())}, "
                f"recorded are {theirs.get(channel, set())}"
            )

    def _beyond_recorded(self, frame: Any) -> str:
        """Serve what only our client does; name it."""
        if not isinstance(frame, pika.frame.Method):
            return ""  # a heartbeat
        name: str = frame.method.NAME
        if name == "Basic.Ack":
            recorded = next(r for r, ours in self._channels.items() if ours == frame.channel_number)
            ours = self._acknowledged.setdefault(recorded, set())
            ours |= self._covered(recorded, vars(frame.method))
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
            received = self._connection.recv(65536)
            if not received:
                raise OtherThanRecorded("the client closed before it said anything")
            self._received += received
        self._received = self._received[count:]

    # -- what the broker sent ---------------------------------------------------------------

    def _send(self, recorded: Event) -> None:
        channel = self._channels[recorded["channel"]]
        if "method" in recorded:
            arguments = dict(recorded["arguments"])
            if "delivery_tag" in arguments:
                tags = self._delivered.setdefault(recorded["channel"], set())
                tags.add(arguments["delivery_tag"])
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


def other_arguments(recorded: Event, frame: Any) -> list[str]:
    """Tell in which arguments a frame is not the recorded one, but for those that are free."""
    described = describe(frame)
    assert described is not None
    return [
        f"{recorded['method']}: {path} is {ours!r}, recorded is {theirs!r}"
        for path, ours, theirs in differences(described["arguments"], recorded["arguments"])
        if (recorded["method"], path) not in FREE
    ]


def _method(name: str, arguments: dict[str, Any]) -> Any:
    method = _METHODS[name]()
    for argument, value in arguments.items():
        setattr(method, argument, value)
    return method


def _task_of(body: Event) -> str:
    return str(body["body"]["message"]["data"]["task_id"])
