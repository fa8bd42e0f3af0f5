"""The limits of a broker, in one place: what it accepts, how much it holds, how long it waits."""

from __future__ import annotations

from typing import NamedTuple


class BrokerLimits(NamedTuple):
    """The limits, with RabbitMQ's defaults where it has the same limit.

    Attributes:
        frame_max: the largest frame, in bytes; a client may negotiate less, down to 4,096.
        login_frame_max: the largest frame of a client that has not logged in, in bytes.
        channel_max: channels of one connection.
        max_connections: open connections. One more takes the place of one that has not logged in,
            or is closed without a word where all have. Below the usual limit of 1,024 files a
            process, which the web service and the state need as well.
        max_share: a user may have so many times as many connections as there are places left;
            one more is refused with 506. So one takes 400 of 500 at most, and the next 80.
        max_queues: queues; one more is refused with 406.
        max_exchanges: exchanges, the predefined ones among them; one more is refused with 406.
            More than queues: each endpoint of a service has one of both.
        max_bindings: bindings of one exchange; one more is refused with 406. More than queues:
            the task queues of all endpoints are bound to one exchange.
        max_consumers: consumers of one connection; one more is refused with 406.
        max_message_size: the largest message body, in bytes. All messages of one connection
            that have begun and not ended may have as much together.
        write_high_water: bytes waiting to be sent to one client above which nothing more is
            delivered to it. Ten times as much, and nothing more is read from it.
        max_queued_bytes: bytes of messages in all queues above which publishers are not read
            from. A client that publishes and consumes on one connection should consume on
            another one, because its acknowledgements wait as well.
        heartbeat_s: the interval that is proposed to clients, in seconds.
        handshake_timeout_s: how long a client may take to log in, in seconds.
        close_timeout_s: how long to wait for a client's close-ok, and for a client to read the
            last words of a closed connection, in seconds.
    """

    frame_max: int = 131_072
    login_frame_max: int = 8192
    channel_max: int = 2047
    max_connections: int = 500
    max_share: int = 4
    max_queues: int = 50_000
    max_exchanges: int = 60_000
    max_bindings: int = 60_000
    max_consumers: int = 10_000
    max_message_size: int = 128 * 2**20
    write_high_water: int = 2**20
    max_queued_bytes: int = 2**30
    heartbeat_s: int = 60
    handshake_timeout_s: float = 10.0
    close_timeout_s: float = 3.0
