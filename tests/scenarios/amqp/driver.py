"""What the conformance tests speak AMQP with, so that they read like sentences.

`Client` is a well-behaved peer on `pika.BlockingConnection`; `Wire` is a socket that sends what a
test tells it to, for all that pika refuses to do. Both wait for events, for `PATIENCE_S` at most.
"""

from __future__ import annotations

import select
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Self

import pika
import pytest
from pika import frame as pika_frame
from pika import spec
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker, ConnectionClosedByBroker

PATIENCE_S = 30.0
OWNER = "owner"
LIMITED = "limited"
#: The largest message that the brokers under test are set to take, in bytes.
MAX_MESSAGE_SIZE = 24 * 2**20


class Target(NamedTuple):
    """A broker under test; `urls` maps user to URL with password."""

    kind: str
    host: str
    port: int
    urls: dict[str, str]

    def connect(self, user: str = OWNER, **options: Any) -> Client:
        """Open a connection; `options` are attributes of `pika.URLParameters`."""
        parameters = pika.URLParameters(self.urls[user])
        parameters.heartbeat = 0
        parameters.socket_timeout = PATIENCE_S
        parameters.blocked_connection_timeout = PATIENCE_S
        for name, value in options.items():
            setattr(parameters, name, value)
        return Client(pika.BlockingConnection(parameters))

    def wire(self) -> Wire:
        """Open a bare socket."""
        return Wire(self.host, self.port)

    @property
    def is_rabbitmq_4(self) -> bool:
        """Whether it is RabbitMQ 4 or later, which differs where the embedded one is as 3."""
        with self.wire() as wire:
            wire.send(b"AMQP\x00\x00\x09\x01")
            properties = wire.expect(spec.Connection.Start).server_properties
        return self.kind == "rabbitmq" and int(properties["version"].split(".")[0]) >= 4


class Received(NamedTuple):
    """A message that a consumer got."""

    body: bytes
    tag: int
    redelivered: bool
    method: Any
    properties: Any


class Inbox:
    """Where a consumer's messages arrive."""

    def __init__(self, client: Client) -> None:
        self.messages: list[Received] = []
        self.consumer_tag = ""
        #: Whether the broker has cancelled the consumer.
        self.cancelled = False
        self._client = client

    @property
    def bodies(self) -> list[bytes]:
        """The bodies, in order of arrival."""
        return [message.body for message in self.messages]

    def wait_for(self, count: int) -> list[Received]:
        """Wait until `count` messages have arrived, and return all."""
        self._client.wait_until(lambda: len(self.messages) >= count)
        return self.messages

    def take(self, count: int) -> list[Received]:
        """Wait for `count` messages, and remove and return them."""
        self.wait_for(count)
        taken, self.messages[:] = self.messages[:count], self.messages[count:]
        return taken

    def _ended(self, frame: Any) -> None:
        self.cancelled = self.cancelled or frame.method.consumer_tag == self.consumer_tag

    def _arrived(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self.messages.append(
            Received(body, method.delivery_tag, method.redelivered, method, properties)
        )


class Client:
    """One connection with one channel at hand; a context manager that closes it."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.channel = connection.channel()
        self._publisher: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(AMQPConnectionError):
            self.connection.close()

    def new_channel(self) -> Any:
        """Open a channel and make it the one at hand."""
        self.channel = self.connection.channel()
        return self.channel

    def queue(self, name: str = "", **options: Any) -> str:
        """Declare a queue, by default an exclusive one, and return its name."""
        options.setdefault("exclusive", True)
        declared: str = self.channel.queue_declare(name, **options).method.queue
        return declared

    def publish(self, queue: str, *bodies: bytes, **properties: Any) -> None:
        """Publish to a queue that exists, on a channel of its own, and wait for the confirms.

        Without them a broker may answer a question about the queue before it has the messages.
        """
        if self._publisher is None or self._publisher.is_closed:
            self._publisher = self.connection.channel()
            self._publisher.confirm_delivery()
        for body in bodies:
            encoded = pika.BasicProperties(**properties)
            self._publisher.basic_publish("", queue, body, encoded, mandatory=True)

    def consume(self, queue: str, **options: Any) -> Inbox:
        """Start a consumer on the channel at hand."""
        inbox = Inbox(self)
        self.channel.add_on_cancel_callback(inbox._ended)
        inbox.consumer_tag = self.channel.basic_consume(queue, inbox._arrived, **options)
        return inbox

    def get(self, queue: str, *, auto_ack: bool = True) -> bytes | None:
        """Fetch one message, None if the queue is empty."""
        body: bytes | None = self.channel.basic_get(queue, auto_ack=auto_ack)[2]
        return body

    def get_all(self, queue: str) -> list[bytes]:
        """Fetch all messages of a queue."""
        return list(iter(lambda: self.get(queue), None))

    def depth(self, queue: str) -> int:
        """Count the ready messages of a queue."""
        count: int = self.channel.queue_declare(queue, passive=True).method.message_count
        return count

    def consumers(self, queue: str) -> int:
        """Count the consumers of a queue."""
        count: int = self.channel.queue_declare(queue, passive=True).method.consumer_count
        return count

    def settle(self) -> None:
        """Wait until the broker has worked off everything that this channel sent."""
        self.channel.basic_qos(prefetch_count=0)

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Handle events until `reached` is true; fail when patience is out."""
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            left = deadline - time.monotonic()
            assert left > 0, "patience is out"
            self.connection.process_data_events(time_limit=left)

    def ask_until(self, answer: Callable[[], bool]) -> None:
        """Ask the broker, one round trip after the other, until `answer` is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not answer():
            assert time.monotonic() < deadline, "patience is out"


@contextmanager
def channel_closes_with(code: int, text: str = "") -> Iterator[None]:
    """Expect the broker to close the channel with a reply code, and a text that contains `text`."""
    with pytest.raises(ChannelClosedByBroker) as raised:
        yield
    assert raised.value.reply_code == code
    assert text in raised.value.reply_text


@contextmanager
def connection_closes_with(code: int) -> Iterator[None]:
    """Expect the broker to close the connection with a reply code."""
    with pytest.raises(ConnectionClosedByBroker) as raised:
        yield
    assert raised.value.reply_code == code


def fresh(name: str) -> str:
    """Return a name that no other test uses."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


class Wire:
    """A bare socket to a broker; a context manager that closes it."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), PATIENCE_S)
        self._socket.settimeout(PATIENCE_S)
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def takes(self, within_s: float) -> bool:
        """Tell whether the socket takes more bytes, now or soon."""
        return bool(select.select([], [self._socket], [], within_s)[1])

    def method(self, channel: int, method: Any) -> None:
        """Send a method."""
        self.send(pika_frame.Method(channel, method).marshal())

    def message(self, channel: int, queue: str, properties: bytes, body: bytes) -> None:
        """Publish with properties that are encoded already."""
        self.method(channel, spec.Basic.Publish(routing_key=queue))
        header = len(body).to_bytes(8, "big") + properties
        self.send(raw_frame(2, channel, b"\x00\x3c\x00\x00" + header))
        self.send(raw_frame(3, channel, body))

    def expect(self, method: type) -> Any:
        """Wait for a method and return it; other frames before it, but heartbeats, are wrong."""
        while (frame := self.frame()) and frame[0] == 8:
            pass
        assert frame is not None, "the broker has closed the socket"
        kind, _, payload = frame
        assert kind == 1
        received = spec.methods[int.from_bytes(payload[:4], "big")]().decode(payload, 4)
        assert isinstance(received, method)
        return received

    def frame(self) -> tuple[int, int, bytes] | None:
        """Wait for a frame: type, channel, payload; None at the end of the stream."""
        while True:
            if len(self._buffer) >= 7:
                size = int.from_bytes(self._buffer[3:7], "big")
                if len(self._buffer) >= size + 8:
                    frame, self._buffer = self._buffer[: size + 8], self._buffer[size + 8 :]
                    return frame[0], int.from_bytes(frame[1:3], "big"), frame[7:-1]
            data = self.receive()
            if not data:
                return None
            self._buffer += data

    def receive(self) -> bytes:
        """Wait for bytes; none at the end of the stream, an aborted one included."""
        try:
            return self._socket.recv(65536)
        except ConnectionResetError:
            return b""

    def receive_all(self) -> bytes:
        """Wait for the end of the stream and return all that came before."""
        return b"".join(iter(self.receive, b""))

    def log_in(
        self,
        url: str,
        *,
        frame_max: int = 131072,
        channel_max: int = 2047,
        heartbeat: int = 0,
        capabilities: tuple[str, ...] = ("authentication_failure_close", "consumer_cancel_notify"),
    ) -> Self:
        """Shake hands up to an open connection."""
        self.start_ok(url, capabilities=capabilities)
        self.expect(spec.Connection.Tune)
        self.method(0, spec.Connection.TuneOk(channel_max, frame_max, heartbeat))
        self.method(0, spec.Connection.Open("/"))
        return self

    def start_ok(
        self,
        url: str,
        *,
        mechanism: str = "PLAIN",
        capabilities: tuple[str, ...] = ("authentication_failure_close",),
    ) -> None:
        """Send the protocol header and the credentials of a URL."""
        self.send(b"AMQP\x00\x00\x09\x01")
        self.expect(spec.Connection.Start)
        credentials = pika.URLParameters(url).credentials
        response = f"\0{credentials.username}\0{credentials.password}"
        properties = {"capabilities": dict.fromkeys(capabilities, True)}
        self.method(0, spec.Connection.StartOk(properties, mechanism, response))

    def open_channel(self, number: int = 1) -> Self:
        """Open a channel on an open connection."""
        self.method(number, spec.Channel.Open())
        self.expect(spec.Channel.OpenOk)
        return self

    def ready(self, url: str, **options: Any) -> Self:
        """Log in and open channel 1."""
        self.log_in(url, **options).expect(spec.Connection.OpenOk)
        return self.open_channel()

    def close_code(self) -> int:
        """Wait for `connection.close`, answer it, and return its code; 0 if there was none."""
        while frame := self.frame():
            kind, channel, payload = frame
            if kind == 1 and channel == 0:
                method = spec.methods[int.from_bytes(payload[:4], "big")]().decode(payload, 4)
                assert isinstance(method, spec.Connection.Close)
                with suppress(OSError):
                    self.method(0, spec.Connection.CloseOk())
                code: int = method.reply_code
                return code
        return 0


def raw_frame(kind: int, channel: int, payload: bytes, end: bytes = b"\xce") -> bytes:
    """Return a frame, right or wrong."""
    head = bytes((kind,)) + channel.to_bytes(2, "big") + len(payload).to_bytes(4, "big")
    return head + payload + end
