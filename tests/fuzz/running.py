"""A whole service in a thread of this process, so that its log and its coverage are at hand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from gcompute.local.settings import Settings
from gcompute.local.stack import Announcement, running
from gcompute.local.user import User

_PATIENCE_S = 30.0


@contextmanager
def service_in_thread(folder: Path) -> Iterator[Announcement]:
    """Run a service for two users, without an endpoint, for the length of a `with` block."""
    settings = Settings(state_dir=str(folder), workers=0, users=(User("ann"), User("bob")))
    loop = asyncio.new_event_loop()
    ready: Future[Announcement] = Future()
    stop = asyncio.Event()

    async def serve() -> None:
        async with running(settings, None) as announcement:
            ready.set_result(announcement)
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="service under fuzz")
    thread.start()
    try:
        yield ready.result(_PATIENCE_S)
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join(_PATIENCE_S)
        assert not thread.is_alive(), "the service under fuzz does not stop"
