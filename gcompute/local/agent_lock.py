"""The lock that an agent holds for as long as it lives, also when its service has been killed.

A service that starts on the folder of a killed one must not start an agent beside the former one:
both would take tasks of one endpoint. The lock is on an open file (``flock``), which the service
hands down to each agent that it starts; it is free when neither is there any more.

The former agent notices by itself that its service is gone, and ends within a moment. One that
does not is killed: the file says which process it is, and that it holds the lock says that the
process is still that one.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

#: How long a former agent may take to end, and then to be killed, in seconds.
_PATIENCE_S = 5.0
_KILL_S = 2.0
_PAUSE_S = 0.02


class AgentLock:
    """The lock of one state folder's agent.

    Args:
        folder: the state folder.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "agent.lock"
        self._file = self._path.open("a+")

    def fileno(self) -> int:
        """Give the number of the open file, for an agent to inherit."""
        return self._file.fileno()

    async def take(self) -> None:
        """Wait until the agent of a former service is gone, and lock its place."""
        if await self._take_within(_PATIENCE_S):
            return
        pid = self._agent()
        log.warning("the agent of the former service (process %s) does not end: killing it", pid)
        if pid is not None:
            with suppress(ProcessLookupError):
                # It leads a process group, with what its engine started.
                os.killpg(pid, signal.SIGKILL)
        if not await self._take_within(_KILL_S):
            # A program that a function left behind may have inherited the file.
            log.warning("something still holds %s; going on without it", self._path)

    def name(self, pid: int) -> None:
        """Write down which process the agent is."""
        self._file.truncate(0)
        self._file.write(f"{pid}\n")
        self._file.flush()

    def close(self) -> None:
        """Leave the lock to the agent, if there is one."""
        self._file.close()

    async def _take_within(self, patience_s: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while not self._try():
            if loop.time() > deadline:
                return False
            await asyncio.sleep(_PAUSE_S)
        return True

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _agent(self) -> int | None:
        self._file.seek(0)
        text = self._file.read().strip()
        return int(text) if text.isdecimal() else None
