"""A complete compute service on this machine: web service, broker, endpoint and workers.

>>> from gcompute.local import LocalService
>>> with LocalService(workers=2) as service, service.executor() as executor:
...     print(executor.submit(pow, 2, 10).result())
1024

Needs ``pip install 'gcompute[local]'``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .launcher import LocalService
    from .service_process import LocalServiceFailed
    from .user import User

__all__ = ["LocalService", "LocalServiceFailed", "User"]

_PLACES = {"LocalService": ".launcher", "LocalServiceFailed": ".service_process", "User": ".user"}


def __getattr__(name: str) -> Any:
    # The processes of the service import their own parts of this package; none of them needs
    # the launcher.
    if name in _PLACES:
        return getattr(import_module(_PLACES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
