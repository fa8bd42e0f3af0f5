"""Arguments that earlier releases of the official Executor took."""

from __future__ import annotations

import warnings
from typing import Any

from gcompute.arguments import unknown_argument
from gcompute.client import Client

#: Those that have had no effect for long.
_WITHOUT_EFFECT = ("batch_enabled", "batch_interval", "container_id")


def client_of_older(executor: type, client: Client | None, older: dict[str, Any]) -> Client | None:
    """Deal with arguments of earlier releases; give the client that is to be used.

    Args:
        executor: the class that was called.
        client: the client that was given.
        older: arguments that the class has no name for.

    Raises:
        TypeError: an argument is unknown.
    """
    for name in older:
        if name == "funcx_client":
            warnings.warn("funcx_client is now client", DeprecationWarning, stacklevel=3)
        elif name in _WITHOUT_EFFECT:
            warn_without_effect(name, 4)
        else:
            raise TypeError(unknown_argument(executor, name))
    given = older.get("funcx_client")
    if given is not None and client is not None and given is not client:
        raise ValueError("client and funcx_client are two names of one argument: give one")
    return client if given is None else given


def warn_without_effect(name: str, stacklevel: int) -> None:
    reason = ": the service has dropped containers" if name == "container_id" else ""
    warnings.warn(f"{name} has no effect any more{reason}", DeprecationWarning, stacklevel)
