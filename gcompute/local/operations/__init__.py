"""What the service does for each operation of the document, by operation id.

A handler gets a call whose parameters and body fit the document, and gives the body of the
answer with status 200. It refuses with a ``ServiceError``. Handlers run in the event loop: they
may await the broker, and use the store without waiting.
"""

from __future__ import annotations

from . import about, containers, endpoints, functions, registration, status, tasks
from .call import Call, Handler, Pieces

__all__ = ["HANDLERS", "Call", "Handler", "Pieces"]

HANDLERS: dict[str, Handler] = (
    about.HANDLERS
    | registration.HANDLERS
    | endpoints.HANDLERS
    | functions.HANDLERS
    | tasks.HANDLERS
    | status.HANDLERS
    | containers.HANDLERS
)
