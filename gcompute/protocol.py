"""The numbers and names of the service that this package is written for.

Source: ``docs/wire.md`` (addresses, limits and defaults).
"""

from __future__ import annotations

from typing import Final

#: The release of the official package whose protocol we speak. The service compares its
#: minimum with this, not with the version of this package.
PROTOCOL_LEVEL: Final = "4.19.0"

#: Bytes that one submit request may have, tasks and all.
MAX_REQUEST_BYTES: Final = 10_000_000

#: Bytes that one serialized result may have.
MAX_RESULT_BYTES: Final = 10 * 1024 * 1024

#: Task states in which nothing more will happen.
FINISHED_STATES: Final = frozenset({"success", "failed"})

COMPUTE_RESOURCE_SERVER: Final = "funcx_service"
COMPUTE_SCOPE: Final = "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"
NATIVE_CLIENT_ID: Final = "4cf29807-cf21-49ec-9443-ff9a3fb9f81c"
