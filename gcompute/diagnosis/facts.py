"""What is diagnosed, and what checks learn for those that come after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gcompute.diagnosis.redaction import Redactor
from gcompute.ids import UUIDLike

if TYPE_CHECKING:
    import globus_sdk

    from gcompute.login import Authorizer


@dataclass(frozen=True, slots=True)
class Subject:
    """What is diagnosed.

    Attributes:
        environment: the Globus environment; ``None`` for what the variables say.
        base_url: address of the service; ``None`` for that of the environment.
        auth_url: address of Globus Auth; ``None`` for what ``globus_sdk`` uses.
        amqp_host: host of the result queues for somebody who is not logged in; ``None`` for the
            well-known one of the service, if it has one.
        endpoint_id: the endpoint to look at, if any.
        app: the app that logs in; ``None`` for the one of the environment variables.
        authorizer: has the token, in place of an app.
        login: whether tokens may be used.
        timeout_s: seconds that a check may take.
        state_dirs: folders of local services; ``None`` for those that this user has.
    """

    environment: str | None = None
    base_url: str | None = None
    auth_url: str | None = None
    amqp_host: str | None = None
    endpoint_id: UUIDLike | None = None
    app: globus_sdk.GlobusApp | None = None
    authorizer: Authorizer | None = None
    login: bool = True
    timeout_s: float = 5.0
    state_dirs: tuple[Path, ...] | None = None

    @property
    def patience_s(self) -> float:
        """Seconds to give to a network call, so that the check can still say how it failed."""
        return self.timeout_s * 0.8


@dataclass(frozen=True, slots=True)
class Route:
    """How a web service is reached.

    Attributes:
        url: its address, without a slash at the end; may have credentials.
        host, port: what is connected to: the service, or the proxy before it.
        tls: whether the service speaks TLS.
        proxied: whether a proxy is before it.
    """

    url: str
    host: str
    port: int
    tls: bool
    proxied: bool = False

    @property
    def name(self) -> str:
        """The host of the service itself."""
        return urlsplit(self.url).hostname or ""


@dataclass(slots=True)
class Facts:
    """What checks learn; each attribute is written by one check, before those that read it run.

    Holds secrets, which the redactor knows. Nothing of it is shown.
    """

    redactor: Redactor
    service: Route | None = None
    auth: Route | None = None
    #: The app that logs in, and whether it was made here.
    app: globus_sdk.GlobusApp | None = None
    owns_app: bool = False
    #: Value of the Authorization header.
    header: str | None = None
    #: The service's clock minus ours, in seconds.
    clock_ahead_s: float | None = None
    #: ``connection_url`` and ``queue_prefix``.
    access: dict[str, str] = field(default_factory=dict)
    #: The port of the result queues that can be reached.
    amqp_port: int | None = None
    #: Whether the service refused the token.
    token_refused: bool = False
    #: Whether the service told us about the endpoint.
    endpoint_known: bool = False
