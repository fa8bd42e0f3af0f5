"""Waiting for something that a broken client may never do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

#: Seconds in which the next event of a scenario must happen.
PATIENCE_S = 60.0
_LOOK_AGAIN_S = 0.01


class NeverHappened(Exception):
    """What a scenario waited for did not happen; the text says how far it came."""


async def eventually(
    count: Callable[[], int], wanted: int, what: str, hopeless: Callable[[], bool] = lambda: False
) -> None:
    """Wait until there are as many as wanted.

    Args:
        count: tells how many there are.
        wanted: how many are enough.
        what: what is counted, for the error.
        hopeless: tells whether there can be no more.

    Raises:
        NeverHappened: there are not, in good time or ever.
    """
    deadline = time.monotonic() + PATIENCE_S
    while count() < wanted:
        ended = hopeless()
        if ended or time.monotonic() > deadline:
            why = "and no more can come" if ended else f"after {PATIENCE_S:.0f} s"
            raise NeverHappened(f"{count()} of {wanted} {what} {why}")
        await asyncio.sleep(_LOOK_AGAIN_S)
