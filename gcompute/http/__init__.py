"""The one seam to the HTTP service.

The only package of the client that imports httpx and ``gcompute_api``: calls go in as values
(:mod:`gcompute.calls`), decoded JSON comes out, and every exception of httpx is translated.
"""

from gcompute.http.operations import Operation, find_operation
from gcompute.http.service import USER_AGENT, AsyncServiceAPI, ServiceAPI

__all__ = [
    "USER_AGENT",
    "AsyncServiceAPI",
    "Operation",
    "ServiceAPI",
    "find_operation",
]
