"""The parts of a running service that its operations work with."""

from __future__ import annotations

from dataclasses import dataclass

from .auth import AuthService
from .dispatch import Dispatcher
from .identities import Identities
from .provisioning import Provisioning
from .results import Results
from .store import Store


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that an operation may touch; all of it belongs to the event loop."""

    store: Store
    identities: Identities
    auth: AuthService
    provisioning: Provisioning
    dispatcher: Dispatcher
    results: Results
    #: Id of the endpoint that the service starts itself, for all its users.
    local_endpoint: str
