"""Every operation of the API document, as it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.recording.functions import SOURCES
from tools.recording.scenario import ADA, BOB, LATE, STRANGER, Stage, scenario
from tools.recording.scenarios.operations import endpoint, function

#: The id of nothing.
NOTHING = "00000000-0000-4000-8000-000000000000"

_ENDPOINT = {"endpoint_name": "e"}
_FUNCTION = {
    "function_name": "double",
    "function_code": SOURCES["double"],
    "serialized": False,
    "meta": {"python_version": "3.11.7", "sdk_version": "4.19.0"},
}
_PACKED = f"st\ndouble:{SOURCES['double']}"
_FUNCTION_V2 = {
    "function_name": "double",
    "function_code": f"{len(_PACKED)}\n{_PACKED}",
    "metadata": {"python_version": "3.11.7", "sdk_version": "4.19.0"},
}
_CONTAINER = {"name": "c", "type": "docker", "location": "l"}
_BUILD: dict[str, Any] = {"name": "c", "apt": [], "pip": [], "conda": []}
_VERIFIED = {"subscription_admin_verified": True}

#: Operations that name something that is there already: their paths, and a body.
_OF_ENDPOINTS: dict[str, Any] = {
    "get_endpoint": None,
    "get_endpoint_status": None,
    "get_endpoint_allowlist": None,
    "get_endpoint_console": None,
    "update_endpoint": _ENDPOINT,
    "set_subscription_admin_verified": _VERIFIED,
    "lock_endpoint": None,
    "lock_endpoint_v2": None,
    "delete_endpoint": None,
    "delete_endpoint_v2": None,
}
_OF_FUNCTIONS = ("get_function", "delete_function")
_OTHERS: dict[str, tuple[str, ...]] = {
    "get_task": (NOTHING,),
    "get_task_group": (NOTHING,),
    "get_container": (NOTHING, "docker"),
    "get_container_build": (NOTHING,),
}
#: Operations that name nothing.
_NAMELESS: dict[str, Any] = {
    "check_authentication": None,
    "get_result_amqp_url": None,
    "get_endpoints": None,
    "register_endpoint": _ENDPOINT,
    "register_endpoint_v2": _ENDPOINT | {"endpoint_uuid": NOTHING},
    "register_function": _FUNCTION,
    "register_function_v2": _FUNCTION_V2,
    "register_container": _CONTAINER,
    "build_container": _BUILD,
    "get_task_batch": {"task_ids": [NOTHING]},
}


def _refused(
    stage: Stage,
    operation: str,
    *path: str,
    body: Any = None,
    query: Mapping[str, str] | None = None,
    user: str = ADA,
) -> None:
    refusal = stage.raised(lambda: stage.call(operation, *path, body=body, query=query, user=user))
    stage.note(operation, refusal)


@scenario("operations")
def unknown(stage: Stage) -> None:
    """What is not there is said not to be."""
    for operation, body in _OF_ENDPOINTS.items():
        _refused(stage, operation, NOTHING, body=body)
    for operation in _OF_FUNCTIONS:
        _refused(stage, operation, NOTHING)
    for operation, path in _OTHERS.items():
        _refused(stage, operation, *path)
    mine, here = function(stage), endpoint(stage)
    payload = stage.payload(1)
    _refused(stage, "submit", NOTHING, body={"tasks": {mine: [payload]}})
    _refused(stage, "submit", here, body={"tasks": {NOTHING: [payload]}})
    _refused(stage, "submit_v2", body={"tasks": [[mine, NOTHING, payload]]})
    _refused(stage, "submit_v2", body={"tasks": [[NOTHING, here, payload]]})
    answer = stage.call("get_task_batch", body={"task_ids": [NOTHING]})
    stage.note("in a batch", answer["results"][NOTHING]["status"])
    stage.call("delete_endpoint", here)


@scenario("operations", "users", "offline")
def forbidden(stage: Stage) -> None:
    """What is somebody else's is not to be seen, used or changed."""
    hers, here = function(stage), endpoint(stage)
    for operation, body in _OF_ENDPOINTS.items():
        _refused(stage, operation, here, body=body, user=BOB)
    for operation in _OF_FUNCTIONS:
        _refused(stage, operation, hers, user=BOB)
    payload = stage.payload(1)
    submitted = stage.call("submit", here, body={"tasks": {hers: [payload]}})
    (task,) = submitted["tasks"][hers]
    _refused(stage, "get_task", task, user=BOB)
    _refused(stage, "get_task_group", submitted["task_group_id"], user=BOB)
    _refused(stage, "submit", here, body={"tasks": {hers: [payload]}}, user=BOB)
    _refused(stage, "submit_v2", body={"tasks": [[hers, here, payload]]}, user=BOB)
    document = {"endpoint_name": "taken", "endpoint_uuid": here}
    _refused(stage, "register_endpoint_v2", body=document, user=BOB)
    stage.call("delete_endpoint", here)


@scenario("operations")
def wrong_tokens(stage: Stage) -> None:
    """A token that is nobody's opens nothing."""
    for operation, body in _OF_ENDPOINTS.items():
        _refused(stage, operation, NOTHING, body=body, user=STRANGER)
    for operation in _OF_FUNCTIONS:
        _refused(stage, operation, NOTHING, user=STRANGER)
    for operation, path in _OTHERS.items():
        _refused(stage, operation, *path, user=STRANGER)
    for operation, body in _NAMELESS.items():
        _refused(stage, operation, body=body, user=STRANGER)
    _refused(stage, "submit", NOTHING, body={"tasks": {NOTHING: ["p"]}}, user=STRANGER)
    _refused(stage, "submit_v2", body={"tasks": [[NOTHING, NOTHING, "p"]]}, user=STRANGER)


@scenario("operations", "expired")
def expired_tokens(stage: Stage) -> None:
    """A token that was good once is refused as one that never was."""
    _refused(stage, "check_authentication", user=LATE)
    _refused(stage, "get_endpoints", user=LATE)
    _refused(stage, "submit", NOTHING, body={"tasks": {NOTHING: ["p"]}}, user=LATE)


@scenario("operations")
def malformed(stage: Stage) -> None:
    """What breaks the document is refused with the field that does."""
    wrong = "no-uuid"
    for operation, body in _OF_ENDPOINTS.items():
        _refused(stage, operation, wrong, body=body)
    for operation in _OF_FUNCTIONS:
        _refused(stage, operation, wrong)
    _refused(stage, "get_task", wrong)
    _refused(stage, "get_task_group", wrong)
    _refused(stage, "get_container", wrong, "docker")
    _refused(stage, "get_container_build", wrong)
    _refused(stage, "get_task_batch", body={"task_ids": [wrong]})
    _refused(stage, "submit", wrong, body={"tasks": {NOTHING: ["p"]}})
    _refused(stage, "submit_v2", body={"tasks": [[wrong, wrong, "p"]]})
    _refused(stage, "register_endpoint", body=_ENDPOINT | {"allowed_functions": [wrong]})
    _refused(stage, "register_endpoint_v2", body=_ENDPOINT | {"endpoint_uuid": wrong})
    _refused(stage, "register_function", body=_FUNCTION | {"group": wrong})
    _refused(stage, "register_function", body=_FUNCTION | {"ha_endpoint_id": NOTHING})
    _refused(stage, "register_function_v2", body=_FUNCTION_V2 | {"group": wrong})
    _refused(stage, "register_container", body=_CONTAINER | {"type": wrong})
    _refused(stage, "build_container", body=_BUILD | {"pip": "scipy"})
    _refused(stage, "get_endpoints", query={"role": wrong})
    _refused(stage, "get_version", query={"service": wrong})
    _refused(stage, "check_version", query={"service": wrong})


@scenario("operations")
def without_a_subscription(stage: Stage) -> None:
    """An endpoint that belongs to no subscription has no administrator who could vouch for it."""
    here = endpoint(stage)
    _refused(stage, "set_subscription_admin_verified", here, body=_VERIFIED)
    stage.call("delete_endpoint", here)


@scenario("operations")
def too_large(stage: Stage) -> None:
    """A request of more than 10 MB is refused for its size."""
    text = "x" * 10_500_000
    _refused(stage, "submit", stage.endpoint_id, body={"tasks": {NOTHING: [text]}})
    _refused(stage, "register_function", body=_FUNCTION | {"function_code": text})


@scenario("operations")
def functions_not_allowed(stage: Stage) -> None:
    """An endpoint that allows some functions gets no others."""
    allowed, other = function(stage), function(stage, "double")
    here = endpoint(stage, allowed_functions=[allowed])
    stage.note("allowed", stage.call("get_endpoint_allowlist", here)["functions"] == [allowed])
    _refused(stage, "submit", here, body={"tasks": {other: [stage.payload(1)]}})
    stage.call("delete_endpoint", here)
