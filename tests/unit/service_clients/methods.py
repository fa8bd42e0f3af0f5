"""Which method of which client calls an operation of the document, and with which arguments."""

from __future__ import annotations

from typing import Any

from gcompute.service_clients import ComputeClientV2, ComputeClientV3
from tests.support.api_document import Json, Operation, parameter_example

AnyClient = ComputeClientV2 | ComputeClientV3

#: Version 2 operations that version 3 has a successor for.
SUCCEEDED = {
    "delete_endpoint_v2",
    "lock_endpoint_v2",
    "register_endpoint_v2",
    "register_function_v2",
    "submit_v2",
}


def classes_for(operation: Operation) -> list[type[AnyClient]]:
    """Give the clients that have an operation."""
    if operation.path.startswith("/v3/"):
        return [ComputeClientV3]
    if operation.name in SUCCEEDED:
        return [ComputeClientV2]
    return [ComputeClientV2, ComputeClientV3]


def method_name(operation: Operation) -> str:
    """Give the name of the method that calls an operation."""
    return operation.name.removesuffix("_v2")


def arguments(operation: Operation, body: Json) -> tuple[list[Any], dict[str, Any]]:
    """Give the method's arguments for the document's examples: positional ones, and by name."""
    positional = [parameter_example(each) for each in operation.parameters if each["in"] == "path"]
    named = {
        each["name"]: parameter_example(each)
        for each in operation.parameters
        if each["in"] == "query"
    }
    if operation.name == "get_task_batch":
        positional.append(body["task_ids"])
    elif operation.name == "set_subscription_admin_verified":
        positional.append(body["subscription_admin_verified"])
    elif body is not None:
        positional.append(body)
    return positional, named
