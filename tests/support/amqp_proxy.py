"""A proxy that knows AMQP 0-9-1, and can do to a client what a broker can.

It closes channels, cancels consumers and revokes credentials as a broker does, on any broker, and
without that broker's help: it speaks to both sides in the other's name, so that each sees an
exchange that the protocol allows. Source: AMQP 0-9-1, sections 1.4 to 1.8 of the reference.

Clients log in with credentials that the proxy makes (:meth:`AmqpProxy.grant`), each of them its
own, and the proxy logs in at the broker with the broker's. So they can be revoked one by one, as
the hosted service does it, where all share one account of a RabbitMQ.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pika.frame
from pika import spec
from pika.frame import Body, Header, Method

from tests.support.tcp_proxy import Passage, TcpProxy

_PROTOCOL_HEADER_BYTES = 8
_REFUSED = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN"
_REVOKED = "CONNECTION_FORCED - user was deleted"
#: What a garbled body begins with: an unknown version, no JSON, and JSON of another shape.
_GARBAGE = (b"\x02{}", b"\x01{", b"\x01[1]")


class AmqpProxy(TcpProxy):
    """Passes AMQP connections on to a broker on loopback."""

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port, lambda client, server: AmqpPassage(self, client, server))
        #: Seconds between heartbeats that the broker is made to ask for; ``None`` for its own.
        self.heartbeat_s: int | None = None
        #: Messages that went to clients.
        self.delivered = 0
        #: Acknowledgements that went to the broker.
        self.acknowledgements = 0
        #: How many messages had a body of garbage.
        self.garbled = 0
        #: Every how many messages one reaches the client with a body of garbage; 0 for none.
        self.garble_every = 0
        #: Name to password of the clients, and what the broker knows instead.
        self._grants: dict[str, tuple[str, str]] = {}

    def grant(self, url: str) -> str:
        """Make credentials for a URL of the broker; give the URL of the proxy with them."""
        parts = urlsplit(url)
        name, password = f"client-{len(self._grants)}", secrets.token_urlsafe(8)
        real = f"\0{unquote(parts.username or '')}\0{unquote(parts.password or '')}"
        self._grants[name] = (password, real)
        return f"amqp://{name}:{password}@127.0.0.1:{self.port}{parts.path}"

    def login(self, response: str) -> str | None:
        """Give the broker's answer to SASL PLAIN for a client's; ``None`` refuses."""
        _, name, password = response.split("\0")
        known, real = self._grants.get(name, (None, ""))
        return real if known == password else None

    def revoke(self) -> None:
        """Forget all credentials that were granted, and close the connections made with them."""
        self._grants = dict.fromkeys(self._grants, ("", ""))
        self._in_each(lambda passage: passage.end(320, _REVOKED))

    def close_channels(self, code: int, text: str) -> None:
        """Close each channel that consumes, as a broker does after an error on it."""
        self._in_each(lambda passage: passage.close_channels(code, text))

    def cancel_consumers(self) -> None:
        """Cancel each consumer, as a broker does that moves a queue."""
        self._in_each(lambda passage: passage.cancel_consumers())

    def _in_each(self, act: Callable[[AmqpPassage], None]) -> None:
        for passage in self.passages:
            assert isinstance(passage, AmqpPassage)
            passage.between_messages(act)


class AmqpPassage(Passage):
    """One AMQP connection, frame by frame."""

    def __init__(
        self, proxy: AmqpProxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        super().__init__(client, server)
        self._proxy = proxy
        self._from_client = b""
        self._from_server = b""
        #: Whether the client's protocol header has passed.
        self._begun = False
        #: What waits until the server is not in the middle of a message.
        self._waiting: list[Callable[[AmqpPassage], None]] = []
        #: Bytes that the present message from the server still needs; ``None`` before its header.
        self._missing: int | None = 0
        self._garbling = False
        #: Consumer tag to channel.
        self._consumers: dict[str, int] = {}
        #: Channels that the client was told are closed, and that it has not confirmed.
        self._closing: set[int] = set()
        #: Channels that were closed at the server, and that it has not confirmed.
        self._closed: set[int] = set()
        #: Consumers that were cancelled at the server, and that it has not confirmed.
        self._cancelling: set[str] = set()
        #: The client was told that the connection is closed.
        self._ended = False

    # -- what a broker does -----------------------------------------------------------------

    def between_messages(self, act: Callable[[AmqpPassage], None]) -> None:
        """Act as soon as no message is half sent."""
        self._waiting.append(act)
        self._act()

    def end(self, code: int, text: str) -> None:
        """Close the connection, as the broker."""
        self._ended = True
        self._tell_client(0, spec.Connection.Close(code, text, 0, 0))
        self._server.transport.abort()

    def close_channels(self, code: int, text: str) -> None:
        """Close the channels that consume."""
        for channel in set(self._consumers.values()) - self._closing:
            self._closing.add(channel)
            self._tell_client(channel, spec.Channel.Close(code, text, 0, 0))

    def cancel_consumers(self) -> None:
        """Cancel the consumers: first at the server, so that no message is under way."""
        for tag, channel in self._consumers.items():
            self._cancelling.add(tag)
            self._tell_server(channel, spec.Basic.Cancel(consumer_tag=tag))

    def _act(self) -> None:
        while self._waiting and self._missing == 0:
            self._waiting.pop(0)(self)

    def _tell_client(self, channel: int, method: Any) -> None:
        self.to_client(Method(channel, method).marshal())

    def _tell_server(self, channel: int, method: Any) -> None:
        self.to_server(Method(channel, method).marshal())

    # -- from the client --------------------------------------------------------------------

    def client_sent(self, data: bytes) -> None:
        """Pass frames on to the server."""
        self._from_client += data
        if not self._begun:
            if len(self._from_client) < _PROTOCOL_HEADER_BYTES:
                return
            header = self._from_client[:_PROTOCOL_HEADER_BYTES]
            self._from_client = self._from_client[_PROTOCOL_HEADER_BYTES:]
            self._begun = True
            self.to_server(header)
        while True:
            used, frame = pika.frame.decode_frame(self._from_client)
            if frame is None:
                return
            raw, self._from_client = self._from_client[:used], self._from_client[used:]
            self._client_frame(frame, raw)

    def _client_frame(self, frame: Any, raw: bytes) -> None:
        method = frame.method if isinstance(frame, Method) else None
        channel = frame.channel_number
        if self._ended:
            if isinstance(method, spec.Connection.CloseOk):
                self._client.close()
        elif channel in self._closing:
            if isinstance(method, spec.Channel.CloseOk):
                self._close_at_server(channel)
        elif isinstance(method, spec.Connection.StartOk):
            self._log_in(method)
        else:
            self.to_server(raw)
            self._proxy.acknowledgements += isinstance(method, spec.Basic.Ack)

    def _close_at_server(self, channel: int) -> None:
        self._closing.discard(channel)
        self._closed.add(channel)
        self._consumers = {t: c for t, c in self._consumers.items() if c != channel}
        self._tell_server(channel, spec.Channel.Close(200, "closed by the proxy", 0, 0))

    def _log_in(self, method: Any) -> None:
        response = method.response
        text = response.decode() if isinstance(response, bytes) else response
        real = self._proxy.login(text)
        if real is None:
            self.end(403, _REFUSED)
            return
        method.response = real
        self._tell_server(0, method)

    # -- from the server --------------------------------------------------------------------

    def server_sent(self, data: bytes) -> None:
        """Pass frames on to the client."""
        self._from_server += data
        while True:
            used, frame = pika.frame.decode_frame(self._from_server)
            if frame is None:
                return
            raw, self._from_server = self._from_server[:used], self._from_server[used:]
            self._server_frame(frame, raw)
            self._act()

    def _server_frame(self, frame: Any, raw: bytes) -> None:
        channel = frame.channel_number
        if self._ended or channel in self._closing:
            self._follow(frame)
        elif channel in self._closed:
            if isinstance(frame, Method) and isinstance(frame.method, spec.Channel.CloseOk):
                self._closed.discard(channel)
            self._follow(frame)
        elif isinstance(frame, Method) and self._intercepted(channel, frame.method):
            return
        else:
            self._follow(frame)
            self.to_client(self._garbled(frame, raw) if self._garbling else raw)

    def _intercepted(self, channel: int, method: Any) -> bool:
        """Handle a method that the client must not see as it is."""
        if isinstance(method, spec.Connection.Tune) and self._proxy.heartbeat_s is not None:
            method.heartbeat = self._proxy.heartbeat_s
            self._tell_client(channel, method)
            return True
        if isinstance(method, spec.Basic.ConsumeOk):
            self._consumers[method.consumer_tag] = channel
        elif isinstance(method, spec.Basic.CancelOk) and method.consumer_tag in self._cancelling:
            self._cancelling.discard(method.consumer_tag)
            self._consumers.pop(method.consumer_tag, None)
            self._tell_client(
                channel, spec.Basic.Cancel(consumer_tag=method.consumer_tag, nowait=True)
            )
            return True
        return False

    def _follow(self, frame: Any) -> None:
        """Keep track of where a message ends."""
        if isinstance(frame, Method):
            if isinstance(frame.method, spec.Basic.Deliver):
                self._missing = None
                self._proxy.delivered += 1
                every = self._proxy.garble_every
                self._garbling = bool(every) and self._proxy.delivered % every == 0
        elif isinstance(frame, Header):
            self._missing = frame.body_size
        elif isinstance(frame, Body):
            assert self._missing is not None
            self._missing -= len(frame.fragment)

    def _garbled(self, frame: Any, raw: bytes) -> bytes:
        if not isinstance(frame, Body):
            return raw
        self._proxy.garbled += 1
        garbage = _GARBAGE[self._proxy.delivered % len(_GARBAGE)]
        return bytes(Body(frame.channel_number, garbage.ljust(len(frame.fragment))).marshal())
