"""The client of executors that are given none.

They share one, and with it a login, connections, a budget of requests and a task group. What
the environment says chooses it, so a program that changes the environment gets another.
"""

from __future__ import annotations

from gcompute import environment
from gcompute.client import Client
from gcompute.forking import no_fork

#: By what the environment says of service and login.
_clients: dict[tuple[str, ...], Client] = {}


def default_client() -> Client:
    """Give the client for the environment as it is now; made at the first call.

    Raises:
        ValueError: the environment contradicts itself.
    """
    key = environment.client_settings()
    with no_fork:  # a lock of its own would stay locked in a process that is forked meanwhile
        if key not in _clients:
            _clients[key] = Client()
        return _clients[key]
