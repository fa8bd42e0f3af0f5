"""The parts of a running service that its operations work with."""

from __future__ import annotations

from dataclasses import dataclass

from .auth import AuthService
from .dispatch import Dispatcher
from .provisioning import Provisioning
from .results import Results
from .store import Store


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that an operation may touch; all of it belongs to the event loop."""

    store: Store
    auth: AuthService
    provisioning: Provisioning
    dispatcher: Dispatcher
    results: Results
