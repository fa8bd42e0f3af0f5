"""Looking at an endpoint when the first tasks go there: its Python, and whether it works.

Bytecode and pickles of one minor version of Python may fail, crash, or give wrong results in
another. The service knows an endpoint's version from its registration; a worker's may still
differ. Asked once an endpoint.
"""

from __future__ import annotations

import importlib.metadata
import logging
import platform
from typing import Any

from gcompute.calls import Notice, Recipe, read
from gcompute.core import ClientCore, ask
from gcompute.errors import (
    AuthenticationFailed,
    ComputeError,
    ServiceUnreachable,
    VersionMismatch,
)
from gcompute.ids import UUIDLike, as_uuid
from gcompute.serialize import ComputeSerializer, StrategyChoice, choose

log = logging.getLogger(__name__)

#: Words of the service for an endpoint that takes no tasks.
_NOT_WORKING = ("offline", "disconnected", "stopped")


def compare_runtimes(core: ClientCore, endpoint_id: Any) -> Recipe[None]:
    """Warn, once an endpoint, when what we send may not survive its Python.

    Raises:
        AuthenticationFailed: nobody is logged in.
        VersionMismatch: the service does not accept this client.
    """
    key = str(endpoint_id)
    if not core._compare_runtimes or not core._comparisons.claim(key):
        return
    try:
        python = yield from _endpoint_python(core, endpoint_id)
    except (AuthenticationFailed, VersionMismatch):
        core._comparisons.release(key)
        raise  # the submit would only ask for the login, or the version, once more
    except ServiceUnreachable as error:
        core._comparisons.release(key)
        log.debug("endpoint %s could not be compared with this client: %s", key, error)
        return
    except ComputeError as error:
        log.debug("endpoint %s cannot be compared with this client: %s", key, error)
        return
    choice = _choice(python)
    if choice.warning and not core.serializer.survives(platform.python_version(), str(python)):
        yield Notice(f"endpoint {key}: {choice.warning}")


def warn_if_offline(core: ClientCore, endpoint_id: Any) -> Recipe[None]:
    """Warn, once an endpoint, when nothing there takes the tasks that are sent to it."""
    key = str(endpoint_id)
    if not core._compare_runtimes or not core._statuses.claim(key):
        return
    call = read("endpoints.get_endpoint_status", endpoint_uuid=endpoint_id)
    try:
        answer = yield from ask(core, call)
    except ComputeError as error:
        log.debug("the status of endpoint %s cannot be had: %s", key, error)
        return
    status = str(answer.get("status") or "") if isinstance(answer, dict) else ""
    if status.lower() in _NOT_WORKING:
        yield Notice(
            f"endpoint {key} is {status}: the service keeps the tasks, and they run once the "
            "endpoint is started (globus-compute-endpoint start, on its machine)"
        )


def serializer_for(core: ClientCore, endpoint_id: UUIDLike) -> Recipe[ComputeSerializer]:
    """Choose strategies that survive the Python of an endpoint.

    Returns:
        A serializer: with the default strategies where the endpoint runs this minor version of
        Python, or does not say which; otherwise with strategies that send no bytecode.
    """
    python = yield from _endpoint_python(core, as_uuid(endpoint_id, "endpoint_id"))
    choice = _choice(python)
    return core.restricted(ComputeSerializer(choice.code, choice.data))


def _endpoint_python(core: ClientCore, endpoint_id: Any) -> Recipe[str | None]:
    answer = yield from ask(core, read("endpoints.get_endpoint", endpoint_uuid=endpoint_id))
    version = answer.get("python_version") if isinstance(answer, dict) else None
    return None if version is None else str(version)


def _choice(endpoint_python: str | None) -> StrategyChoice:
    dill = importlib.metadata.version("dill")
    return choose(platform.python_version(), dill, endpoint_python, None)
