"""The names of everything that a service has on its broker. Pure.

All begin with the service's identity, so that services can share a broker and one can remove
what is its own. Endpoints sign what they send with their routing key: ``<endpoint>.results`` and
``<endpoint>.heartbeats``. Each has an exchange of its own that knows these two keys and no
others, and may publish nowhere else: so no endpoint can sign as another.

A broker lets everybody who knows the name of a queue ask how many messages are in it. So the names
of queues that belong to somebody have a seal in them, which only the service can make: who was not
told the name cannot make it up from ids.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field

#: So many of the newest logins that a user was given at the broker are good for new connections.
LOGINS = 16


@dataclass(frozen=True, slots=True)
class Names:
    """Exchanges, queues, routing keys and users of one service."""

    #: What all names begin with.
    identity: str
    #: What seals are made with; nobody else knows it.
    secret: str = field(repr=False)

    @property
    def task_exchange(self) -> str:
        """Takes tasks, and commands for multi-user endpoints; routing key: the endpoint's id."""
        return f"{self.identity}.tasks"

    def result_exchange(self, endpoint_id: str) -> str:
        """Takes results and status reports of an endpoint."""
        return f"{self.identity}.results.{endpoint_id}"

    @property
    def result_queue(self) -> str:
        """Results of all endpoints, for the service."""
        return f"{self.identity}.results"

    @property
    def heartbeat_queue(self) -> str:
        """Status reports of all endpoints, for the service."""
        return f"{self.identity}.heartbeats"

    def task_queue(self, endpoint_id: str) -> str:
        """Tasks for an endpoint."""
        return f"{self.identity}.tasks.{endpoint_id}.{self.seal(endpoint_id)}"

    def command_queue(self, endpoint_id: str) -> str:
        """Commands for a multi-user endpoint."""
        return f"{self.identity}.commands.{endpoint_id}.{self.seal(endpoint_id)}"

    def result_key(self, endpoint_id: str) -> str:
        """Routing key of an endpoint's results."""
        return f"{endpoint_id}.results"

    def heartbeat_key(self, endpoint_id: str) -> str:
        """Routing key of an endpoint's status reports."""
        return f"{endpoint_id}.heartbeats"

    def queue_prefix(self, user_id: str) -> str:
        """What the names of a user's result queues begin with; the task group's id follows."""
        return f"{self.identity}.user.{user_id}.{self.seal(user_id)}."

    def group_queue(self, user_id: str, task_group_id: str) -> str:
        """Results of a task group, for the user."""
        return self.queue_prefix(user_id) + task_group_id

    def is_group_queue(self, name: str) -> bool:
        """Tell whether a queue is that of a task group."""
        return name.startswith(f"{self.identity}.user.")

    def user_accounts(self, user_id: str) -> list[str]:
        """Names of the broker's users who read a user's results, one a login."""
        return [f"{self.identity}.user.{user_id}.{number}" for number in range(LOGINS)]

    def endpoint_account(self, endpoint_id: str) -> str:
        """Name of the broker's user who is an endpoint."""
        return f"{self.identity}.endpoint.{endpoint_id}"

    def read_account(self, account: str) -> tuple[str, str]:
        """Read the name of a broker's user: ``user`` or ``endpoint``, and the id."""
        kind, id_, *_ = account.removeprefix(f"{self.identity}.").split(".")
        return kind, id_

    def seal(self, text: str) -> str:
        """Give 32 hexadecimal digits that only this service can make of a text."""
        return hmac.digest(self.secret.encode(), text.encode(), "sha256").hex()[:32]


def sender(routing_key: str) -> str:
    """Give the endpoint that signed a message with this routing key."""
    return routing_key.partition(".")[0]


def only(*names: str) -> str:
    """Give the permission pattern that grants exactly these names."""
    return f"^({'|'.join(map(re.escape, names))})$"


def beginning_with(prefix: str) -> str:
    """Give the permission pattern that grants all names with a prefix."""
    return f"^{re.escape(prefix)}"
