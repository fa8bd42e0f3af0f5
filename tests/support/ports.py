"""Ports of loopback that nobody listens on, for as long as a test needs them so."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_HOST = "127.0.0.1"
#: What a system uses that does not tell its range of ports for whoever asks for any.
_USUAL_FIRST = 32768
#: Below it are ports that programs have by default.
_LOWEST = 15000
#: Ports that were given; a program that was told one may be slow to listen there.
_given: set[int] = set()


@contextmanager
def closed_port() -> Iterator[int]:
    """Keep a port that refuses connections: it is bound, so that nobody else can get it."""
    with socket.socket() as held:
        held.bind((_HOST, 0))
        yield held.getsockname()[1]


def free_port() -> int:
    """Return a port for a program that starts soon and can only be told a number.

    It is none of those that the system hands out to whoever wants any, as dozens of tests do until
    the program is there.
    """
    for port in random.SystemRandom().sample(range(_LOWEST, _first_of_the_system()), 1000):
        if port not in _given:
            with suppress(OSError), socket.socket() as probe:
                probe.bind((_HOST, port))
                _given.add(port)
                return port
    raise RuntimeError("no port is free")


def _first_of_the_system() -> int:
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    except OSError:
        return _USUAL_FIRST
    # Where the system takes almost all of them there is nothing to choose from.
    return max(int(text.split()[0]), _LOWEST + 2000)
