"""Calls each operation of the API document with ``globus_sdk``.

``globus_sdk`` has methods for 21 of the 30 operations. The others go by what its clients offer for
such cases: a method, a path and the same authorization, headers, retries and errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import globus_sdk

Json = Any

#: Operation id to version and method of the client that has one.
_METHODS = {
    "get_version": (2, "get_version"),
    "get_result_amqp_url": (2, "get_result_amqp_url"),
    "register_endpoint_v2": (2, "register_endpoint"),
    "get_endpoint": (2, "get_endpoint"),
    "get_endpoint_status": (2, "get_endpoint_status"),
    "get_endpoints": (2, "get_endpoints"),
    "delete_endpoint_v2": (2, "delete_endpoint"),
    "lock_endpoint_v2": (2, "lock_endpoint"),
    "register_function_v2": (2, "register_function"),
    "get_function": (2, "get_function"),
    "delete_function": (2, "delete_function"),
    "get_task": (2, "get_task"),
    "get_task_batch": (2, "get_task_batch"),
    "get_task_group": (2, "get_task_group"),
    "submit_v2": (2, "submit"),
    "register_endpoint": (3, "register_endpoint"),
    "update_endpoint": (3, "update_endpoint"),
    "lock_endpoint": (3, "lock_endpoint"),
    "get_endpoint_allowlist": (3, "get_endpoint_allowlist"),
    "register_function": (3, "register_function"),
    "submit": (3, "submit"),
}

#: The others: HTTP method and path.
_PATHS = {
    "check_version": ("HEAD", "/v2/version"),
    "check_authentication": ("GET", "/v2/authenticate"),
    "register_container": ("POST", "/v2/containers"),
    "build_container": ("POST", "/v2/containers/build"),
    "get_container_build": ("GET", "/v2/containers/build/{}"),
    "get_container": ("GET", "/v2/containers/{}/{}"),
    "delete_endpoint": ("DELETE", "/v3/endpoints/{}"),
    "get_endpoint_console": ("GET", "/v3/endpoints/{}/console"),
    "set_subscription_admin_verified": ("PUT", "/v3/endpoints/{}/subscription-admin-verified"),
}


class OfficialOperations:
    """The operations as one user calls them.

    Args:
        authorizer: has the user's token.
        base_url: the address of the service.
    """

    def __init__(self, authorizer: globus_sdk.authorizers.GlobusAuthorizer, base_url: str) -> None:
        self._clients = {
            2: globus_sdk.ComputeClientV2(authorizer=authorizer, base_url=base_url),
            3: globus_sdk.ComputeClientV3(authorizer=authorizer, base_url=base_url),
        }

    def __call__(
        self, operation: str, *path: str, body: Json = None, query: Mapping[str, Json] | None = None
    ) -> Json:
        """Call an operation; give its decoded answer, ``None`` for an empty one."""
        if operation in _PATHS:
            method, pattern = _PATHS[operation]
            answer = self._clients[3].request(
                method, pattern.format(*path), query_params=dict(query or {}), data=body
            )
        else:
            version, name = _METHODS[operation]
            arguments = [] if body is None else [body]
            if operation == "get_task_batch":
                arguments = [body["task_ids"]]
            answer = getattr(self._clients[version], name)(*path, *arguments, **(query or {}))
        return answer.data if answer.text else None
