"""The service itself: its version, and whether it knows the caller."""

from __future__ import annotations

from typing import Any

from gcompute.local.service import Service

from .call import Call, Handler

#: The API that this service follows, and the oldest partners that it can work with: those that
#: speak v3 of it.
_API_VERSION = "1.37.0"
_MIN_SDK_VERSION = "2.28.0"
_MIN_ENDPOINT_VERSION = "2.28.0"


async def get_version(service: Service, call: Call) -> Any:
    """Tell the version of the API; with ``service=all`` also what it works with."""
    if call.query.get("service") != "all":
        return _API_VERSION
    return {
        "api": _API_VERSION,
        "min_sdk_version": _MIN_SDK_VERSION,
        "min_ep_version": _MIN_ENDPOINT_VERSION,
        "min_endpoint_version": _MIN_ENDPOINT_VERSION,
        "git_sha": None,
        "container_service": None,
    }


async def check_version(service: Service, call: Call) -> None:
    """Answer without a body: the service is there."""


async def check_authentication(service: Service, call: Call) -> str:
    """Tell whom the token stands for."""
    return f"{call.user.name} is authenticated"


HANDLERS: dict[str, Handler] = {
    "get_version": get_version,
    "check_version": check_version,
    "check_authentication": check_authentication,
}
