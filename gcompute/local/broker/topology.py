"""The methods of AMQP's classes exchange and queue, and the permissions that they need.

In: decoded methods of one channel. Out: the reply to each, after the virtual host has changed; or
a fault, and nothing has changed. As in RabbitMQ, to declare and delete needs the right to
configure, to bind needs to write to the queue and to read from the exchange, and a passive
declare needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .codec import spec
from .exchange import Exchange
from .faults import ACCESS_REFUSED, NOT_FOUND, ChannelFault
from .queue import Queue
from .users import Right, User
from .vhost import VirtualHost


def require(user: User, right: Right, what: str, name: str) -> None:
    """Raise `ChannelFault` 403 unless a user has a right on the queue or exchange `name`."""
    if not user.may(right, name):
        text = f"access to {what} '{name}' in vhost '{VirtualHost.name}' refused for user "
        raise ChannelFault(ACCESS_REFUSED, f"{text}'{user.name}'")


class Topology:
    """What one channel does to exchanges, queues and bindings.

    `connection` is the identity that exclusive queues belong to.
    """

    def __init__(self, connection: object, vhost: VirtualHost, user: User) -> None:
        self._connection = connection
        self._vhost = vhost
        self._user = user
        #: The queue declared last, which an empty queue name stands for.
        self._last_queue = ""

    def handles(self, method: Any) -> bool:
        """Tell whether a method is one of these."""
        return type(method) in _HANDLERS

    def handle(self, method: Any) -> Any:
        """Handle a method and return the reply; raises `ChannelFault` or `ConnectionFault`."""
        return _HANDLERS[type(method)](self, method)

    def queue_name(self, name: str) -> str:
        """Return the queue that a method means, or raise `ChannelFault` 404 if it means none."""
        if name or self._last_queue:
            return name or self._last_queue
        raise ChannelFault(NOT_FOUND, "no previously declared queue")

    def _exchange_declare(self, method: Any) -> Any:
        if method.passive:
            self._vhost.changeable_exchange(method.exchange)
        else:
            require(self._user, Right.CONFIGURE, "exchange", method.exchange)
            self._vhost.declare_exchange(
                method.exchange,
                method.type,
                durable=method.durable,
                auto_delete=method.auto_delete,
                internal=method.internal,
            )
        return spec.Exchange.DeclareOk()

    def _exchange_delete(self, method: Any) -> Any:
        require(self._user, Right.CONFIGURE, "exchange", method.exchange)
        self._vhost.delete_exchange(method.exchange, if_unused=method.if_unused)
        return spec.Exchange.DeleteOk()

    def _queue_declare(self, method: Any) -> Any:
        if method.passive:
            queue = self._vhost.queue(self.queue_name(method.queue), self._connection)
            self._vhost.touch(queue)
        else:
            name = method.queue or self._vhost.new_queue_name()
            require(self._user, Right.CONFIGURE, "queue", name)
            queue = self._vhost.declare_queue(
                name,
                self._connection,
                generated=not method.queue,
                # As in RabbitMQ, what goes with its connection is never durable.
                durable=method.durable and not method.exclusive,
                exclusive=method.exclusive,
                auto_delete=method.auto_delete,
                arguments=method.arguments,
            )
        self._last_queue = queue.name
        queue.drop_expired(self._vhost.now)
        return spec.Queue.DeclareOk(
            queue=queue.name, message_count=len(queue), consumer_count=len(queue.consumers)
        )

    def _queue_bind(self, method: Any) -> Any:
        queue, exchange, key = self._binding(method)
        self._vhost.bind(queue, exchange, key)
        return spec.Queue.BindOk()

    def _queue_unbind(self, method: Any) -> Any:
        queue, exchange, key = self._binding(method)
        self._vhost.unbind(queue, exchange, key)
        return spec.Queue.UnbindOk()

    def _binding(self, method: Any) -> tuple[Queue, Exchange, str]:
        name = self.queue_name(method.queue)
        # With neither a queue nor a key, the key is the queue's name too.
        key = method.routing_key or ("" if method.queue else name)
        require(self._user, Right.WRITE, "queue", name)
        if method.exchange:
            require(self._user, Right.READ, "exchange", method.exchange)
        exchange = self._vhost.changeable_exchange(method.exchange)
        return self._vhost.queue(name, self._connection), exchange, key

    def _queue_purge(self, method: Any) -> Any:
        name = self.queue_name(method.queue)
        require(self._user, Right.READ, "queue", name)
        count = self._vhost.queue(name, self._connection).purge()
        return spec.Queue.PurgeOk(message_count=count)

    def _queue_delete(self, method: Any) -> Any:
        name = self.queue_name(method.queue)
        require(self._user, Right.CONFIGURE, "queue", name)
        count = self._vhost.delete_queue_if(
            name, self._connection, unused=method.if_unused, empty=method.if_empty
        )
        return spec.Queue.DeleteOk(message_count=count)


_HANDLERS: dict[type, Callable[[Topology, Any], Any]] = {
    spec.Exchange.Declare: Topology._exchange_declare,
    spec.Exchange.Delete: Topology._exchange_delete,
    spec.Queue.Declare: Topology._queue_declare,
    spec.Queue.Bind: Topology._queue_bind,
    spec.Queue.Unbind: Topology._queue_unbind,
    spec.Queue.Purge: Topology._queue_purge,
    spec.Queue.Delete: Topology._queue_delete,
}
