"""One connection: how far it has come, what of its frames is whose, and what it has to send.

In: bytes from the socket (`receive`), and the events "the socket takes no more" (`paused`), "it
does again" (`resume`), "it is gone" (`lost`), "end it" (`close`). Out: bytes (`take_output`) and
the `state`. There is no socket, thread or clock in here, and nothing raises: what a peer does
wrong ends in `channel.close` or `connection.close` to that peer.

    PROTOCOL --header--> START --start-ok--> TUNE --tune-ok--> OPENING --open--> OPEN
    any of these --close from the peer--> CLOSED
    any of these --fault, or close()--> CLOSING --close-ok--> CLOSED

`_METHODS` is that picture as a table; a method on channel 0 that it does not list for the state
is fault 504. In CLOSING everything but close and close-ok is dropped.
Source: AMQP 0-9-1 specification, sections 2.2.4 and 4.10.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from . import login
from .channel import Channel, Usage
from .channels import Channels
from .codec import (
    HEARTBEAT,
    PROTOCOL_HEADER,
    Frame,
    content,
    decode_method,
    method_frame,
    spec,
)
from .faults import (
    ACCESS_REFUSED,
    CHANNEL_ERROR,
    NOT_ALLOWED,
    RESOURCE_ERROR,
    UNEXPECTED_FRAME,
    ConnectionFault,
    Fault,
    closing,
)
from .limits import BrokerLimits
from .places import Places
from .reading import Reading
from .users import User, Users
from .vhost import VirtualHost

#: So many times `write_high_water` may wait to be sent before the peer is not read from.
OUTPUT_FACTOR = 10


class State(Enum):
    """How far a connection has come."""

    PROTOCOL = auto()
    START = auto()
    TUNE = auto()
    OPENING = auto()
    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


class Connection:
    """The broker's side of one connection.

    `on_output` is called with the connection when it has output after it had none.
    """

    def __init__(
        self,
        users: Users,
        vhost: VirtualHost,
        limits: BrokerLimits,
        places: Places,
        on_output: Callable[[Connection], None],
    ) -> None:
        self.state = State.PROTOCOL
        #: Who has logged in, None before.
        self.user: User | None = None
        #: The negotiated interval in seconds; 0 for no heartbeats.
        self.heartbeat_s = 0
        self.notify_cancel = False
        self.has_published = False
        #: Set by the owner while the socket takes no more.
        self.paused = False
        self._users = users
        self._vhost = vhost
        self._limits = limits
        self._places = places
        self._has_place = False
        self._on_output = on_output
        self._reading = Reading(limits.login_frame_max)
        self._frame_max = limits.frame_max
        self._usage = Usage(limits)
        self._channels = Channels(self, self._make_channel, self._send_confirms)
        #: The first bytes, until the protocol header is complete.
        self._preamble = b""
        self._output: list[bytes] = []
        self._output_size = 0
        #: Channels with confirms to send, in order.
        self._confirming: dict[Channel, None] = {}

    # -- events -------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Handle bytes from the peer."""
        if self.state is State.PROTOCOL:
            data = self._receive_header(data)
        if not self._reading.is_lost:
            self._reading.add(data)
            self._read_on()

    def resume(self) -> None:
        """Go on after a pause: handle what was not read, deliver what was held back."""
        self._read_on()
        self._channels.resume()

    def close(self, code: int, text: str, *, method: Any = None) -> None:
        """Tell the peer that the connection ends, and why; CLOSED follows with its answer."""
        if self.state in (State.CLOSING, State.CLOSED):
            return
        self._send_confirms()
        self._leave(State.CLOSING)
        self.send(0, spec.Connection.Close(*closing(code, text, method)))

    def lost(self) -> None:
        """End at once: the socket is gone, or about to be closed."""
        self._reading.lose()
        self._leave(State.CLOSED)

    def send_heartbeat(self) -> None:
        """Send a heartbeat frame."""
        self._write([HEARTBEAT])

    def take_output(self) -> list[bytes]:
        """Return what must be sent, and forget it."""
        output, self._output, self._output_size = self._output, [], 0
        return output

    @property
    def choked(self) -> bool:
        """Whether bytes wait to be parsed, as there is too much to send; `resume` goes on."""
        return bool(self._reading)

    # -- what channels call -------------------------------------------------------------------

    @property
    def congested(self) -> bool:
        """Whether deliveries must wait."""
        return self.paused or self._output_size >= self._limits.write_high_water

    def send(self, channel: int, method: Any) -> None:
        """Send a method."""
        self._write([method_frame(channel, method)])

    def send_content(self, channel: int, method: Any, properties: bytes, body: bytes) -> None:
        """Send a method with a message."""
        self._write(content(channel, method, properties, body, self._frame_max))

    def confirm_later(self, channel: Channel) -> None:
        """Let a channel send its confirms when the bytes at hand are worked off."""
        self._confirming[channel] = None

    # -- frames -------------------------------------------------------------------------------

    def _receive_header(self, data: bytes) -> bytes:
        """Handle the protocol header and return what follows it."""
        self._preamble += data
        length = len(PROTOCOL_HEADER)
        if not PROTOCOL_HEADER.startswith(self._preamble[:length]):
            # The specification's answer to another protocol: ours, and the end.
            self._reading.lose()
            self._write([PROTOCOL_HEADER])
            self._leave(State.CLOSED)
            return b""
        if len(self._preamble) < length:
            return b""
        rest, self._preamble = self._preamble[length:], b""
        self.state = State.START
        self.send(0, login.start())
        return rest

    def _read_on(self) -> None:
        """Handle frames until there are none, or until what they cause must be sent first.

        A few bytes can ask for many: a message fetched, given back and fetched again.
        """
        try:
            while not self._has_too_much_output and (frame := self._reading.next()) is not None:
                self._on_frame(frame)
        except ConnectionFault as fault:
            self._reading.lose()
            self._fail(fault, None)
        self._send_confirms()

    @property
    def _has_too_much_output(self) -> bool:
        # A connection that is about to end has nothing more to say, and must hear the close-ok.
        open_ = self.state not in (State.CLOSING, State.CLOSED)
        return open_ and self._output_size > OUTPUT_FACTOR * self._limits.write_high_water

    def _on_frame(self, frame: Frame) -> None:
        if self.state is State.CLOSED or (frame.channel and self.state is State.CLOSING):
            # What the peer still says to its channels comes too late.
            return
        method: Any = None
        try:
            if frame.type == spec.FRAME_METHOD:
                method = decode_method(frame.payload)
            if frame.channel and self.state is State.OPEN:
                self._channels.on_frame(frame, method)
            elif method is not None:
                self._on_connection_method(frame, method)
            elif frame.type != spec.FRAME_HEARTBEAT:
                raise ConnectionFault(UNEXPECTED_FRAME, "expected a method on channel 0")
        except ConnectionFault as fault:
            self._fail(fault, method)

    def _on_connection_method(self, frame: Frame, method: Any) -> None:
        handler = _METHODS.get((self.state, type(method)))
        if handler is not None and frame.channel == 0:
            handler(self, method)
        elif self.state is not State.CLOSING:
            state = self.state.name.lower()
            text = f"unexpected {method.NAME} on channel {frame.channel} in state {state}"
            raise ConnectionFault(CHANNEL_ERROR, text)

    def _make_channel(self, number: int) -> Channel:
        assert self.user is not None, "only an open connection has channels"
        return Channel(number, self, self._vhost, self.user, self._usage)

    # -- methods of channel 0 -----------------------------------------------------------------

    def _start_ok(self, method: Any) -> None:
        client = login.read_client(method)
        self.notify_cancel = client.notify_cancel
        self.user = self._users.log_in(method.response)
        if self.user is not None:
            self.state = State.TUNE
            self.send(0, login.tune(self._limits))
        elif client.closes_on_refusal:
            raise ConnectionFault(ACCESS_REFUSED, "login was refused with mechanism PLAIN")
        else:
            self._leave(State.CLOSED)

    def _tune_ok(self, method: Any) -> None:
        login.check_tuning(method, self._limits)
        self._frame_max = method.frame_max
        self._reading.limit(method.frame_max)
        self._channels.most = method.channel_max
        self.heartbeat_s = method.heartbeat
        self.state = State.OPENING

    def _open(self, method: Any) -> None:
        if method.virtual_host != self._vhost.name:
            raise ConnectionFault(NOT_ALLOWED, f"vhost {method.virtual_host} not found")
        self._take_place()
        self.state = State.OPEN
        self.send(0, spec.Connection.OpenOk())

    def _take_place(self) -> None:
        assert self.user is not None, "who opens has logged in"
        holder = self.user.holder
        if not self._places.take(holder):
            count = self._places.taken_by(holder)
            text = f"this user has {count} connections, and others need what is left: close some"
            raise ConnectionFault(RESOURCE_ERROR, text)
        self._has_place = True

    def _close(self, method: Any) -> None:
        self._send_confirms()
        self._leave(State.CLOSED)
        self.send(0, spec.Connection.CloseOk())

    def _close_ok(self, method: Any) -> None:
        self.state = State.CLOSED

    # -- helpers ------------------------------------------------------------------------------

    def _fail(self, fault: Fault, method: Any) -> None:
        self.close(fault.code, fault.text, method=method)

    def _leave(self, state: State) -> None:
        """Give up the channels, and with them everything that the connection holds."""
        self.state = state
        # Its own consumers must not get what its channels give back.
        self.paused = True
        self._confirming.clear()
        self._channels.release()
        if self._has_place:
            assert self.user is not None, "who has a place has logged in"
            self._places.give_back(self.user.holder)
            self._has_place = False
        self._vhost.delete_queues_of(self)

    def _send_confirms(self) -> None:
        for channel in self._confirming:
            channel.send_confirms()
        self._confirming.clear()

    def _write(self, pieces: list[bytes]) -> None:
        if not self._output:
            self._on_output(self)
        self._output += pieces
        self._output_size += sum(map(len, pieces))


_METHODS: dict[tuple[State, type], Callable[[Connection, Any], None]] = {
    (State.START, spec.Connection.StartOk): Connection._start_ok,
    (State.TUNE, spec.Connection.TuneOk): Connection._tune_ok,
    (State.OPENING, spec.Connection.Open): Connection._open,
    (State.START, spec.Connection.Close): Connection._close,
    (State.TUNE, spec.Connection.Close): Connection._close,
    (State.OPENING, spec.Connection.Close): Connection._close,
    (State.OPEN, spec.Connection.Close): Connection._close,
    (State.CLOSING, spec.Connection.Close): Connection._close,
    (State.CLOSING, spec.Connection.CloseOk): Connection._close_ok,
}
