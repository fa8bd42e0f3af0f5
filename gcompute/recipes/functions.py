"""Registering, describing and deleting functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gcompute.calls import Recipe, read, write
from gcompute.core import ClientCore, ask_for_object, unreadable
from gcompute.ids import UUIDLike, as_uuid
from gcompute.registration import function_registration, source_registration


def register(core: ClientCore, registration: dict[str, Any]) -> Recipe[str]:
    """Register what a registration describes; give the function's id."""
    answer = yield from ask_for_object(core, write("functions.register_function", registration))
    if not answer.get("function_uuid"):
        raise unreadable(f"the answer to a registration has no function_uuid: {answer!r}")
    return str(answer["function_uuid"])


def register_function(
    core: ClientCore,
    function: Callable[..., Any],
    description: str | None = None,
    metadata: dict[str, Any] | None = None,
    public: bool = False,
    group: UUIDLike | None = None,
    ha_endpoint_id: UUIDLike | None = None,
) -> Recipe[str]:
    """Register a function with the service.

    Args:
        function: the function; what it needs must be imported in its body.
        description: for people; default the function's docstring.
        metadata: replaces values of the function's metadata, such as ``python_version``.
        public: whether everybody may run it.
        group: a Globus group whose members may run it.
        ha_endpoint_id: the one high-assurance endpoint that may run it; not to be shared.

    Returns:
        The function's id.

    Raises:
        SerializationError: the function cannot be sent; the message says why.
        ComputeAPIError: the service refuses it.
    """
    registration = function_registration(
        function,
        core.serializer,
        description=description,
        metadata=metadata,
        public=public,
        group=group,
        ha_endpoint_id=ha_endpoint_id,
    )
    return (yield from register(core, registration))


def register_source_code(
    core: ClientCore,
    source: str,
    function_name: str,
    description: str | None = None,
    metadata: dict[str, Any] | None = None,
    public: bool = False,
    group: UUIDLike | None = None,
    ha_endpoint_id: UUIDLike | None = None,
) -> Recipe[str]:
    """Register Python source with a function in it.

    The source is sent as it is, whatever the client's strategy for functions; the endpoint runs
    it and calls the function. It survives another Python version there.

    Args:
        source: Python source.
        function_name: the function in it to call.
        description: for people.
        metadata: replaces values of the function's metadata, such as ``python_version``.
        public: whether everybody may run it.
        group: a Globus group whose members may run it.
        ha_endpoint_id: the one high-assurance endpoint that may run it; not to be shared.

    Returns:
        The function's id.

    Raises:
        ValueError: the source is no Python, or has no such function.
        ComputeAPIError: the service refuses it.
    """
    registration = source_registration(
        source,
        function_name,
        description=description,
        metadata=metadata,
        public=public,
        group=group,
        ha_endpoint_id=ha_endpoint_id,
    )
    return (yield from register(core, registration))


def get_function(core: ClientCore, function_id: UUIDLike) -> Recipe[dict[str, Any]]:
    """Describe a registered function.

    Returns:
        ``function_uuid``, ``function_name``, ``function_code`` (serialized), ``description``,
        ``metadata``.

    Raises:
        NotFound: there is no such function, or it is not for this user to see.
    """
    function = as_uuid(function_id, "function_id")
    return (yield from ask_for_object(core, read("functions.get_function", function_uuid=function)))


def delete_function(core: ClientCore, function_id: UUIDLike) -> Recipe[dict[str, Any]]:
    """Delete a registered function; tasks that were submitted before go on.

    Returns:
        What the service answers.

    Raises:
        NotFound: there is no such function.
        PermissionDenied: it belongs to somebody else.
    """
    function = as_uuid(function_id, "function_id")
    return (
        yield from ask_for_object(core, write("functions.delete_function", function_uuid=function))
    )
