"""Bytes that were right, made wrong: pure, and the same for the same random source.

`mutated_bytes` knows nothing of what the bytes mean. `mutated_session` knows AMQP's frames, so that
what it makes wrong is a length, a channel, an order, a table, and the rest is still right.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pika import spec

_HEADER_SIZE = 7
_PROTOCOL_HEADER_SIZE = 8


def mutated_bytes(random: Random, data: bytes) -> bytes:
    """Flip, remove, repeat, insert and cut a few bytes."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 6)):
        start = random.randrange(len(changed) + 1)
        end = min(len(changed), start + random.choice((1, 1, 2, 4, 8, 64)))
        match random.randrange(6):
            case 0 if start < len(changed):
                changed[start] ^= 1 << random.randrange(8)
            case 1:
                del changed[start:end]
            case 2:
                changed[start:start] = changed[start:end] * random.randint(1, 20)
            case 3:
                changed[start:start] = random.randbytes(random.randint(1, 16))
            case 4:
                changed[start:end] = random.choice((b"\x00", b"\xff", b"\x7f")) * (end - start)
            case _:
                del changed[len(changed) - random.randrange(1 + len(changed) // 2) :]
    return bytes(changed)


def split(session: bytes) -> list[bytes]:
    """Cut a session at its frames; the protocol header is the first part."""
    parts, position = [session[:_PROTOCOL_HEADER_SIZE]], _PROTOCOL_HEADER_SIZE
    while position < len(session):
        size = int.from_bytes(session[position + 3 : position + _HEADER_SIZE], "big")
        end = position + _HEADER_SIZE + size + 1
        parts.append(session[position:end])
        position = end
    return parts


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """Return a frame."""
    head = kind.to_bytes(1, "big") + channel.to_bytes(2, "big") + len(payload).to_bytes(4, "big")
    return head + payload + b"\xce"


def mutated_session(random: Random, session: bytes) -> bytes:
    """Make something wrong in a recorded session, mostly after its login."""
    if random.random() < 0.2:
        return mutated_bytes(random, session)
    frames = split(session)
    login = min(4, len(frames) - 1)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(login if random.random() < 0.8 else 0, len(frames))
        frames[at : at + 1] = random.choice(_MUTATIONS)(random, frames[at])
    if random.random() < 0.2:
        tail = frames[login:]
        random.shuffle(tail)
        frames[login:] = tail
    return b"".join(frames)


def _without(random: Random, part: bytes) -> list[bytes]:
    return []


def _repeated(random: Random, part: bytes) -> list[bytes]:
    return [part] * random.choice((2, 3, 50))


def _flipped(random: Random, part: bytes) -> list[bytes]:
    """Change the payload, and leave the frame around it right."""
    payload = mutated_bytes(random, part[_HEADER_SIZE:-1])
    return [part[:3] + len(payload).to_bytes(4, "big") + payload + b"\xce"]


def _cut(random: Random, part: bytes) -> list[bytes]:
    # What an earlier mutation has left may be empty.
    return [part[: random.randrange(len(part) + 1)]]


def _of_wrong_length(random: Random, part: bytes) -> list[bytes]:
    length = int.from_bytes(part[3:_HEADER_SIZE], "big")
    wrong = random.choice((0, length - 1, length + 1, 2**31 - 1, 2**32 - 1, 131_064, 131_065))
    return [part[:3] + (wrong % 2**32).to_bytes(4, "big") + part[_HEADER_SIZE:]]


def _of_wrong_channel(random: Random, part: bytes) -> list[bytes]:
    wrong = random.choice((0, 1, 2, 2047, 2048, 65535))
    return [part[:1] + wrong.to_bytes(2, "big") + part[3:]]


def _of_wrong_kind(random: Random, part: bytes) -> list[bytes]:
    return [random.choice((0, 1, 2, 3, 4, 8, 255)).to_bytes(1, "big") + part[1:]]


def _before_a_table(random: Random, part: bytes) -> list[bytes]:
    """Declare a queue with a table that is too large, too deep, or a lie."""
    name = f"fuzz-{random.randrange(50)}".encode()
    head = b"\x00\x00" + len(name).to_bytes(1, "big") + name + b"\x00"
    index = spec.Queue.Declare.INDEX.to_bytes(4, "big")
    depth = random.choice((1, 50, 900, 1100, 5000))
    match random.randrange(4):
        case 0:
            table = b"".join(b"\x04k%03dl" % n + random.randbytes(8) for n in range(1000))
        case 1:
            table = _nested(depth, b"\x01aF")
        case 2:
            table = b"\x01aA" + _nested(depth, b"A")
        case _:
            table = b"\x01aS\xff\xff\xff\xff" + random.randbytes(40)
    lie = random.choice((0, 0, 1, -1, 2**31))
    size = ((len(table) + lie) % 2**32).to_bytes(4, "big")
    return [frame(1, 1, index + head + size + table), part]


def _nested(depth: int, opening: bytes) -> bytes:
    """Return tables or arrays, one in the other, with lengths that fit."""
    inner = b""
    for _ in range(depth):
        inner = opening + len(inner).to_bytes(4, "big") + inner
    return inner


def _before_a_flood(random: Random, part: bytes) -> list[bytes]:
    """Send thousands of the smallest frames."""
    tiny = random.choice(
        (
            frame(8, 0, b""),
            frame(3, 1, b""),
            frame(1, 1, spec.Basic.Ack.INDEX.to_bytes(4, "big") + bytes(9)),
            frame(1, 1, spec.Basic.Qos.INDEX.to_bytes(4, "big") + bytes(7)),
            frame(1, 0, b""),
        )
    )
    return [tiny * random.choice((100, 3000)), part]


def _before_noise(random: Random, part: bytes) -> list[bytes]:
    return [random.randbytes(random.randint(1, 200)), part]


def _before_any_method(random: Random, part: bytes) -> list[bytes]:
    """Call any method there is, with any arguments."""
    index = random.choice(sorted(spec.methods)).to_bytes(4, "big")
    channel = random.choice((0, 1, 1, 1, 2))
    return [frame(1, channel, index + random.randbytes(random.randrange(40))), part]


_MUTATIONS: list[Callable[[Random, bytes], list[bytes]]] = [
    _without,
    _repeated,
    _flipped,
    _flipped,
    _cut,
    _of_wrong_length,
    _of_wrong_channel,
    _of_wrong_kind,
    _before_a_table,
    _before_a_flood,
    _before_noise,
    _before_any_method,
]
