"""All parts of a service, wired together for as long as it runs.

::

    HTTP --> app --> operations --> store
                         |            ^
                     dispatcher    results <---+
                         |            |        |
                         v            v        |
                      [outlet link: tasks,   [intake link: results,
                       results to users]      status reports]
                                  \\          /
                                   the broker  <-->  agents, clients

Two connections, as a broker that is full stops reading from those who publish: results can be
taken in and acknowledged all the same. Everything lives in one event loop; parts start in the
order in which they need each other, and stop in the reverse.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

from .accounts import Accounts, EmbeddedAccounts, SharedAccount
from .agent_process import AgentProcess
from .amqp import AmqpLink, LinkError
from .amqp.cleanup import remove
from .app import create_app
from .auth import AuthService
from .dispatch import Dispatcher
from .http_server import HttpServer, listen
from .identities import Identities
from .local_endpoint import LocalEndpoint
from .names import Names
from .provisioning import Provisioning
from .results import Results
from .service import Service
from .settings import Settings
from .store import Store

log = logging.getLogger(__name__)

#: How long a broker may take to answer at the start, in seconds.
_BROKER_S = 5.0
#: A result that nobody fetched for so long need not be forwarded again, in seconds.
#: Source: ``docs/wire.md``, limits.
_UNFETCHED_S = 30 * 60.0


class Access(TypedDict):
    """What one user may know of himself."""

    id: str
    token: str
    client_id: str
    client_secret: str


class Announcement(TypedDict):
    """What a service that is ready tells its launcher."""

    url: str
    #: By name, the owner first.
    users: dict[str, Access]
    endpoint_id: str | None
    #: Address of the broker, without credentials.
    broker: str
    state_dir: str


@asynccontextmanager
async def running(settings: Settings, agent: AgentProcess | None) -> AsyncIterator[Announcement]:
    """Run a service for the length of a block.

    Args:
        settings: how.
        agent: a process for its endpoint; ``None`` for no endpoint.

    Raises:
        StoreUnusable: the state folder cannot be used.
        AddressTaken: the port of the web service cannot be had.
        LinkError: the broker cannot be reached, or refuses the credentials.
        AgentFailed: the endpoint does not start.
    """
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen(settings.host, settings.port))
        store = Store(Path(settings.state_dir))
        stack.callback(store.close)
        identities = Identities(store, settings.users)
        auth = AuthService(store, identities, settings.token_lifetime)
        accounts = await _accounts(settings, stack)
        broker_url = accounts.administrator()
        service = await _connect(settings, store, identities, auth, accounts, broker_url, stack)
        http = HttpServer(create_app(service), listener)
        http.start()
        stack.push_async_callback(http.stop)
        endpoint_id = None
        if agent is not None:
            endpoint = LocalEndpoint(service, settings, agent)
            stack.push_async_callback(endpoint.stop)
            await endpoint.start()
            endpoint_id = endpoint.id
        yield Announcement(
            url=http.url,
            users={
                identity.user.name: Access(
                    id=identity.user.id,
                    token=identity.token,
                    client_id=identity.client.id,
                    client_secret=identity.client_secret,
                )
                for identity in identities
            },
            endpoint_id=endpoint_id,
            broker=without_credentials(broker_url),
            state_dir=settings.state_dir,
        )


async def _accounts(settings: Settings, stack: AsyncExitStack) -> Accounts:
    if settings.broker is not None and settings.broker_management is not None:
        # httpx takes a tenth of a second to import, which other services need not spend.
        from .managed_accounts import ManagedAccounts

        accounts = ManagedAccounts(settings.broker, settings.broker_management)
        stack.push_async_callback(accounts.close)
        await accounts.check()
        return accounts
    if settings.broker is not None:
        return SharedAccount(settings.broker)
    from .broker import Broker

    broker = Broker(settings.host)
    await broker.start()
    stack.push_async_callback(broker.stop)
    return EmbeddedAccounts(broker)


async def _connect(
    settings: Settings,
    store: Store,
    identities: Identities,
    auth: AuthService,
    accounts: Accounts,
    url: str,
    stack: AsyncExitStack,
) -> Service:
    """Connect to the broker, declare what the service has there, and send what is left over."""
    names = Names(store.identity(), store.seal())
    provisioning = Provisioning(names, accounts, store)
    recovery: set[asyncio.Task[None]] = set()
    if accounts.volatile:
        # A broker that lives with the service begins with nothing.
        with store.transaction():
            store.tasks.forget_dispatch()
            store.outcomes.forget_forwarding(time.time() - _UNFETCHED_S)

    async def open_outlet(link: AmqpLink) -> None:
        await provisioning.open(link)
        task = asyncio.create_task(_recover(service), name="gcompute-recovery")
        recovery.add(task)
        task.add_done_callback(recovery.discard)

    async def open_intake(link: AmqpLink) -> None:
        await provisioning.declare_exchanges(link)
        await results.open(link)

    outlet = AmqpLink(url, on_open=open_outlet, name="outlet")
    intake = AmqpLink(url, on_open=open_intake, name="intake")
    results = Results(outlet, names, store)
    dispatcher = Dispatcher(outlet, names, store)
    service = Service(
        store, identities, auth, provisioning, dispatcher, results, store.local_endpoint()
    )

    async def disconnect() -> None:
        for task in recovery:
            task.cancel()
        results.close()
        await intake.stop()
        await outlet.stop()
        service.dispatcher.close()
        if settings.temporary and not accounts.volatile:
            await asyncio.to_thread(remove, url, *provisioning.everything())
            await _remove_accounts(provisioning)

    stack.push_async_callback(disconnect)
    await outlet.start(timeout_s=_BROKER_S)
    await intake.start(timeout_s=_BROKER_S)
    await provisioning.shut_out_users(identities.former)
    return service


async def _recover(service: Service) -> None:
    try:
        await service.dispatcher.recover()
        await service.results.recover()
    except Exception:
        log.exception("what was left over could not be sent")


async def _remove_accounts(provisioning: Provisioning) -> None:
    try:
        await provisioning.remove_accounts()
    except LinkError as error:
        log.warning("users of this service stay at the broker: %s", error)


def without_credentials(url: str) -> str:
    """Give an AMQP URL that may be shown."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    place = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{place}{f':{parts.port}' if parts.port else ''}{parts.path}"
