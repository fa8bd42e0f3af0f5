"""The channels of one connection: opened, closed, and which of them gets a frame.

In: frames on channel numbers other than 0. Out: calls of the channels, and what answers their
life. A fault of one channel closes that one; whatever else is wrong is a `ConnectionFault`.
Source: AMQP 0-9-1 specification, section 1.5.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .channel import Channel, Link
from .codec import Frame, spec
from .faults import CHANNEL_ERROR, NOT_ALLOWED, ChannelFault, ConnectionFault, closing

_LIFE = (spec.Channel.Open, spec.Channel.Close, spec.Channel.CloseOk)


class Channels:
    """The channels by number.

    `make` makes one with a number; `send_confirms` sends what they have to confirm, which must
    come before the news that one is closed.
    """

    def __init__(
        self, link: Link, make: Callable[[int], Channel], send_confirms: Callable[[], None]
    ) -> None:
        #: The largest number, as it was negotiated.
        self.most = 0
        self._link = link
        self._make = make
        self._send_confirms = send_confirms
        self._channels: dict[int, Channel] = {}

    def on_frame(self, frame: Frame, method: Any) -> None:
        """Handle a frame; `method` is what is in it, None for content.

        Raises:
            ConnectionFault: it cannot be on this channel.
        """
        if frame.type == spec.FRAME_HEARTBEAT:
            return
        channel = self._channels.get(frame.channel)
        if isinstance(method, _LIFE):
            self._on_life(frame.channel, channel, method)
        elif channel is None:
            raise ConnectionFault(CHANNEL_ERROR, "expected 'channel.open'")
        elif not channel.closing:
            try:
                if method is not None:
                    channel.on_method(method)
                elif frame.type == spec.FRAME_HEADER:
                    channel.on_header(frame.payload)
                else:
                    channel.on_body(frame.payload)
            except ChannelFault as fault:
                self._close(channel, fault, method)

    def resume(self) -> None:
        """Deliver what was held back."""
        for channel in list(self._channels.values()):
            channel.resume()

    def release(self) -> None:
        """Give up all channels, as the connection ends."""
        channels = list(self._channels.values())
        self._channels.clear()
        for channel in channels:
            channel.release()

    def _on_life(self, number: int, channel: Channel | None, method: Any) -> None:
        if isinstance(method, spec.Channel.Open):
            if channel is not None and not channel.closing:
                raise ConnectionFault(CHANNEL_ERROR, "second 'channel.open' seen")
            if channel is None:
                self._open(number)
        elif channel is None:
            raise ConnectionFault(CHANNEL_ERROR, "expected 'channel.open'")
        elif isinstance(method, spec.Channel.Close):
            if not channel.closing:
                self._send_confirms()
                del self._channels[number]
                channel.release()
            self._link.send(number, spec.Channel.CloseOk())
        elif channel.closing:
            del self._channels[number]

    def _open(self, number: int) -> None:
        if number > self.most:
            text = f"channel {number} is over the negotiated channel_max ({self.most})"
            raise ConnectionFault(NOT_ALLOWED, text)
        self._channels[number] = self._make(number)
        self._link.send(number, spec.Channel.OpenOk())

    def _close(self, channel: Channel, fault: ChannelFault, method: Any) -> None:
        self._send_confirms()
        channel.closing = True
        # A fault in content frames is one of the publish that they belong to.
        about = method if method is not None else spec.Basic.Publish
        close = spec.Channel.Close(*closing(fault.code, fault.text, about))
        self._link.send(channel.number, close)
        channel.release()
