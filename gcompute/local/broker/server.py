"""The embedded AMQP 0-9-1 broker: its port, its users, and who is sent what after each event.

    event of one Transport -> Broker.work -> Connection -> VirtualHost
                                  |                            |
    flush of every Transport <----+--- that has output <-------+

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
import socket
import ssl
from collections.abc import Callable
from urllib.parse import quote

from .connection import Connection
from .faults import CONNECTION_FORCED
from .limits import BrokerLimits
from .places import Places
from .transport import Transport
from .users import Users
from .vhost import VirtualHost

_log = logging.getLogger(__name__)


class Broker:
    """A broker for one machine and one user.

    Args:
        host: the address to listen on; keep it on loopback, and give `open` what else there is.
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
        self._places = Places(self._limits)
        self._vhost = VirtualHost(self._limits)
        self._server: asyncio.Server | None = None
        #: Of the socket given to `open`.
        self._opened: asyncio.Server | None = None
        #: Of the port that `url` names: "amqps" where that is of a socket opened with TLS.
        self._scheme = "amqp"
        #: In the order in which they came.
        self._transports: dict[Transport, None] = {}
        #: Transports whose connection has output.
        self._dirty: list[Transport] = []
        #: Transports that are not read from because the queues are full.
        self._blocked: set[Transport] = set()
        self._expiry: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        #: Whether the last connection was refused, so that it is logged once.
        self._refuses = False

    @property
    def port(self) -> int:
        """The port that the broker listens on, once it has started."""
        return self._port

    @property
    def open_connections(self) -> int:
        """How many connections there are, those that are not logged in included."""
        return len(self._transports)

    async def start(self) -> None:
        """Start to listen.

        Raises:
            OSError: if the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Transport(self), self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def open(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Take the connections of a listening socket too, which `port` and `url` name from now on.

        Agents and clients declare nothing: whoever owns the broker first makes what they need, on
        the port that nobody else knows, and then lets them in. Connections that came before wait
        in the socket. With `tls` they must speak TLS, and log in within the same time.
        """
        loop = asyncio.get_running_loop()
        self._opened = await loop.create_server(
            lambda: Transport(self),
            sock=listener,
            ssl=tls,
            ssl_handshake_timeout=self._limits.handshake_timeout_s if tls else None,
            ssl_shutdown_timeout=self._limits.close_timeout_s if tls else None,
        )
        self._scheme = "amqps" if tls else "amqp"
        self._port = listener.getsockname()[1]

    def shut(self, reason: str, *, publishers_but: str) -> None:
        """Take no more connections, and close those that may publish, but one user's.

        What they have had confirmed is in the queues, and from now on nothing more is: so whoever
        empties the queues before `stop` has all of it. Consumers go on.
        """
        for server in (self._server, self._opened):
            if server is not None:
                server.close()
        publishers = self._users.publishers() - {publishers_but}
        self._close_where(lambda user: user is None or user in publishers, reason)

    async def stop(self) -> None:
        """Close all connections with 320, wait for their answers a little, and stop listening."""
        if self._server is None:
            return
        self._server.close()
        if self._opened is not None:
            self._opened.close()
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
        if self._opened is not None:
            await self._opened.wait_closed()
        self._server = self._opened = None
        if self._expiry is not None:
            self._expiry.cancel()

    def tell_consumed(self, on_consumed: Callable[[str, str], None]) -> None:
        """Have somebody told when a client has had a message: the queue's name, and its id.

        That is when it is acknowledged, rejected for good, or delivered without acknowledgement;
        messages without a `message_id` are left out.
        """
        self._vhost.on_consumed = on_consumed

    # -- users --------------------------------------------------------------------------------

    def add_user(
        self,
        name: str,
        password: str,
        *,
        configure: str = "",
        write: str = "",
        read: str = "",
        holder: str | None = None,
    ) -> None:
        """Add a user, or set a known one's password and permissions; connections stay open.

        Users of one `holder` share what one may have of connections; each is his own by default.

        `configure`, `write` and `read` are regular expressions that are searched for in names of
        queues and exchanges, as RabbitMQ does: anchor them. Empty ones permit nothing.

        Raises:
            re.error: if a permission is no regular expression.
        """
        self._users.add(name, password, configure=configure, write=write, read=read, holder=holder)

    def remove_user(self, name: str) -> None:
        """Refuse new logins of a user; `close_connections` drops the open ones."""
        self._users.remove(name)

    def close_connections(self, name: str, reason: str) -> None:
        """Close all connections of a user with 320 and `reason`."""
        self._close_where(lambda user: user == name, reason)

    def url(self, user: str) -> str:
        """Return `amqp://user:password@host:port/%2F`; it holds the password, so never log it.

        With TLS the scheme is `amqps`.

        Raises:
            KeyError: if there is no such user.
        """
        password = quote(self._users.password(user), safe="")
        name = quote(user, safe="")
        return f"{self._scheme}://{name}:{password}@{self._host}:{self._port}/%2F"

    # -- what transports call -----------------------------------------------------------------

    def connected(self, transport: Transport) -> Connection | None:
        """Take a new connection in, or refuse it, as there are too many."""
        if len(self._transports) >= self._limits.max_connections and not self._make_room():
            if not self._refuses:
                _log.warning("refusing AMQP connections: %d are open", len(self._transports))
            self._refuses = True
            return None
        self._transports[transport] = None

        def has_output(_: Connection) -> None:
            self._dirty.append(transport)

        return Connection(self._users, self._vhost, self._limits, self._places, has_output)

    def _make_room(self) -> bool:
        """Cut off who has come first of those who have not logged in; give whether there is one."""
        for transport in self._transports:
            if transport.user_name is None and not transport.is_closing:
                transport.abort()
                return True
        return False

    def disconnected(self, transport: Transport) -> None:
        """Let a connection go."""
        self._transports.pop(transport, None)
        self._refuses = False
        self._blocked.discard(transport)
        if not self._transports:
            self._empty.set()

    def work(self, transport: Transport, event: Callable[[], None]) -> None:
        """Run an event of one connection, then send what it caused on all of them."""
        self._vhost.now = transport.loop.time()
        event()
        self._after_event(transport)

    @property
    def limits(self) -> BrokerLimits:
        """The limits of this broker."""
        return self._limits

    def _after_event(self, transport: Transport | None = None) -> None:
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
