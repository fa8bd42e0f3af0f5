"""The virtual host `/`: its exchanges and queues by name, and the rules for declaring them.

In: the arguments of exchange and queue methods, published messages, and the time. Out: queues,
deliveries to their consumers, or a `ChannelFault` or `ConnectionFault` with RabbitMQ's reply code
and text. Everything lives in memory: durable and transient differ in name only.

One `VirtualHost` belongs to one event loop. It has no clock: whoever brings an event sets `now`
first (seconds of any monotonic clock).
"""

from __future__ import annotations

import heapq
import itertools
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from .exchange import KINDS, Exchange
from .faults import (
    ACCESS_REFUSED,
    COMMAND_INVALID,
    NOT_FOUND,
    PRECONDITION_FAILED,
    RESOURCE_LOCKED,
    ChannelFault,
    ConnectionFault,
)
from .limits import BrokerLimits
from .queue import Budget, Consumer, Entry, Message, Queue
from .queue_arguments import check_equivalent, honoured, read_limits

_RESERVED_PREFIX = "amq."


class VirtualHost:
    """All exchanges and queues, as many as `limits` allows."""

    name = "/"

    def __init__(self, limits: BrokerLimits | None = None) -> None:
        self._limits = limits or BrokerLimits()
        #: The time of the event that is being handled, in seconds.
        self.now = 0.0
        #: Told when a client has had a message that has an id: the queue's name, and the id.
        self.on_consumed: Callable[[str, str], None] | None = None
        #: Counts the bytes in all queues together.
        self.budget = Budget(self._limits.max_queued_bytes)
        self.queues: dict[str, Queue] = {}
        self.exchanges: dict[str, Exchange] = {
            name: Exchange(name, kind, durable=True)
            for name, kind in (("", "direct"), *((f"amq.{kind}", kind) for kind in sorted(KINDS)))
        }
        #: Queues that may expire: (not before, tie-breaker, queue); one entry a queue.
        self._expiry: list[tuple[float, int, Queue]] = []
        self._watched: set[Queue] = set()
        self._order = itertools.count()

    # -- exchanges ----------------------------------------------------------------------------

    def exchange(self, name: str) -> Exchange:
        """Return an exchange, or raise `ChannelFault` 404."""
        found = self.exchanges.get(name)
        if found is None:
            raise ChannelFault(NOT_FOUND, f"no exchange {self._quoted(name)}")
        return found

    def changeable_exchange(self, name: str) -> Exchange:
        """Return an exchange that may be bound to, or raise `ChannelFault` 403 or 404."""
        if not name:
            raise ChannelFault(ACCESS_REFUSED, "operation not permitted on the default exchange")
        return self.exchange(name)

    def declare_exchange(
        self,
        name: str,
        kind: str,
        *,
        durable: bool,
        auto_delete: bool,
        internal: bool,
    ) -> None:
        """Create an exchange, or check that the one that exists is the same.

        Raises:
            ChannelFault: 403 for a reserved name, 406 when the one that exists differs or there
                are too many.
            ConnectionFault: 503 for an unknown type.
        """
        if kind not in KINDS:
            raise ConnectionFault(COMMAND_INVALID, f"unknown exchange type '{kind}'")
        if not name:
            raise ChannelFault(ACCESS_REFUSED, "operation not permitted on the default exchange")
        wanted = Exchange(name, kind, durable=durable, auto_delete=auto_delete, internal=internal)
        current = self.exchanges.get(name)
        if current is None:
            self._refuse_reserved("exchange", name)
            self._refuse_over("exchange", len(self.exchanges), self._limits.max_exchanges)
            self.exchanges[name] = wanted
            return
        what = f"exchange {self._quoted(name)}"
        for attribute, label in (
            ("kind", "type"),
            ("durable", "durable"),
            ("auto_delete", "auto_delete"),
            ("internal", "internal"),
        ):
            check_equivalent(what, label, getattr(wanted, attribute), getattr(current, attribute))

    def delete_exchange(self, name: str, *, if_unused: bool) -> None:
        """Delete an exchange; one that does not exist is fine.

        Raises:
            ChannelFault: 403 for a reserved name, 406 when it is in use and must not be.
        """
        if not name:
            raise ChannelFault(ACCESS_REFUSED, "operation not permitted on the default exchange")
        self._refuse_reserved("exchange", name)
        found = self.exchanges.get(name)
        if found is not None and if_unused and found.in_use:
            raise ChannelFault(PRECONDITION_FAILED, f"exchange {self._quoted(name)} in use")
        self.exchanges.pop(name, None)

    # -- queues -------------------------------------------------------------------------------

    def queue(self, name: str, connection: object) -> Queue:
        """Return a queue that `connection` may use, or raise `ChannelFault` 404 or 405."""
        found = self.queues.get(name)
        if found is None:
            raise ChannelFault(NOT_FOUND, f"no queue {self._quoted(name)}")
        if found.owner is not None and found.owner is not connection:
            raise self._locked(name)
        return found

    def declare_queue(
        self,
        name: str,
        connection: object,
        *,
        generated: bool = False,
        durable: bool,
        exclusive: bool,
        auto_delete: bool,
        arguments: Mapping[str, Any] | None,
    ) -> Queue:
        """Create a queue, or check that the one that exists is the same, and return it.

        `generated` says that `name` is from `new_queue_name`. An exclusive queue belongs to
        `connection`.

        Raises:
            ChannelFault: 403 for a reserved name, 405 for a queue of another connection, 406 when
                the one that exists differs, an argument is wrong or there are too many.
        """
        owner = connection if exclusive else None
        what = f"queue {self._quoted(name)}"
        found = self.queues.get(name)
        if found is None:
            if not generated:
                self._refuse_reserved("queue", name)
            self._refuse_over("queue", len(self.queues), self._limits.max_queues)
            found = self.queues[name] = Queue(
                name,
                durable=durable,
                auto_delete=auto_delete,
                owner=owner,
                arguments=honoured(arguments or {}),
                limits=read_limits(what, arguments or {}),
                budget=self.budget,
                on_consumed=self._consumed,
                now=self.now,
            )
        else:
            if found.owner is not owner:
                raise self._locked(name)
            check_equivalent(what, "durable", durable, found.durable)
            check_equivalent(what, "auto_delete", auto_delete, found.auto_delete)
            read_limits(what, arguments or {}, current=found.arguments)
        self.touch(found)
        return found

    def new_queue_name(self) -> str:
        """Make up the name of a server-named queue."""
        return f"{_RESERVED_PREFIX}gen-{secrets.token_urlsafe(16)}"

    def delete_queue(self, queue: Queue) -> int:
        """Delete a queue with its bindings, tell its consumers, return the messages dropped."""
        queue.deleted = True
        del self.queues[queue.name]
        for exchange in list(self.exchanges.values()):
            if exchange.unbind_all(queue.name):
                self._exchange_lost_binding(exchange)
        consumers = list(queue.consumers)
        queue.consumers.clear()
        for consumer in consumers:
            consumer.queue_deleted()
        return queue.purge()

    def delete_queue_if(self, name: str, connection: object, *, unused: bool, empty: bool) -> int:
        """Delete a queue by name as `queue.delete` does; one that does not exist counts as empty.

        Raises:
            ChannelFault: 405 for a queue of another connection, 406 when it is in use or not
                empty and must not be.
        """
        if name not in self.queues:
            return 0
        queue = self.queue(name, connection)
        if unused and queue.consumers:
            raise ChannelFault(PRECONDITION_FAILED, f"queue {self._quoted(name)} in use")
        queue.drop_expired(self.now)
        if empty and len(queue):
            raise ChannelFault(PRECONDITION_FAILED, f"queue {self._quoted(name)} not empty")
        return self.delete_queue(queue)

    def delete_queues_of(self, connection: object) -> None:
        """Delete the exclusive queues of a connection that has ended."""
        for queue in [queue for queue in self.queues.values() if queue.owner is connection]:
            self.delete_queue(queue)

    def bind(self, queue: Queue, exchange: Exchange, key: str) -> None:
        """Bind a queue; binding twice is binding once.

        Raises:
            ChannelFault: 406 when the exchange has too many bindings.
        """
        if not exchange.is_bound(queue.name, key):
            most = self._limits.max_bindings
            self._refuse_over(f"exchange '{exchange.name}' binding", exchange.binding_count, most)
            exchange.bind(queue.name, key)

    def unbind(self, queue: Queue, exchange: Exchange, key: str) -> None:
        """Undo a binding; one that does not exist is fine."""
        if exchange.unbind(queue.name, key):
            self._exchange_lost_binding(exchange)

    # -- messages -----------------------------------------------------------------------------

    def route(self, exchange: Exchange, key: str) -> list[Queue]:
        """Return the queues that get a message published to `exchange` with `key`."""
        if not exchange.name:
            queue = self.queues.get(key)
            return [queue] if queue is not None else []
        return [self.queues[name] for name in exchange.route(key)]

    def publish(self, message: Message, queues: list[Queue]) -> None:
        """Put a message in queues and deliver what can be delivered."""
        for queue in queues:
            queue.put(message, self.now)
            self.drain(queue)

    def _consumed(self, entry: Entry) -> None:
        if self.on_consumed is not None and entry.message.message_id is not None:
            self.on_consumed(entry.queue.name, entry.message.message_id)

    def drain(self, queue: Queue) -> None:
        """Deliver from a queue until it is empty or no consumer is ready."""
        while delivery := queue.next_delivery(self.now):
            consumer, entry = delivery
            consumer.deliver(entry)

    def add_consumer(self, queue: Queue, consumer: Consumer) -> None:
        """Add a consumer; nothing is delivered before the next `drain`.

        Raises:
            ChannelFault: 403 when the consumer or another one is exclusive.
        """
        if queue.has_exclusive_consumer or (consumer.exclusive and queue.consumers):
            what = f"queue {self._quoted(queue.name)} in exclusive use"
            raise ChannelFault(ACCESS_REFUSED, what)
        queue.consumers.append(consumer)

    def remove_consumer(self, queue: Queue, consumer: Consumer) -> None:
        """Remove a consumer from a queue, unless the queue is gone."""
        if not queue.deleted:
            queue.consumers.remove(consumer)
            self.consumer_left(queue)

    def consumer_left(self, queue: Queue) -> None:
        """Note that a queue has lost a consumer; an auto-delete queue goes with its last one."""
        if queue.deleted or queue.consumers:
            return
        if queue.auto_delete:
            self.delete_queue(queue)
        else:
            self.touch(queue)

    # -- expiry -------------------------------------------------------------------------------

    @property
    def next_expiry(self) -> float | None:
        """When `expire` should be called next at the earliest; None if no queue can expire."""
        return self._expiry[0][0] if self._expiry else None

    def touch(self, queue: Queue) -> None:
        """Note that a queue is used now, which puts its expiry off."""
        queue.used_at = self.now
        self._watch(queue)

    def expire(self) -> None:
        """Delete the queues that nobody has used for as long as their `x-expires` says."""
        while self._expiry and self._expiry[0][0] <= self.now:
            _, _, queue = heapq.heappop(self._expiry)
            self._watched.discard(queue)
            deadline = queue.unused_until
            if queue.deleted or deadline is None:
                continue
            if deadline <= self.now:
                self.delete_queue(queue)
            else:
                self._watch(queue)

    def _watch(self, queue: Queue) -> None:
        # A deadline only ever moves away, so one entry a queue, looked at when due, is enough.
        deadline = queue.unused_until
        if deadline is not None and queue not in self._watched:
            self._watched.add(queue)
            heapq.heappush(self._expiry, (deadline, next(self._order), queue))

    # -- helpers ------------------------------------------------------------------------------

    def _exchange_lost_binding(self, exchange: Exchange) -> None:
        if exchange.auto_delete and not exchange.in_use:
            self.exchanges.pop(exchange.name, None)

    def _quoted(self, name: str) -> str:
        return f"'{name}' in vhost '{self.name}'"

    def _refuse_over(self, what: str, count: int, limit: int) -> None:
        if count >= limit:
            text = f"{what} limit in vhost '{self.name}' ({limit}) is reached"
            raise ChannelFault(PRECONDITION_FAILED, text)

    def _locked(self, name: str) -> ChannelFault:
        text = f"cannot obtain exclusive access to locked queue {self._quoted(name)}"
        return ChannelFault(RESOURCE_LOCKED, text)

    def _refuse_reserved(self, what: str, name: str) -> None:
        if name.startswith(_RESERVED_PREFIX):
            text = f"{what} name '{name}' contains reserved prefix '{_RESERVED_PREFIX}*'"
            raise ChannelFault(ACCESS_REFUSED, text)
