"""Connections to one service, for many threads.

An httpx client is made when it is first needed. Closing ends its idle connections at once, and
those in use when their requests have ended: a socket that is closed under a thread which reads
from it leaves that thread waiting, and the next connection of the process may get its number.
A forked process opens its own: two that speak on one connection read each other's answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from gcompute.forking import no_fork, tell_of_forks


class _Pool:
    """An httpx client, and how many requests it has under way."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.users = 0


class Connections:
    """Lends the connections of one service.

    Args:
        make: makes the httpx client; called at the first use, and at the first after a close.
    """

    def __init__(self, make: Callable[[], httpx.Client]) -> None:
        self._make = make
        self._lock = threading.Lock()
        #: What the next request uses; a pool that was closed is nobody's but its users'.
        self._pool: _Pool | None = None
        tell_of_forks(self)

    @contextmanager
    def use(self) -> Iterator[httpx.Client]:
        """Lend them for one request."""
        with self._lock:
            pool = self._pool = self._pool or self._new_pool()
            pool.users += 1
        try:
            yield pool.http
        finally:
            with self._lock:
                pool.users -= 1
                last = pool is not self._pool and pool.users == 0
            if last:
                pool.http.close()

    def _new_pool(self) -> _Pool:
        with no_fork:
            import encodings.idna  # noqa: F401 - which the first look-up of a host needs

            return _Pool(self._make())  # which imports the rest of httpx

    def close(self) -> None:
        """Close what is idle now, and the rest when it is no longer used."""
        with self._lock:
            pool, self._pool = self._pool, None
            idle = pool is not None and pool.users == 0
        if pool is not None and idle:
            pool.http.close()

    def abandon(self) -> None:
        """Leave the connections to the process that this one was forked from."""
        self._lock = threading.Lock()
        if self._pool is not None:
            _parents.append(self._pool)  # to close it would end the parent's TLS sessions
            self._pool = None


#: In a forked process: what is the parent's, kept as it is.
_parents: list[_Pool] = []
