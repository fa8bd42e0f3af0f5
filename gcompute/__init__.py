"""Run Python functions on Globus Compute endpoints.

The names below are loaded when they are first used, so that importing the package is quick,
starts no thread and opens no connection.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcompute.async_client import AsyncClient
    from gcompute.batch import Batch
    from gcompute.client import Client
    from gcompute.diagnosis import diagnose
    from gcompute.errors import (
        ComputeAPIError,
        ComputeError,
        TaskExecutionFailed,
        TaskPending,
    )
    from gcompute.executor import ComputeFuture, Executor
    from gcompute.functions import MPIFunction, ShellFunction, ShellResult, hardware_report
    from gcompute.runtime import UserRuntime
    from gcompute.service_clients import (
        ComputeClientV2,
        ComputeClientV3,
        ComputeFunctionDocument,
        ComputeFunctionMetadata,
        ComputeResponse,
    )
    from gcompute.waiting import as_completed, wait

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "Batch",
    "Client",
    "ComputeAPIError",
    "ComputeClientV2",
    "ComputeClientV3",
    "ComputeError",
    "ComputeFunctionDocument",
    "ComputeFunctionMetadata",
    "ComputeFuture",
    "ComputeResponse",
    "Executor",
    "MPIFunction",
    "ShellFunction",
    "ShellResult",
    "TaskExecutionFailed",
    "TaskPending",
    "UserRuntime",
    "as_completed",
    "diagnose",
    "hardware_report",
    "wait",
]

_MODULES = {
    "AsyncClient": "gcompute.async_client",
    "Batch": "gcompute.batch",
    "Client": "gcompute.client",
    "ComputeAPIError": "gcompute.errors",
    "ComputeClientV2": "gcompute.service_clients",
    "ComputeClientV3": "gcompute.service_clients",
    "ComputeError": "gcompute.errors",
    "ComputeFunctionDocument": "gcompute.service_clients",
    "ComputeFunctionMetadata": "gcompute.service_clients",
    "ComputeFuture": "gcompute.executor",
    "ComputeResponse": "gcompute.service_clients",
    "Executor": "gcompute.executor",
    "MPIFunction": "gcompute.functions",
    "ShellFunction": "gcompute.functions",
    "ShellResult": "gcompute.functions",
    "TaskExecutionFailed": "gcompute.errors",
    "TaskPending": "gcompute.errors",
    "UserRuntime": "gcompute.runtime",
    "as_completed": "gcompute.waiting",
    "diagnose": "gcompute.diagnosis",
    "hardware_report": "gcompute.functions",
    "wait": "gcompute.waiting",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'gcompute' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
