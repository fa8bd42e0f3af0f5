"""Asking the service who somebody is, with nothing but httpx."""

from __future__ import annotations

from typing import Any

import globus_sdk
import httpx

from gcompute.local import LocalService
from gcompute.protocol import COMPUTE_RESOURCE_SERVER


def asked(service: LocalService, header: str | None) -> httpx.Response:
    """Ask the service whom a header stands for."""
    headers = {} if header is None else {"Authorization": header}
    return httpx.get(f"{service.url}/v2/authenticate", headers=headers, timeout=30)


def stored(app: globus_sdk.GlobusApp | None) -> Any:
    """Give what an app keeps of the service's tokens."""
    assert app is not None
    found = app.token_storage.token_storage.get_token_data(COMPUTE_RESOURCE_SERVER)
    assert found is not None
    return found
