"""What the service has on its broker: exchanges, queues, bindings, and who may use them.

In go endpoints, users and task groups; out come declared queues and the connection details that
registrations and ``GET /v2/get_amqp_result_connection_url`` answer with. Agents and clients
declare nothing, so all of it must exist before they are told of it.
Source: ``docs/wire.md#amqp-0-9-1``.

Declaring twice is harmless and happens after each reconnection. What can fail: ``LinkError``,
when the broker is away; the caller tells its user to try again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from .accounts import Accounts
from .amqp import AmqpLink, LinkError
from .names import Names, beginning_with, only
from .store import Store

log = logging.getLogger(__name__)

_PERSISTENT = 2
#: A result queue that nobody reads for so long goes away. Source: ``docs/wire.md``, tasks
#: without activity are abandoned after two weeks.
_QUEUE_LIFE_S = 14 * 24 * 3600
_GROUP_QUEUE = {"x-expires": _QUEUE_LIFE_S * 1000}


class Provisioning:
    """Declares and describes the service's queues.

    Args:
        names: how everything is called.
        accounts: makes users of the broker.
        store: the endpoints and task groups that have queues.
    """

    def __init__(self, names: Names, accounts: Accounts, store: Store) -> None:
        self.names = names
        self._accounts = accounts
        self._store = store
        self._link: AmqpLink | None = None
        #: Queues of task groups that were declared on the present connection.
        self._declared: set[str] = set()
        #: Users that were made at the broker.
        self._granted: set[str] = set()
        #: By user: which of his accounts at the broker the next login gets.
        self._logins: defaultdict[str, int] = defaultdict(int)

    async def declare_exchanges(self, link: AmqpLink) -> None:
        """Declare what does not depend on endpoints and task groups."""
        names = self.names
        await link.topology.declare_exchange(names.task_exchange, "direct")
        await link.topology.declare_queue(names.result_queue)
        await link.topology.declare_queue(names.heartbeat_queue)

    async def open(self, link: AmqpLink) -> None:
        """Declare everything on a new connection, and use that from now on."""
        self._link = link
        self._declared.clear()
        await self.declare_exchanges(link)
        for endpoint in self._store.endpoints.all():
            await self.declare_endpoint(endpoint.id, multi_user=endpoint.is_manager)
        queues = self._group_queues()
        await link.topology.declare_queues(queues, arguments=_GROUP_QUEUE)
        self._declared.update(queues)

    def _group_queues(self) -> list[str]:
        """Name the queues of task groups that must be there before anybody asks for them.

        Clients come back to their queues after a restart, and a volatile broker has lost them
        all. Another one still has them; there it is for results that are to come, in case it has
        been set up anew. A submit declares its queue in any case.
        """
        if self._accounts.volatile:
            oldest = time.time() - _QUEUE_LIFE_S
            groups = [g for g in self._store.tasks.groups_with_queue() if g.created_at > oldest]
        else:
            groups = self._store.tasks.groups_in_flight()
        return [self.names.group_queue(group.owner, group.id) for group in groups]

    async def declare_endpoint(self, endpoint_id: str, *, multi_user: bool) -> None:
        """Declare the queues of an endpoint; one that starts user endpoints has no tasks."""
        broker, names = self._open_link().topology, self.names
        queue = names.command_queue if multi_user else names.task_queue
        await broker.declare_queue(queue(endpoint_id))
        await broker.bind_queue(queue(endpoint_id), names.task_exchange, endpoint_id)
        exchange = names.result_exchange(endpoint_id)
        await broker.declare_exchange(exchange, "direct")
        await broker.bind_queue(names.result_queue, exchange, names.result_key(endpoint_id))
        await broker.bind_queue(names.heartbeat_queue, exchange, names.heartbeat_key(endpoint_id))

    async def declare_group(self, user_id: str, task_group_id: str) -> None:
        """Declare the result queue of a task group, unless that was done."""
        name = self.names.group_queue(user_id, task_group_id)
        if name not in self._declared:
            await self._open_link().topology.declare_queue(name, arguments=_GROUP_QUEUE)
            self._declared.add(name)

    async def remove_group(self, user_id: str, task_group_id: str) -> None:
        """Remove the result queue of a task group; one that has none is fine."""
        name = self.names.group_queue(user_id, task_group_id)
        self._declared.discard(name)
        await self._open_link().topology.delete_queue(name)

    async def empty_task_queue(self, endpoint_id: str) -> None:
        """Throw away what waits for an endpoint; the store still has it."""
        await self._open_link().topology.delete_queue(self.names.task_queue(endpoint_id))
        await self.declare_endpoint(endpoint_id, multi_user=False)

    async def forget_commands(self, endpoint_id: str) -> None:
        """Throw away the commands that an endpoint has not taken."""
        await self._open_link().topology.delete_queue(self.names.command_queue(endpoint_id))
        await self.declare_endpoint(endpoint_id, multi_user=True)

    def command(self, endpoint_id: str, command: dict[str, Any], now: float) -> None:
        """Send a command to an endpoint that starts others.

        Raises:
            LinkError: the broker is away.
        """
        sent = self._open_link().publish(
            self.names.task_exchange,
            endpoint_id,
            json.dumps(command).encode(),
            properties={
                "content_type": "application/json",
                "timestamp": int(now),
                "delivery_mode": _PERSISTENT,
            },
        )
        sent.add_done_callback(_tell_loss)

    async def describe_endpoint(self, endpoint_id: str, *, multi_user: bool) -> dict[str, Any]:
        """Give an endpoint fresh credentials and the places of its queues.

        Source: ``openapi/compute.yaml#/components/schemas/EndpointRegistration``.
        """
        names = self.names
        queue = (names.command_queue if multi_user else names.task_queue)(endpoint_id)
        exchange = names.result_exchange(endpoint_id)
        account = names.endpoint_account(endpoint_id)
        self._granted.add(account)
        url = await self._accounts.grant(account, write=only(exchange), read=only(queue))
        reading = {"connection_url": url, "exchange": names.task_exchange, "queue": queue}
        return {
            "endpoint_id": endpoint_id,
            "command_queue_info" if multi_user else "task_queue_info": reading,
            "result_queue_info": _writing(
                url, exchange, names.result_queue, names.result_key(endpoint_id)
            ),
            "heartbeat_queue_info": _writing(
                url, exchange, names.heartbeat_queue, names.heartbeat_key(endpoint_id)
            ),
        }

    async def describe_user(self, user_id: str) -> dict[str, str]:
        """Give a user fresh credentials and what the names of his queues begin with.

        The broker's users for that are taken in turn, so that logins of programs that start at
        the same time do not undo each other, and their number stays bounded. A login whose turn
        comes again is void; connections that were opened with it stay.
        """
        names = self.names.user_accounts(user_id)
        number = self._logins[user_id]
        self._logins[user_id] = (number + 1) % len(names)
        prefix = self.names.queue_prefix(user_id)
        self._granted.add(names[number])
        url = await self._accounts.grant(names[number], read=beginning_with(prefix))
        return {"queue_prefix": prefix, "connection_url": url}

    async def shut_out(self, endpoint_id: str) -> None:
        """Take an endpoint's credentials away, and drop its connections."""
        await self._accounts.revoke(self.names.endpoint_account(endpoint_id))

    def shut_endpoints_out(self) -> None:
        """Have a broker that ends with the service take nothing more from endpoints."""
        self._accounts.shut_endpoints_out()

    async def shut_out_users(self, user_ids: Iterable[str]) -> None:
        """Take all credentials of users away, and drop their connections."""
        names = [name for user_id in user_ids for name in self.names.user_accounts(user_id)]
        await asyncio.gather(*map(self._accounts.revoke, names))

    async def remove_endpoint(self, endpoint_id: str) -> None:
        """Remove an endpoint's queues and shut it out."""
        await self.shut_out(endpoint_id)
        broker = self._open_link().topology
        await broker.delete_queue(self.names.task_queue(endpoint_id))
        await broker.delete_queue(self.names.command_queue(endpoint_id))
        await broker.delete_exchange(self.names.result_exchange(endpoint_id))

    async def remove_accounts(self) -> None:
        """Remove all users that this process made at the broker."""
        await asyncio.gather(*map(self._accounts.revoke, self._granted))

    def everything(self) -> tuple[list[str], list[str]]:
        """Give the names of all queues and exchanges that the service ever declared."""
        names = self.names
        queues, exchanges = [names.result_queue, names.heartbeat_queue], [names.task_exchange]
        for endpoint_id in self._store.endpoints.ever():
            queues += [names.task_queue(endpoint_id), names.command_queue(endpoint_id)]
            exchanges.append(names.result_exchange(endpoint_id))
        for group in self._store.tasks.groups_with_queue():
            queues.append(names.group_queue(group.owner, group.id))
        return queues, exchanges

    def _open_link(self) -> AmqpLink:
        if self._link is None:
            raise LinkError("the service is not connected to its broker yet")
        return self._link


def _tell_loss(sent: asyncio.Future[None]) -> None:
    if not sent.cancelled() and (error := sent.exception()) is not None:
        # The next submit sends one like it.
        log.warning("a command is lost: %s", error)


def _writing(url: str, exchange: str, queue: str, routing_key: str) -> dict[str, Any]:
    return {
        "connection_url": url,
        "exchange": exchange,
        "queue": queue,
        "queue_publish_kwargs": {
            "exchange": exchange,
            "routing_key": routing_key,
            "mandatory": True,
            "properties": {"delivery_mode": 2},
        },
    }
