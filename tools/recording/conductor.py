"""Runs the official process, and does what its scenarios ask for.

The process asks over its standard output, one JSON object a line, and is answered over its
standard input. What it says on standard error is the user's to see when a scenario fails.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.support.amqp_proxy import AmqpPassage, AmqpProxy
from tests.support.http_front import HttpFront, answer
from tools.recording.pace import Pace
from tools.recording.scenario import INJECTED

#: Longest line that the process may say, in bytes.
_LINE = 2**20
_PATIENCE_S = 60.0
#: Seconds for the process to note what is under way, when all is interrupted.
_TO_LEAVE_S = 15.0


class Conductor:
    """Has scenarios played, and serves them.

    Args:
        url, token: the service and who asks it, for what is not to be recorded.
        front: stands before it; ``None`` where nothing does.
        proxy: stands before its broker; ``None`` where nothing does.
        interval_s: seconds between two questions of whether tasks have finished.
        pace: how fast these may go; ``None`` for no limit.
    """

    def __init__(
        self,
        url: str,
        token: str,
        front: HttpFront | None = None,
        proxy: AmqpProxy | None = None,
        *,
        interval_s: float = 0.1,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace
        self._http = httpx.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=_PATIENCE_S
        )
        self._interval_s = interval_s
        self._front = front
        self._proxy = proxy
        #: Acknowledgements before the present scenario.
        self._before = 0
        self._failed: list[str] = []
        self._actions: dict[str, Callable[..., Awaitable[Any]]] = {
            "begin": self._begin,
            "recorded": self._recorded,
            "failed": self._fail,
            "await": self._await,
            "inject": self._inject,
            "disturb": self._disturb,
        }

    async def conduct(
        self, order: dict[str, Any], python: str, environment: dict[str, str]
    ) -> list[str]:
        """Have an order carried out; give the names of the scenarios that failed.

        Executors of one process share task groups and connections, so that each of their
        scenarios has a process of its own.
        """
        alone = [name for name in order["scenarios"] if name.startswith("executor/")]
        together = [name for name in order["scenarios"] if name not in alone]
        try:
            for names in filter(None, (together, *([name] for name in alone))):
                await self._process({**order, "scenarios": names}, python, environment)
        finally:
            await self._http.aclose()
        return self._failed

    async def _process(
        self, order: dict[str, Any], python: str, environment: dict[str, str]
    ) -> None:
        process = await asyncio.create_subprocess_exec(
            python,
            "-m",
            "tools.recording.official",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
            cwd=environment["HOME"],
            limit=_LINE,
            # A Ctrl-C is for the conductor, which then has this process end in order.
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            async for line in process.stdout:
                told = await self._serve(json.loads(line))
                process.stdin.write(json.dumps(told).encode() + b"\n")
            if await process.wait():
                self._failed.append(f"the process for {', '.join(order['scenarios'])}")
        finally:
            if process.returncode is None:
                await self._end(process)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Have a process leave after the request that is under way, whose answer it may note."""
        process.terminate()
        try:
            async with asyncio.timeout(_TO_LEAVE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _serve(self, question: dict[str, Any]) -> Any:
        do = question.pop("do")
        return await self._actions[do](**question)

    async def _begin(self, scenario: str) -> None:
        if self._proxy is not None:
            self._before = self._proxy.acknowledgements
        print(scenario, end=" ", flush=True)

    async def _recorded(self, scenario: str) -> None:
        print("recorded", flush=True)

    async def _fail(self, scenario: str, reason: str) -> None:
        print(f"failed\n{reason}", flush=True)
        self._failed.append(scenario)

    async def _await(self, tasks: list[str]) -> None:
        """Wait until tasks have finished."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                if self._pace is not None:
                    await asyncio.to_thread(self._pace.wait)
                reply = await self._http.post("/v2/batch_status", json={"task_ids": tasks})
                results = reply.raise_for_status().json()["results"]
                if all(results[task]["status"] in ("success", "failed") for task in tasks):
                    return
                await asyncio.sleep(self._interval_s)

    async def _inject(self, status: int, retry_after: int | None, times: int) -> None:
        """Answer requests to come in the service's place."""
        assert self._front is not None, "this service has nothing before it that answers"
        content = {"status": "Failed", "code": INJECTED, "reason": "as asked for"}
        self._front.inject(
            lambda _request: True, answer(status, content, retry_after=retry_after), times=times
        )

    async def _disturb(self, how: str, acknowledgements: int) -> None:
        """Do to the connections of clients what a broker may do."""
        assert self._proxy is not None, "this broker has nothing before it that disturbs"
        async with asyncio.timeout(_PATIENCE_S):
            # The proxy tells nobody when it passes a frame on.
            while self._proxy.acknowledgements - self._before < acknowledgements:  # noqa: ASYNC110
                await asyncio.sleep(self._interval_s / 10)
        # The embedded broker is in the service's process, and has read on when this is answered.
        await self._http.get("/v2/version")
        if how == "close the connection":
            for passage in self._proxy.passages:
                assert isinstance(passage, AmqpPassage)
                passage.between_messages(lambda p: p.end(320, "CONNECTION_FORCED - on purpose"))
        elif how == "close the channel":
            self._proxy.close_channels(541, "INTERNAL_ERROR - on purpose")
        elif how == "cancel the consumer":
            self._proxy.cancel_consumers()
        else:
            raise ValueError(f"nobody knows how to {how}")
