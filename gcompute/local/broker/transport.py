"""One socket of the broker: its `Connection`, its timers, and when it is read from.

    socket -> Transport.data_received -> Connection.receive -> VirtualHost
    socket <- Transport.flush <-------- Connection.take_output

In: the events of the socket, of its timers, and of the broker, which runs every event of every
connection (`Owner.work`), as each may give others something to send. Out: bytes. No peer can
raise an exception in here, and none keeps its socket longer than the limits allow.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from .connection import OUTPUT_FACTOR, Connection, State
from .heartbeat import Heartbeat, Verdict
from .limits import BrokerLimits

_log = logging.getLogger(__name__)


class Owner(Protocol):
    """The broker, as a transport sees it."""

    @property
    def limits(self) -> BrokerLimits:
        """The limits of the broker."""

    def connected(self, transport: Transport) -> Connection | None:
        """Take a new connection in, or refuse it."""

    def disconnected(self, transport: Transport) -> None:
        """Let a connection go."""

    def work(self, transport: Transport, event: Callable[[], None]) -> None:
        """Run an event of one connection, then send what it caused on all of them."""


class Transport(asyncio.Protocol):
    """One socket with its `Connection` and its timers.

    Reading stops while anybody holds it; the holders are named in `_holds`.
    """

    def __init__(self, broker: Owner) -> None:
        self.loop = asyncio.get_running_loop()
        self._broker = broker
        self._limits = broker.limits
        self._heartbeat = Heartbeat()
        self._holds: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._connection: Connection
        self._socket: asyncio.Transport
        #: Whether the broker has taken the connection in.
        self._accepted = False
        #: Whether `_go_on` is about to run.
        self._goes_on = False
        self._state = State.PROTOCOL

    @property
    def user_name(self) -> str | None:
        """Who has logged in, None before."""
        user = self._connection.user
        return user.name if user else None

    @property
    def is_closing(self) -> bool:
        """Whether the socket is about to go."""
        return self._socket.is_closing()

    @property
    def has_published(self) -> bool:
        """Whether the client is one that publishes."""
        return self._connection.has_published

    # -- events of the socket -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start with a connection that must log in in time."""
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        connection = self._broker.connected(self)
        if connection is None:
            self.abort()
            return
        self._accepted = True
        self._connection = connection
        transport.set_write_buffer_limits(high=self._limits.write_high_water)
        self._timer = self.loop.call_later(self._limits.handshake_timeout_s, self.abort)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the connection."""
        if not self._accepted:
            return
        self._heartbeat.received()
        self._work(lambda: self._connection.receive(data))

    def pause_writing(self) -> None:
        """Stop deliveries to a client that does not read."""
        self._connection.paused = True

    def resume_writing(self) -> None:
        """Go on when the client has read."""
        if self._connection.state is State.OPEN:
            self._connection.paused = False
            self._work(self._connection.resume)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what the connection held."""
        if self._timer is not None:
            self._timer.cancel()
        if self._accepted:
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
        if held_back:
            self._go_on_soon()

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

    # -- going on ---------------------------------------------------------------------------

    def _work(self, event: Callable[[], None]) -> None:
        """Run an event of the connection, and do what it asks for: end, wait, or read on."""
        self._broker.work(self, event)
        if self._connection.state is not self._state:
            self._state_changed()
        most = OUTPUT_FACTOR * self._limits.write_high_water
        unsent = self._socket.get_write_buffer_size()
        if self._connection.choked or (unsent > most and self._state is State.OPEN):
            self.hold("output")
            self._go_on_soon()
        elif not self._connection.paused:
            self.release("output")

    def _go_on_soon(self) -> None:
        """Go on when others have had their turn, if the socket takes more at once."""
        if not self._goes_on and not self._connection.paused:
            self._goes_on = True
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._goes_on = False
        if self._connection.state is State.OPEN and not self._connection.paused:
            self._work(self._connection.resume)

    # -- timers -------------------------------------------------------------------------------

    def _state_changed(self) -> None:
        self._state = state = self._connection.state
        if state is State.CLOSED:
            self._socket.close()
            # The socket closes when the peer has read all; it may never do so.
            self._set_timer(self._limits.close_timeout_s, self.abort)
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
