"""The lock that outlives a service with its agent."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcompute.local import agent_lock
from gcompute.local.agent_lock import AgentLock
from tests.support.event_loop import in_event_loop


@pytest.fixture
def former(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An agent that ends when its standard input closes, and whose service is gone."""
    lock = AgentLock(tmp_path)
    agent = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=[lock.fileno()],
        process_group=0,
    )
    assert lock._try()
    lock.name(agent.pid)
    lock.close()
    yield agent
    assert agent.stdin is not None
    agent.stdin.close()
    agent.kill()
    agent.wait()


@in_event_loop
async def test_a_free_place_is_taken_at_once(tmp_path: Path) -> None:
    """And can be taken again when the one who had it is gone."""
    for _ in range(2):
        lock = AgentLock(tmp_path)
        await lock.take()
        another = AgentLock(tmp_path)
        assert not another._try()
        another.close()
        lock.close()


@in_event_loop
async def test_a_former_agent_is_waited_for(
    tmp_path: Path, former: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends by itself, and is not killed."""

    async def end(_: float) -> None:
        assert former.stdin is not None
        former.stdin.close()
        former.wait(20)

    monkeypatch.setattr(asyncio, "sleep", end)
    lock = AgentLock(tmp_path)
    await lock.take()
    lock.close()
    assert former.returncode == 0


@in_event_loop
async def test_a_former_agent_that_does_not_end_is_killed(
    tmp_path: Path, former: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file says which process it is."""
    monkeypatch.setattr(agent_lock, "_PATIENCE_S", 0.0)
    lock = AgentLock(tmp_path)
    await lock.take()
    lock.close()
    assert former.wait(20) == -9


@in_event_loop
async def test_who_inherited_the_lock_by_chance_is_left_alone(
    tmp_path: Path,
    former: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The agent is gone; the service goes on, and says so."""
    monkeypatch.setattr(agent_lock, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(agent_lock, "_KILL_S", 0.0)
    # More than any system has.
    (tmp_path / "agent.lock").write_text(f"{2**31 - 2}\n")
    lock = AgentLock(tmp_path)
    await lock.take()
    lock.close()
    assert former.poll() is None
    assert "something still holds" in caplog.text
