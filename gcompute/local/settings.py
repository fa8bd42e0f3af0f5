"""What the launcher tells a service process, as one line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from .engine_argument import EngineArgument
from .user import DEFAULT, User

#: The line by which the launcher lets a service process run on without it.
DETACH = b"detach\n"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one service process."""

    #: Folder of the state file, the log and what the workers leave; it exists.
    state_dir: str
    #: Worker processes of the endpoint, or how many tasks its engine has; 0 starts no endpoint.
    workers: int = 2
    #: What runs tasks in place of worker processes.
    engine: EngineArgument | None = None
    #: URL of a RabbitMQ, credentials included; ``None`` for the embedded broker.
    broker: str | None = field(default=None, repr=False)
    #: URL of that RabbitMQ's management, credentials included; ``None`` for one account for all.
    broker_management: str | None = field(default=None, repr=False)
    #: The certificate that the embedded broker shows, with its key beside it; ``None`` for no TLS.
    ca_file: str | None = None
    #: Who may use the service, its owner first.
    users: tuple[User, ...] = DEFAULT
    host: str = "127.0.0.1"
    #: Port of the web service; 0 picks a free one.
    port: int = 0
    #: Whether the state goes with the service: at the end its queues are deleted.
    temporary: bool = True
    #: Seconds between status reports of the endpoint.
    heartbeat_period: float = 5.0
    #: Seconds for which an access token is valid. Globus Auth's own: 48 hours.
    token_lifetime: float = 172_800.0
    #: Seconds after the last thing that happened to a task, after which it is forgotten with its
    #: result. The hosted service's: two weeks. Source: ``docs/wire.md``, limits.
    task_lifetime: float = 1_209_600.0
    #: Seconds for which a result waits in the queue of its task group; HTTP has it for as long as
    #: the task. The hosted service's: 30 minutes. Source: ``docs/wire.md``, limits.
    result_lifetime: float = 1_800.0

    def to_line(self) -> str:
        """Give the line for :meth:`from_line`, line end included."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Settings:
        """Read what :meth:`to_line` wrote."""
        told = json.loads(line)
        users = tuple(User(**user) for user in told.pop("users"))
        engine = told.pop("engine")
        return cls(users=users, engine=EngineArgument(**engine) if engine else None, **told)
