"""Mutated AMQP sessions: the broker ends that connection, and nobody else notices."""

from __future__ import annotations

import itertools
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from random import Random

from pika import spec

from gcompute.local.broker.codec import decode_method
from tests.fuzz.broker_process import RunningBroker
from tests.fuzz.bystander import ROUND_TRIP_S, Bystander
from tests.fuzz.campaign import CAMPAIGN
from tests.fuzz.mutation import mutated_session, split
from tests.fuzz.sessions import recorded_sessions

#: How long a connection may stay when its peer has said all, in seconds.
_END_S = 20.0
#: What a campaign may add to the memory of the broker, after its queues were filled once.
_GROWTH = 12 * 2**20


def talk(broker: RunningBroker, data: bytes, random: Random) -> bytes:
    """Send bytes in pieces, hang up, and return all that comes until the broker has closed."""
    with socket.create_connection(broker.address, _END_S) as peer:
        replies = bytearray()
        reader = threading.Thread(target=_read, args=(peer, replies))
        reader.start()
        try:
            for piece in _pieces(data, random):
                peer.sendall(piece)
            peer.shutdown(socket.SHUT_WR)
        except OSError:
            # The broker had heard enough.
            replies += b""
        reader.join(_END_S)
        assert not reader.is_alive(), "the broker keeps a connection whose peer is gone"
    return bytes(replies)


def _read(peer: socket.socket, replies: bytearray) -> None:
    try:
        while data := peer.recv(65536):
            replies += data
    except ConnectionResetError:
        return


def _pieces(data: bytes, random: Random) -> Iterator[bytes]:
    if random.random() < 0.7:
        yield data
        return
    position = 0
    while position < len(data):
        size = random.choice((1, 7, 8, 100, 10_000))
        yield data[position : position + size]
        position += size


def test_mutated_sessions_end_their_own_connection_only(broker: RunningBroker) -> None:
    """No crash, no hang, no growth, and a bystander's messages go on throughout."""
    sessions = recorded_sessions(broker)
    memory: list[int] = []
    endings: Counter[str] = Counter()
    with Bystander(broker.url) as bystander:
        for number, session in zip(range(CAMPAIGN.cases), itertools.cycle(sessions), strict=False):
            # What pika sends may differ a little from run to run: each case by itself, so that
            # all others stay the same.
            random = Random(f"{CAMPAIGN.start} broker {number}")
            replies = talk(broker, mutated_session(random, session), random)
            assert broker.process.poll() is None, f"the broker died of case {number}"
            endings[_ending(replies)] += 1
            if number % (CAMPAIGN.cases // 10) == 0:
                memory.append(broker.memory)
        rounds = bystander.rounds
    assert rounds > CAMPAIGN.cases / 10
    # The mutations reach what a connection can do, and break it in every way there is.
    assert set(endings) >= {"hung up", "closed in order", "501", "502", "503", "504", "505"}
    assert bystander.slowest_s < ROUND_TRIP_S
    assert memory[-1] - memory[4] < _GROWTH, [size >> 20 for size in memory]
    print(
        f"{CAMPAIGN.cases} sessions, {rounds} rounds of the bystander, the slowest "
        f"{bystander.slowest_s * 1000:.0f} ms; "
        f"memory {[size >> 20 for size in memory]} MiB; {dict(endings)}"
    )


def _ending(replies: bytes) -> str:
    """Say how the broker ended a connection, by its last words."""
    if not replies:
        return "no protocol header"
    if replies.startswith(b"AMQP"):
        return "another protocol"
    parts = split(b"\0" * 8 + replies)
    assert b"".join(parts) == b"\0" * 8 + replies, "the broker's last frame is cut"
    for part in reversed(parts[1:]):
        method = decode_method(part[7:-1]) if part[:3] == b"\x01\0\0" else None
        if isinstance(method, spec.Connection.Close):
            return str(method.reply_code)
        if isinstance(method, spec.Connection.CloseOk):
            return "closed in order"
    return "hung up"
