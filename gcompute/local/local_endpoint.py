"""The endpoint that the service runs itself: registered, started, and started again.

It is registered like any other endpoint, and its agent knows no more than an agent from elsewhere
would. The difference is that the service sees it die. Then the agent's workers are gone with all
tasks that it had taken, so the endpoint's queue is emptied and every unfinished task is queued
anew, before another agent starts. A task that was there at too many such deaths is probably
their cause, and fails.

:class:`LocalEndpoint` owns the agent's process and the one asyncio task that watches it.
"""

from __future__ import annotations

import asyncio
import getpass
import logging
import platform
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gcompute.backoff import Backoff
from gcompute.protocol import PROTOCOL_LEVEL

from .agent_process import AgentFailed, AgentProcess
from .amqp import LinkError
from .errors import ServiceError
from .operations.call import Call
from .operations.registration import register
from .routing import failed_outcome
from .service import Service
from .settings import Settings

log = logging.getLogger(__name__)

#: At how many deaths of the agent a task may be there.
_MOST_LOSSES = 3
#: How long what it has sent before its death may take to come in, in seconds.
_LAST_WORDS_S = 3.0


class LocalEndpoint:
    """The endpoint of one service.

    Args:
        service: where it registers.
        settings: how many workers it has, and where they work.
        process: a process that was started ahead, to import while the service starts.
    """

    def __init__(self, service: Service, settings: Settings, process: AgentProcess) -> None:
        self.id = service.local_endpoint
        self._service = service
        self._settings = settings
        self._owner = service.identities.owner
        self._process = process
        #: Whether this process took tasks, so that its end may have cost some.
        self._was_ready = False
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Register, and return when the agent takes tasks.

        Raises:
            AgentFailed: it does not.
        """
        with self._service.store.transaction():
            # The folder may have had another owner the last time.
            self._service.store.endpoints.give(self.id, self._owner.user.id)
            # Who starts the service wants the endpoint too, which somebody may have stopped before.
            self._service.store.endpoints.lock(self.id, until=0.0)
        await self._begin(await self._register())
        self._watch = asyncio.create_task(self._keep_alive(), name="gcompute-endpoint")

    async def stop(self) -> None:
        """End the agent and its workers."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self._process.stop()

    async def _register(self) -> dict[str, Any]:
        return await register(self._service, self._registration(), self.id)

    async def _begin(self, answer: dict[str, Any]) -> None:
        """Have the process begin with the answer to a registration."""
        run_dir = Path(self._settings.state_dir) / "endpoint"
        run_dir.mkdir(exist_ok=True)
        engine = self._settings.engine
        await self._process.begin(
            {
                "ep_info": {"endpoint_name": "local", "workers": self._settings.workers},
                "config": {
                    "workers": self._settings.workers,
                    "engine": asdict(engine) if engine is not None else None,
                    "run_dir": str(run_dir),
                    "heartbeat_period": self._settings.heartbeat_period,
                    # By the next service on this state, if this one is killed.
                    "reruns": True,
                    # So it does after an orderly stop, where there is a next service.
                    "fails_unfinished": self._settings.temporary,
                },
                "amqp_creds": answer,
            }
        )
        self._was_ready = True
        log.info("the endpoint %s is ready (agent %d)", self.id, self._process.pid)
        # The first report may still be on its way; that the agent is ready is as good.
        state: dict[str, Any] = {
            "total_workers": self._settings.workers,
            "idle_workers": self._settings.workers,
            "managers": 1,
            "heartbeat_period": self._settings.heartbeat_period,
        }
        with self._service.store.transaction():
            self._service.store.endpoints.report(self.id, state, time.time())

    def _registration(self) -> Call:
        metadata = {
            "description": "The endpoint of the local service",
            "hostname": socket.gethostname(),
            "local_user": _user_name(),
            "ip_address": self._settings.host,
            "endpoint_version": PROTOCOL_LEVEL,
            "sdk_version": PROTOCOL_LEVEL,
            "python_version": platform.python_version(),
        }
        body = {
            "endpoint_name": "local",
            "display_name": "Local",
            # The programs of its owner may do with it what he may.
            "admins": [self._owner.client.id],
            "metadata": metadata,
        }
        return Call(caller=self._owner.user, path={}, query={}, body=body, now=time.time())

    async def _keep_alive(self) -> None:
        back_off = Backoff(limit_s=10.0)
        while True:
            started_at = time.monotonic()
            status = await self._process.wait()
            log.error("the agent %d ended with status %d", self._process.pid, status)
            with self._service.store.transaction():
                self._service.store.endpoints.silence(self.id)
            good_for_s, running = time.monotonic() - started_at, False
            while not running:
                delay_s = back_off.next_s(good_for_s)
                log.info("the agent starts again in %.1f s", delay_s)
                await asyncio.sleep(delay_s)
                good_for_s, running = 0.0, await self._begin_again()

    async def _begin_again(self) -> bool:
        """Start another agent; tell whether it takes tasks."""
        try:
            # Registered first: a locked endpoint is refused, and needs no process until it is not.
            answer = await self._register()
            if self._was_ready:
                await self._requeue()
                self._was_ready = False
            await self._process.stop()
            self._process = await self._process.successor()
            await self._begin(answer)
        except (AgentFailed, LinkError, ServiceError) as error:
            log.error("the endpoint did not start: %s", error)
        except Exception:
            log.exception("the endpoint did not start")
        else:
            return True
        await self._process.stop()
        return False

    async def _requeue(self) -> None:
        """Queue everything again that the dead agent had, or fail it."""
        store = self._service.store
        # What it has ended need not run again, and what it has reported is true no longer.
        await self._service.results.drain(_LAST_WORDS_S)
        with store.transaction():
            hopeless = store.tasks.count_loss(self.id, _MOST_LOSSES)
        text = (
            f"WorkerLost: the endpoint's agent died {_MOST_LOSSES} times while it had this task. "
            "A function must not kill its parent process; the log of the service says more."
        )
        self._service.results.keep(
            [failed_outcome(task_id, self.id, "ENDPOINT_LOST", text) for task_id in hopeless]
        )
        await self._service.provisioning.empty_task_queue(self.id)
        await self._service.dispatcher.recover(endpoint=self.id)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return "unknown"
