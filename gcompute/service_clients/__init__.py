"""The two versions of the web service's interface, operation by operation.

What comes in are identifiers and documents (plain dictionaries, as on the wire); what goes out
is a :class:`ComputeResponse` with the generated model of the answer, or a
:class:`gcompute.ComputeAPIError`. For functions, tasks and results as Python objects use
:class:`gcompute.Client`.
"""

from gcompute.service_clients.documents import ComputeFunctionDocument, ComputeFunctionMetadata
from gcompute.service_clients.response import ComputeResponse
from gcompute.service_clients.v2 import ComputeClientV2
from gcompute.service_clients.v3 import ComputeClientV3

__all__ = [
    "ComputeClientV2",
    "ComputeClientV3",
    "ComputeFunctionDocument",
    "ComputeFunctionMetadata",
    "ComputeResponse",
]
