"""A complete compute service on this machine: web service, broker, endpoint and workers.

>>> from gcompute.local import LocalService
>>> with LocalService(workers=2) as service, service.executor() as executor:
...     print(executor.submit(pow, 2, 10).result())
1024

Needs ``pip install 'gcompute[local]'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .launcher import LocalService, LocalServiceFailed
    from .user import User

__all__ = ["LocalService", "LocalServiceFailed", "User"]


def __getattr__(name: str) -> Any:
    # The processes of the service import their own parts of this package; none of them needs
    # the launcher.
    if name == "User":
        from .user import User

        return User
    if name in __all__:
        from . import launcher

        return getattr(launcher, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
