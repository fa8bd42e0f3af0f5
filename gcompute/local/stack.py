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

Everything lives in one event loop; parts start in the order in which they need each other, and
stop in the reverse. Others reach the broker and the web service once all of it is in place:
until then they wait in the sockets, which are there from the beginning.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypedDict

from .accounts import Accounts, EmbeddedAccounts, SharedAccount
from .agent_process import AgentProcess
from .amqp import LinkError
from .amqp.cleanup import remove
from .app import create_app
from .auth import AuthService
from .consumed import Consumed
from .holders import Holders
from .http_server import HttpServer
from .identities import Identities, Identity
from .links import Links
from .local_endpoint import LocalEndpoint
from .names import Names
from .ports import listen_again
from .provisioning import Provisioning
from .pruning import Pruning
from .service import Service
from .settings import Settings
from .store import Store

log = logging.getLogger(__name__)


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
    #: The certificate that clients of the broker must know; ``None`` for no TLS.
    ca_file: str | None
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
        store = Store(Path(settings.state_dir))
        stack.callback(store.close)
        listener = await listen_again(store, "web service", settings.host, settings.port)
        stack.callback(listener.close)
        identities = Identities(store, settings.users)
        accounts = await _accounts(settings, store, identities, stack)
        service = await _connect(settings, store, identities, accounts, agent, stack)
        broker = await accounts.open()
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
            users={identity.user.name: _access(identity) for identity in identities},
            endpoint_id=endpoint_id,
            broker=broker,
            ca_file=settings.ca_file,
            state_dir=settings.state_dir,
        )


def _access(identity: Identity) -> Access:
    return Access(
        id=identity.user.id,
        token=identity.token,
        client_id=identity.client.id,
        client_secret=identity.client_secret,
    )


def _names(store: Store) -> Names:
    return Names(store.identity(), store.seal())


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.ca_file is None:
        return None
    from .certificate import server_context

    return server_context(Path(settings.ca_file))


async def _accounts(
    settings: Settings, store: Store, identities: Identities, stack: AsyncExitStack
) -> Accounts:
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

    listener = await listen_again(store, "broker", settings.host)
    stack.callback(listener.close)
    names = _names(store)
    consumed = Consumed(names, store)
    stack.callback(consumed.flush)
    broker = Broker(settings.host)
    broker.tell_consumed(consumed.add)
    await broker.start()
    stack.push_async_callback(broker.stop)
    holder_of = Holders(names, store, identities, store.local_endpoint())
    return EmbeddedAccounts(broker, store.logins, listener, holder_of, _tls(settings))


async def _connect(
    settings: Settings,
    store: Store,
    identities: Identities,
    accounts: Accounts,
    agent: AgentProcess | None,
    stack: AsyncExitStack,
) -> Service:
    """Connect to the broker, declare what the service has there, and send what is left over."""
    url, names = accounts.administrator(), _names(store)
    provisioning = Provisioning(names, accounts, store)
    links = Links(url, names, provisioning, store, result_lifetime=settings.result_lifetime)

    async def disconnect() -> None:
        await links.stop()
        if settings.temporary and not accounts.volatile:
            await asyncio.to_thread(remove, url, *provisioning.everything())
            await _remove_accounts(provisioning)

    stack.push_async_callback(disconnect)
    orphan = None
    if agent is not None:
        await agent.take_place()
        orphan = store.local_endpoint() if store.endpoints.find(store.local_endpoint()) else None
    await links.start(volatile=accounts.volatile, orphan=orphan)
    await provisioning.shut_out_users(identities.former)
    pruning = Pruning(store, provisioning, task_lifetime=settings.task_lifetime)
    pruning.start()
    stack.push_async_callback(pruning.stop)
    auth = AuthService(store, identities, settings.token_lifetime)
    return Service(
        store,
        identities,
        auth,
        provisioning,
        links.dispatcher,
        links.results,
        store.local_endpoint(),
    )


async def _remove_accounts(provisioning: Provisioning) -> None:
    try:
        await provisioning.remove_accounts()
    except LinkError as error:
        log.warning("users of this service stay at the broker: %s", error)
