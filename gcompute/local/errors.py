"""The errors that the web service answers with, by the service's own names.

A handler raises a :class:`ServiceError`; the application turns it into the error body that all
errors of the service share: ``status``, ``code``, ``error_args``, ``http_status_code``,
``detail`` and ``reason``. Source: ``openapi/compute.yaml#/components/schemas/Error``.

The spelling of the codes is the service's (``ENDPOINT_NOT_FOUND``, ``RESOURCE_LOCKED``, ...),
as clients compare them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypedDict


class FieldError(TypedDict):
    """One wrong field of a request: where it is, what is wrong, which rule it breaks."""

    loc: list[str | int]
    msg: str
    type: str


class ServiceError(Exception):
    """A request that the service refuses.

    Attributes:
        http_status: the status of the answer.
        code: the service's name for the error.
        error_args: what the error is about, such as the id that is unknown.
        reason: the text for people.
    """

    def __init__(self, http_status: int, code: str, reason: str, *error_args: Any) -> None:
        super().__init__(reason)
        self.http_status = http_status
        self.code = code
        self.reason = reason
        self.error_args = list(error_args)

    def body(self) -> dict[str, Any]:
        """Give the body of the answer."""
        return error_body(self.http_status, self.code, self.reason, self.error_args)


def error_body(http_status: int, code: str, detail: Any, error_args: list[Any]) -> dict[str, Any]:
    """Give the body that all errors share; ``reason`` is the older name of ``detail``."""
    return {
        "status": "Failed",
        "code": code,
        "error_args": error_args,
        "http_status_code": http_status,
        "detail": detail,
        "reason": detail,
    }


class RequestInvalid(Exception):
    """A request that breaks the document's schemas; answered with 422.

    How it is answered depends on the operation, so the application writes the body.
    """

    code = "REQUEST_MALFORMED"

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(f"{len(errors)} wrong fields")
        self.errors = errors


def invalid_field(*loc: str | int, msg: str, rule: str = "value_error") -> RequestInvalid:
    """Say that one field is wrong, in a way that no schema can express."""
    return RequestInvalid([{"loc": list(loc), "msg": msg, "type": rule}])


def unauthenticated(reason: str) -> ServiceError:
    """The bearer token is missing, or nobody's."""
    return ServiceError(401, "USER_UNAUTHENTICATED", reason)


def no_such_route(method: str, path: str) -> ServiceError:
    """No operation has this path."""
    return ServiceError(404, "RESOURCE_NOT_FOUND", f"There is no {method} {path} here", path)


def method_not_allowed(method: str, path: str) -> ServiceError:
    """Operations have this path, but with another method."""
    return ServiceError(405, "METHOD_NOT_ALLOWED", f"{path} has no operation {method}", method)


def payload_too_large(size: int, limit: int) -> ServiceError:
    """The body is over the limit; both in bytes."""
    reason = f"The request has {size} bytes or more; the limit is {limit} bytes"
    return ServiceError(413, "TASK_PAYLOAD_TOO_LARGE", reason, size, limit)


def internal_error() -> ServiceError:
    """A defect of this service; its log has the traceback."""
    return ServiceError(
        500, "INTERNAL_ERROR", "The service failed at this request; its log says how"
    )


def not_stored(cause: Exception) -> ServiceError:
    """The state cannot be written; most often the disk is full."""
    reason = (
        f"The service cannot keep this ({cause}), and has kept nothing of this request: make room "
        "on the disk of its state folder, then send it again"
    )
    return ServiceError(500, "INTERNAL_ERROR", reason)


def endpoint_not_found(endpoint_id: str) -> ServiceError:
    """No such endpoint, or a deleted one."""
    reason = f"Endpoint {endpoint_id} could not be resolved"
    return ServiceError(404, "ENDPOINT_NOT_FOUND", reason, endpoint_id)


def endpoint_forbidden(endpoint_id: str) -> ServiceError:
    """The endpoint is somebody else's."""
    reason = f"Unauthorized access to endpoint {endpoint_id}"
    return ServiceError(403, "ENDPOINT_ACCESS_FORBIDDEN", reason, endpoint_id)


class AuthorizationRequired(ServiceError):
    """A login that meets a policy is needed; the answer says which, for ``globus_sdk.gare``."""

    def __init__(self, policy_id: str, endpoint_id: str) -> None:
        reason = f"Endpoint {endpoint_id} requires a login that meets the policy {policy_id}"
        super().__init__(403, "AUTHENTICATION_POLICY_UNMET", reason, endpoint_id, policy_id)
        self.policy_id = policy_id

    def body(self) -> dict[str, Any]:
        """Give the body of the answer."""
        parameters = {
            "session_message": self.reason,
            "session_required_policies": [self.policy_id],
        }
        return super().body() | {"authorization_parameters": parameters}


def endpoint_locked(endpoint_id: str, until: float) -> ServiceError:
    """The endpoint may not register before a time (Unix time in seconds)."""
    when = datetime.fromtimestamp(until, UTC).isoformat(timespec="seconds")
    reason = f"Endpoint {endpoint_id} is locked from registration until {when}"
    return ServiceError(423, "RESOURCE_LOCKED", reason, endpoint_id)


def endpoint_conflict(endpoint_id: str, why: str) -> ServiceError:
    """What is asked contradicts what the endpoint is."""
    reason = f"Endpoint {endpoint_id} is already in use: {why}"
    return ServiceError(409, "RESOURCE_CONFLICT", reason, endpoint_id)


def function_not_found(function_id: str) -> ServiceError:
    """No such function, or a deleted one."""
    reason = f"Function {function_id} could not be resolved"
    return ServiceError(404, "FUNCTION_NOT_FOUND", reason, function_id)


def function_forbidden(function_id: str) -> ServiceError:
    """The function is somebody else's and not shared."""
    reason = f"Unauthorized access to function {function_id}"
    return ServiceError(403, "FUNCTION_ACCESS_FORBIDDEN", reason, function_id)


def function_not_permitted(function_id: str, endpoint_id: str) -> ServiceError:
    """The endpoint does not run this function."""
    reason = f"Function {function_id} not permitted on endpoint {endpoint_id}"
    return ServiceError(403, "FUNCTION_NOT_PERMITTED", reason, function_id, endpoint_id)


def task_not_found(task_id: str) -> ServiceError:
    """No such task, or somebody else's: which of both is nobody's business."""
    return ServiceError(404, "TASK_NOT_FOUND", f"Task {task_id} not found", task_id)


def task_group_not_found(task_group_id: str) -> ServiceError:
    """No such task group."""
    reason = f"Task Group {task_group_id} could not be resolved"
    return ServiceError(404, "TASK_GROUP_NOT_FOUND", reason, task_group_id)


def task_group_forbidden(task_group_id: str) -> ServiceError:
    """The task group is somebody else's."""
    reason = f"Unauthorized access to Task Group {task_group_id}"
    return ServiceError(403, "TASK_GROUP_ACCESS_FORBIDDEN", reason, task_group_id)


def container_not_found(container_id: str) -> ServiceError:
    """No such container."""
    reason = f"Container {container_id} not found"
    return ServiceError(404, "CONTAINER_NOT_FOUND", reason, container_id)


def broker_unavailable() -> ServiceError:
    """The message broker does not answer now."""
    return ServiceError(
        500, "INTERNAL_ERROR", "The service has lost its message broker; it is reconnecting"
    )


def broker_refused(refusal: Exception) -> ServiceError:
    """The message broker does not let the service make what it needs, as over its own limits."""
    return ServiceError(
        500, "INTERNAL_ERROR", f"The service's message broker refuses what this needs: {refusal}"
    )
