"""The embedded AMQP 0-9-1 broker: sockets, timers and the event loop around `Connection`.

    socket -> _Transport.data_received -> Connection.receive -> VirtualHost
                                                                   |
    socket <- Broker._flush <------- outputs of all connections <--+

In: TCP connections on loopback, and the owner's calls. Out: the protocol, and nothing else: no
peer can raise an exception in here. Everything runs on the loop that called `start`; no method is
thread-safe. Messages, queues and exchanges live in memory only and are gone with the broker, the
durable ones too: whoever owns the broker publishes again what must survive a restart.

Back-pressure: what one client does not read stops deliveries to this client, then reading from
it; too many bytes in all queues stop reading from those who publish (see `BrokerLimits`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import quote

from .connection import Connection, State
from .faults import CONNECTION_FORCED
from .heartbeat import Heartbeat, Verdict
from .limits import BrokerLimits
from .queue import Budget
from .users import Users
from .vhost import VirtualHost

_log = logging.getLogger(__name__)


class Broker:
    """A broker for one machine and one user.

    Args:
        host: the address to listen on; keep it on loopback, there is no TLS.
        port: the port, 0 for a free one.
        limits: see `BrokerLimits`.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, limits: BrokerLimits | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._limits = limits or BrokerLimits()
        self._users = Users()
        self._vhost = VirtualHost(Budget(self._limits.max_queued_bytes))
        self._server: asyncio.Server | None = None
        self._transports: set[_Transport] = set()
        #: Transports whose connection has output.
        self._dirty: list[_Transport] = []
        #: Transports that are not read from because the queues are full.
        self._blocked: set[_Transport] = set()
        self._expiry: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that the broker listens on, once it has started."""
        return self._port

    async def start(self) -> None:
        """Start to listen.

        Raises:
            OSError: if the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Transport(self), self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close all connections with 320, wait for their answers a little, and stop listening."""
        if self._server is None:
            return
        self._server.close()
        self._close_where(lambda _: True, "broker is shutting down")
        if self._transports:
            self._empty.clear()
            try:
                await asyncio.wait_for(self._empty.wait(), self._limits.close_timeout_s)
            except TimeoutError:
                for transport in list(self._transports):
                    transport.abort()
                await self._empty.wait()
        await self._server.wait_closed()
        self._server = None
        if self._expiry is not None:
            self._expiry.cancel()

    # -- users --------------------------------------------------------------------------------

    def add_user(
        self, name: str, password: str, *, configure: str = "", write: str = "", read: str = ""
    ) -> None:
        """Add a user, or set a known one's password and permissions; connections stay open.

        `configure`, `write` and `read` are regular expressions that are searched for in names of
        queues and exchanges, as RabbitMQ does: anchor them. Empty ones permit nothing.

        Raises:
            re.error: if a permission is no regular expression.
        """
        self._users.add(name, password, configure=configure, write=write, read=read)

    def remove_user(self, name: str) -> None:
        """Refuse new logins of a user; `close_connections` drops the open ones."""
        self._users.remove(name)

    def close_connections(self, name: str, reason: str) -> None:
        """Close all connections of a user with 320 and `reason`."""
        self._close_where(lambda user: user == name, reason)

    def url(self, user: str) -> str:
        """Return `amqp://user:password@host:port/%2F`; it holds the password, so never log it.

        Raises:
            KeyError: if there is no such user.
        """
        password = quote(self._users.password(user), safe="")
        return f"amqp://{quote(user, safe='')}:{password}@{self._host}:{self._port}/%2F"

    # -- what transports call -----------------------------------------------------------------

    def connected(self, transport: _Transport) -> Connection:
        """Take a new connection in."""
        self._transports.add(transport)

        def has_output(_: Connection) -> None:
            self._dirty.append(transport)

        return Connection(self._users, self._vhost, self._limits, has_output)

    def disconnected(self, transport: _Transport) -> None:
        """Let a connection go."""
        self._transports.discard(transport)
        self._blocked.discard(transport)
        if not self._transports:
            self._empty.set()

    def work(self, transport: _Transport, event: Callable[[], None]) -> None:
        """Run an event of one connection, then send what it caused on all of them."""
        self._vhost.now = transport.loop.time()
        event()
        self._after_event(transport)

    @property
    def limits(self) -> BrokerLimits:
        """The limits of this broker."""
        return self._limits

    def _after_event(self, transport: _Transport | None = None) -> None:
        while self._dirty:
            self._dirty.pop().flush()
        if transport is not None and self._vhost.budget.full and transport.has_published:
            self._blocked.add(transport)
            transport.hold("queues")
        if self._blocked and not self._vhost.budget.full:
            blocked, self._blocked = self._blocked, set()
            for waiting in blocked:
                waiting.release("queues")
        self._schedule_expiry()

    def _close_where(self, wanted: Callable[[str | None], bool], reason: str) -> None:
        self._vhost.now = asyncio.get_running_loop().time()
        for transport in list(self._transports):
            if wanted(transport.user_name):
                transport.close(CONNECTION_FORCED, f"CONNECTION_FORCED - {reason}")
        self._after_event()

    def _schedule_expiry(self) -> None:
        due = self._vhost.next_expiry
        if due is None or self._server is None:
            return
        if self._expiry is not None:
            if self._expiry.when() <= due:
                return
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_at(due, self._expire)

    def _expire(self) -> None:
        self._expiry = None
        # The loop may run a timer early by its clock's resolution: take the time it was due.
        due = self._vhost.next_expiry or 0.0
        self._vhost.now = max(asyncio.get_running_loop().time(), due)
        self._vhost.expire()
        self._after_event()


class _Transport(asyncio.Protocol):
    """One socket with its `Connection` and its timers.

    Reading stops while anybody holds it; the holders are named in `_holds`.
    """

    def __init__(self, broker: Broker) -> None:
        self.loop = asyncio.get_running_loop()
        self._broker = broker
        self._limits = broker.limits
        self._heartbeat = Heartbeat()
        self._holds: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._connection: Connection
        self._socket: asyncio.Transport
        self._state = State.PROTOCOL

    @property
    def user_name(self) -> str | None:
        """Who has logged in, None before."""
        user = self._connection.user
        return user.name if user else None

    @property
    def has_published(self) -> bool:
        """Whether the client is one that publishes."""
        return self._connection.has_published

    # -- events of the socket -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start with a connection that must log in in time."""
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        transport.set_write_buffer_limits(high=self._limits.write_high_water)
        self._connection = self._broker.connected(self)
        self._timer = self.loop.call_later(self._limits.handshake_timeout_s, self.abort)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the connection."""
        self._heartbeat.received()
        self._broker.work(self, lambda: self._connection.receive(data))
        if self._connection.state is not self._state:
            self._state_changed()
        if self._socket.get_write_buffer_size() > 10 * self._limits.write_high_water:
            self.hold("output")

    def pause_writing(self) -> None:
        """Stop deliveries to a client that does not read."""
        self._connection.paused = True

    def resume_writing(self) -> None:
        """Go on when the client has read."""
        self.release("output")
        if self._connection.state is State.OPEN:
            self._connection.paused = False
            self._broker.work(self, self._connection.resume)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what the connection held."""
        if self._timer is not None:
            self._timer.cancel()
        self._broker.work(self, self._connection.lost)
        self._broker.disconnected(self)

    # -- what the broker calls ----------------------------------------------------------------

    def flush(self) -> None:
        """Send the connection's output."""
        held_back = self._connection.congested
        output = self._connection.take_output()
        if self._socket.is_closing():
            return
        self._heartbeat.sent()
        self._socket.write(b"".join(output))
        if held_back and not self._connection.paused:
            # The socket took it all at once. Others have their turn before there is more.
            self.loop.call_soon(self._deliver_more)

    def close(self, code: int, text: str) -> None:
        """Begin to close the connection; one that has not even begun is cut off."""
        if self._connection.state is State.PROTOCOL:
            self.abort()
            return
        self._connection.close(code, text)
        self._state_changed()

    def abort(self) -> None:
        """Cut the connection off."""
        self._socket.abort()

    def hold(self, why: str) -> None:
        """Stop reading."""
        if not self._holds and not self._socket.is_closing():
            self._socket.pause_reading()
        self._holds.add(why)

    def release(self, why: str) -> None:
        """Read again, if nobody else holds the connection."""
        if why in self._holds:
            self._holds.discard(why)
            if not self._holds and not self._socket.is_closing():
                self._socket.resume_reading()

    # -- timers -------------------------------------------------------------------------------

    def _deliver_more(self) -> None:
        if self._connection.state is State.OPEN and not self._connection.paused:
            self._broker.work(self, self._connection.resume)

    def _state_changed(self) -> None:
        self._state = state = self._connection.state
        if state is State.CLOSED:
            self._socket.close()
        elif state is State.CLOSING:
            # Its close-ok must be heard, whatever held it.
            for why in list(self._holds):
                self.release(why)
            self._set_timer(self._limits.close_timeout_s, self.abort)
        elif state is State.OPEN and self._connection.heartbeat_s:
            self._set_timer(self._connection.heartbeat_s / 2, self._tick)
        elif state is State.OPEN and self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        if self._holds:
            # What is not read cannot show that the peer lives.
            self._heartbeat.received()
        verdict = self._heartbeat.tick()
        if verdict is Verdict.DEAD:
            _log.info("closing an AMQP connection: its peer has missed two heartbeats")
            self.abort()
            return
        if verdict is Verdict.SEND:
            self._broker.work(self, self._connection.send_heartbeat)
        self._set_timer(self._connection.heartbeat_s / 2, self._tick)

    def _set_timer(self, delay_s: float, action: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(delay_s, action)
