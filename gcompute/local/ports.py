"""The ports that a service listens on: after a restart the same ones.

Clients and agents that were there before know the address, and find the service again by it. So
a port that was picked is kept in the state, and picked again. What can be in the way for a
moment is one of those clients: a connection that is tried while nobody listens may have got that
very port as its own end. So a port is tried for a while before another one is picked.
"""

from __future__ import annotations

import asyncio
import logging
import socket

from .http_server import AddressTaken, listen
from .store import Store

log = logging.getLogger(__name__)

#: How long to try to have a former port, and how long to wait in between, in seconds.
_INSIST_S = 3.0
_PAUSE_S = 0.05


async def listen_again(store: Store, what: str, host: str, port: int = 0) -> socket.socket:
    """Open a listening socket.

    Args:
        store: remembers the port.
        what: whose port it is, such as ``"web service"``.
        host: the address.
        port: the port; 0 picks the one of the last time, or else a free one.

    Raises:
        AddressTaken: the given port cannot be had.
    """
    key = f"port of the {what}"
    last = store.noted(key)
    listener = None
    if port == 0 and last is not None:
        listener = await _insist(host, int(last))
        if listener is None:
            log.warning(
                "the %s was at port %s, which is taken now: programs that knew it there must be "
                "started again",
                what,
                last,
            )
    listener = listener or listen(host, port)
    store.note(key, str(listener.getsockname()[1]))
    return listener


async def _insist(host: str, port: int) -> socket.socket | None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _INSIST_S
    while True:
        try:
            return listen(host, port)
        except AddressTaken:
            if loop.time() > deadline:
                return None
        await asyncio.sleep(_PAUSE_S)
