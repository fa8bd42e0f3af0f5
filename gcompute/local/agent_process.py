"""One process of the endpoint's agent, as the service sees it.

In goes the registration, as the first line of its standard input; out comes its first line, that
it is ready or why it never will be. SIGTERM tells it to stop in order. Its standard input holds
it: that closes when the service was killed, and then the agent ends at once. Its standard error is
the service's own, which is the log. It leads a process group, and what an engine left in that is
killed when it has ended.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from .agent_lock import AgentLock

log = logging.getLogger(__name__)

#: The interpreter's own ``__main__`` is left to user functions, which an engine may run there.
_COMMAND = "from gcompute.local.agent.__main__ import main as _main; raise SystemExit(_main())"
#: How long an agent may take to be ready, in seconds; engines start programs of their own.
_READY_S = 50.0
#: How long it may take to end, in seconds.
_STOP_S = 14.0


class AgentFailed(Exception):
    """The agent did not get ready; the text says why."""


class AgentProcess:
    """A running agent."""

    def __init__(self, process: asyncio.subprocess.Process, lock: AgentLock) -> None:
        self._process = process
        self._lock = lock

    @classmethod
    async def spawn(cls, lock: AgentLock) -> AgentProcess:
        """Start a process, which shares the lock; it waits for its registration."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", _COMMAND),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[lock.fileno()],
            process_group=0,
        )
        return cls(process, lock)

    async def take_place(self) -> None:
        """Wait until the agent of a former service is gone."""
        await self._lock.take()

    async def successor(self) -> AgentProcess:
        """Start another process in the place of this one, which has ended."""
        return await self.spawn(self._lock)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def begin(self, registration: dict[str, Any]) -> None:
        """Hand over the registration, and wait until the agent takes tasks.

        Raises:
            AgentFailed: it ended, or was not ready in time.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        self._lock.name(self.pid)
        try:
            stdin.write(json.dumps(registration).encode() + b"\n")
            async with asyncio.timeout(_READY_S):
                await stdin.drain()
                line = await stdout.readline()
        except ConnectionError as error:
            raise AgentFailed("it ended before it was registered") from error
        except TimeoutError as error:
            raise AgentFailed(f"it was not ready within {_READY_S:g} s") from error
        answer = _parse(line)
        if answer.get("ready") is not True:
            raise AgentFailed(str(answer.get("error") or "it ended while it started"))

    async def wait(self) -> int:
        """Wait for the end of the process; give its exit status."""
        status = await self._process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return status

    async def stop(self) -> None:
        """End the process: in order, or else by force."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_S):
                await self.wait()
        except TimeoutError:
            log.warning("agent %d did not stop within %g s, and is killed", self.pid, _STOP_S)
            self._process.kill()
            await self.wait()


def _parse(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
