"""The service's two links to its broker, and what it does whenever one is up again.

::

    outlet: tasks to endpoints, results to users
    intake: results and status reports of endpoints

Two connections, as a broker that is full stops reading from those who publish: results can be
taken in and acknowledged all the same.

Each time the outlet is up, everything is declared anew, and what the broker had not confirmed is
sent again, in the background: tasks only once the results are in that the broker has, as some
of those tasks may have run. What a former run of the service had with the broker is treated
once, at the start: :meth:`Links.start` says how.
"""

from __future__ import annotations

import asyncio
import logging
import time

from .amqp import AmqpLink, LinkLost
from .dispatch import Dispatcher
from .names import Names
from .provisioning import Provisioning
from .results import Results
from .store import Store

log = logging.getLogger(__name__)

#: How long a broker may take to answer at the start, in seconds.
_BROKER_S = 5.0
#: The same where it is our own: it answers, and may have many queues to make.
_OWN_BROKER_S = 60.0
#: How long results are taken in at an orderly end, and before tasks are sent again, in seconds.
_LAST_RESULTS_S = 3.0
_FIRST_RESULTS_S = 20.0


class Links:
    """The way to the broker and back.

    Args:
        url: of the broker, for the service's own account.
        names: how everything is called there.
        provisioning: declares it.
        store: what tasks and results there are.
        result_lifetime: for how many seconds a result waits for who fetches it.
    """

    def __init__(
        self,
        url: str,
        names: Names,
        provisioning: Provisioning,
        store: Store,
        *,
        result_lifetime: float,
    ) -> None:
        self._provisioning = provisioning
        self._store = store
        self._result_lifetime = result_lifetime
        #: An endpoint whose queue is to be emptied when the outlet is up.
        self._orphan: str | None = None
        self._recoveries: set[asyncio.Task[None]] = set()
        self._outlet = AmqpLink(url, on_open=self._open_outlet, name="outlet")
        self._intake = AmqpLink(
            url, on_open=self._open_intake, on_lost=self._intake_lost, name="intake"
        )
        #: Set while results come in.
        self._takes_in = asyncio.Event()
        self.results = Results(self._outlet, names, store, result_lifetime=result_lifetime)
        self.dispatcher = Dispatcher(self._outlet, names, store)

    async def start(self, *, volatile: bool, orphan: str | None) -> None:
        """Connect, and send what a former run left over.

        A volatile broker begins with nothing, so all unfinished tasks are sent, and all results
        that somebody may not have fetched. With another broker the queues are still there. But
        tasks that the service's own agent had taken were lost with it, and the service cannot
        tell them from those that still wait: that queue is emptied, and filled again. What that
        agent has said of its tasks is taken in before, as it is not true any more after that.

        Args:
            volatile: whether the broker began with the service.
            orphan: the endpoint whose agent went with the former run.

        Raises:
            LinkError: the broker cannot be reached, or refuses the credentials.
        """
        patience_s = _OWN_BROKER_S if volatile else _BROKER_S
        await self._intake.start(timeout_s=patience_s)
        if volatile:
            with self._store.transaction():
                self._store.tasks.forget_dispatch()
                self._store.outcomes.forget_forwarding(time.time() - self._result_lifetime)
        elif orphan is not None:
            await self._take_in()
            with self._store.transaction():
                self._store.tasks.forget_dispatch(orphan)
            self._orphan = orphan
        await self._outlet.start(timeout_s=patience_s)

    async def stop(self) -> None:
        """Keep what came in, and disconnect."""
        for recovery in self._recoveries:
            recovery.cancel()
        # What the broker would take from endpoints after the last look would be lost with it.
        self._provisioning.shut_endpoints_out()
        try:
            await self.results.drain(_LAST_RESULTS_S)
        except LinkLost as error:
            log.warning("some tasks whose results are not here may run again: %s", error)
        self.results.close()
        await self._intake.stop()
        await self._outlet.stop()
        self.dispatcher.close()

    async def _open_outlet(self, link: AmqpLink) -> None:
        await self._provisioning.open(link)
        if self._orphan is not None:
            await self._provisioning.empty_task_queue(self._orphan)
            self._orphan = None
        recovery = asyncio.create_task(self._recover(), name="gcompute-recovery")
        self._recoveries.add(recovery)
        recovery.add_done_callback(self._recoveries.discard)

    async def _open_intake(self, link: AmqpLink) -> None:
        await self._provisioning.declare_exchanges(link)
        await self.results.open(link)
        self._takes_in.set()

    def _intake_lost(self) -> None:
        self._takes_in.clear()

    async def _recover(self) -> None:
        try:
            await self._take_in()
            # Before they are sent: a former run may not have come to it.
            await self.results.fail_stranded()
            await self.dispatcher.recover()
            await self.results.recover()
        except Exception:
            log.exception("what was left over could not be sent")

    async def _take_in(self) -> None:
        """Take in the results and reports that the broker has."""
        while True:
            await self._takes_in.wait()
            try:
                await self.results.drain(_FIRST_RESULTS_S)
            except LinkLost:
                # The event is cleared by now.
                continue
            return
