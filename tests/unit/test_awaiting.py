"""Waiting in an event loop for what a thread ends."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gcompute.awaiting import LoopAlarm, in_thread
from tests.support.event_loop import in_event_loop


@in_event_loop
async def test_what_blocks_does_not_block_the_loop() -> None:
    """The loop goes on, and opens the gate that the thread waits for."""
    gate = threading.Event()
    running = asyncio.ensure_future(in_thread("gate", lambda: gate.wait(10)))
    await asyncio.sleep(0)
    assert not running.done()
    gate.set()
    assert await running is True


@in_event_loop
async def test_the_thread_is_named_and_a_daemon() -> None:
    """A stack dump says whose it is, and no exit waits for it."""
    thread = await in_thread("mine", threading.current_thread)
    assert thread.name == "gcompute-mine"
    assert thread.daemon


@in_event_loop
async def test_an_error_comes_back_from_the_thread() -> None:
    """Whatever it is."""

    def fails() -> None:
        raise SystemError("no")

    with pytest.raises(SystemError, match="no"):
        await in_thread("fails", fails)


def test_an_alarm_may_ring_twice_and_too_late() -> None:
    """Once wakes; a second time, and after the end of the loop, nothing happens."""

    async def main() -> LoopAlarm:
        alarm = LoopAlarm()
        alarm.ring()
        alarm.ring()
        await alarm
        await asyncio.sleep(0)
        return alarm

    asyncio.run(main()).ring()
