"""Comparing an endpoint's Python with ours, before the first task goes there.

Bytecode and pickles of one minor version of Python may fail, crash, or give wrong results in
another. The service knows an endpoint's version from its registration; a worker's may still
differ. Asked once an endpoint.
"""

from __future__ import annotations

import logging
import platform
from typing import Any

from gcompute.calls import Notice, Recipe, read
from gcompute.core import ClientCore, ask
from gcompute.errors import ComputeError

log = logging.getLogger(__name__)


def compare_runtimes(core: ClientCore, endpoint_id: Any) -> Recipe[None]:
    """Warn, once an endpoint, when what we send may not survive its Python."""
    key = str(endpoint_id)
    if key in core._compared or not core._compare_runtimes:
        return
    core._compared.add(key)
    try:
        answer = yield from ask(core, read("endpoints.get_endpoint", endpoint_uuid=endpoint_id))
    except ComputeError as error:
        log.debug("endpoint %s cannot be compared with this client: %s", key, error)
        return
    theirs = answer.get("python_version") if isinstance(answer, dict) else None
    if theirs and not core.serializer.survives(platform.python_version(), str(theirs)):
        yield Notice(
            f"endpoint {key} runs Python {theirs}, this client {platform.python_version()}: "
            "functions and values sent by dill may fail there, or give wrong results. These "
            "survive: code_serialization_strategy=gcompute.serialize.AllCodeStrategies() and "
            "data_serialization_strategy=gcompute.serialize.JSONData()"
        )
