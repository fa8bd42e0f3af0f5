"""A client's process: it is given an order for ``program.py``, and what it says is kept."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.faults.patience import eventually

_PROGRAM = Path(__file__).with_name("program.py")
_END_S = 5.0


@dataclass(frozen=True)
class Side:
    """A client, and the interpreter that has it."""

    name: Literal["ours", "official"]
    package: str
    python: str


@dataclass(frozen=True)
class Ending:
    """How a future ended: a value, or an error."""

    value: Any = None
    #: Name of the error's type; ``None`` for a value.
    error: str | None = None
    text: str = ""
    task_group_id: str | None = None


class ClientProcess:
    """A running program.

    Attributes:
        calls: the numbers of the calls, by the keys that it has for their futures.
        endings: how futures ended, by the number of the call or the task's id; an ending that
            comes a second time is in ``repeated``.
        submitted: how many calls it has submitted, or futures it has reloaded.
        started_at: when it was started, on the monotonic clock.
        ended_at: when the last future ended.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.calls: Mapping[int | str, int] = {}
        self._process = process
        self._log = log
        self.endings: dict[int | str, Ending] = {}
        self.repeated: list[int | str] = []
        self.submitted = 0
        self.started_at = self.ended_at = time.monotonic()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, side: Side, order: dict[str, Any], log: Path) -> ClientProcess:
        """Start a program with an order; what it writes to standard error goes to a file."""
        # What the user has set for the hosted service is no business of this.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GLOBUS_")}
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                side.python,
                "-I",
                str(_PROGRAM),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=environment | {"HOME": str(log.parent)},
                limit=1 << 20,
            )
        started = cls(process, log)
        started._write(json.dumps({"package": side.package, **order}))
        return started

    def go_on(self) -> None:
        """Let it submit the next part."""
        self._write("go on")

    def kill(self) -> None:
        """End it at once."""
        if self._process.returncode is None:
            self._process.kill()

    async def close(self) -> None:
        """End it, in order if it will."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        await self._reader

    async def has_submitted(self, count: int) -> None:
        """Wait until it has submitted so many calls, or reloaded so many futures.

        Raises:
            NeverHappened: it has not.
        """
        await eventually(lambda: self.submitted, count, "calls submitted", self._ended)

    async def has_ended(self, count: int) -> None:
        """Wait until so many futures have ended.

        Raises:
            NeverHappened: they have not.
        """
        await eventually(lambda: len(self.endings), count, "futures ended", self._ended)

    def said(self) -> str:
        """Give the end of what it wrote to standard error."""
        return self._log.read_text(errors="replace")[-3000:]

    def _ended(self) -> bool:
        return self._reader.done()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._hear(json.loads(line))

    def _hear(self, message: dict[str, Any]) -> None:
        if "submitted" in message:
            self.submitted += message["submitted"]
            return
        key = message.pop("key")
        if key in self.endings:
            self.repeated.append(key)
        self.endings[key] = Ending(**message)
        self.ended_at = time.monotonic()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
