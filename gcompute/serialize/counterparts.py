"""Which of our names stands for which name of the official package.

Endpoints have ``globus_compute_sdk`` and not this package, so what is pickled by reference goes
out under the official name, and comes back from it. Here is the one table of these names, in
both directions. Nothing is imported before it is asked for.

Source: ``docs/wire.md#serialized-buffers`` and the module layout of ``globus-compute-sdk``.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

#: Packages that no endpoint has.
OWN_PACKAGES = ("gcompute", "gcompute_api")

OFFICIAL_PACKAGE = "globus_compute_sdk"

#: Modules that import nothing but the standard library. Their functions travel with the module's
#: source, so that they run in any Python that an endpoint has, with or without either package.
TRAVELLING_MODULES = frozenset(
    {
        "gcompute.functions.chunk",
        "gcompute.functions.command",
        "gcompute.functions.hardware",
        "gcompute.functions.quoting",
    }
)


class Name(NamedTuple):
    """Where an object is found: a module, and a dotted path in it."""

    module: str
    path: str


def _pairs(own: str, official: str, names: str) -> dict[Name, Name]:
    """Pair ``names`` (blank-separated, ``official`` or ``own=official``) of two modules."""
    pairs = {}
    for entry in names.split():
        own_path, _, official_path = entry.partition("=")
        pairs[Name(own, own_path)] = Name(
            f"{OFFICIAL_PACKAGE}.{official}", official_path or own_path
        )
    return pairs


#: Ours to theirs.
_OFFICIAL: Mapping[Name, Name] = {
    **_pairs("gcompute.functions.shell", "sdk.shell_function", "ShellFunction"),
    **_pairs("gcompute.functions.result", "sdk.shell_function", "ShellResult"),
    **_pairs("gcompute.functions.mpi", "sdk.mpi_function", "MPIFunction"),
    **_pairs(
        "gcompute.errors",
        "errors.error_types",
        "ComputeError VersionMismatch SerdeError SerializationError DeserializationError "
        "TaskPending TaskExecutionFailed MaxResultSizeExceeded",
    ),
    **_pairs(
        "gcompute.runtime",
        "sdk.batch",
        "UserRuntime PythonInfo=UserRuntime.PythonInfo PlatformInfo=UserRuntime.PlatformInfo",
    ),
    **_pairs(
        "gcompute.serialize.strategies",
        "serialize.concretes",
        "DillDataBase64 JSONData DillCode PickleCode DillCodeTextInspect DillCodeSource "
        "PureSourceTextInspect PureSourceDill CombinedCode AllCodeStrategies AllDataStrategies",
    ),
    **_pairs(
        "gcompute.serialize.base",
        "serialize.base",
        "SerializationStrategy ComboSerializationStrategy",
    ),
    **_pairs("gcompute.serialize.serializer", "serialize.facade", "ComputeSerializer"),
    **_pairs("gcompute.serialize.allowlist", "serialize.facade", "AllowlistWildcard"),
    **_pairs("gcompute.serialize.packing", "serialize.utils", "pack_buffers unpack_buffers"),
}

#: Theirs to ours.
_OWN: Mapping[Name, Name] = {
    **{official: own for own, official in _OFFICIAL.items()},
    # A function that endpoints have, but that we send as source.
    Name(f"{OFFICIAL_PACKAGE}.sdk.hardware_report", "run_hardware_report"): Name(
        "gcompute.functions.hardware", "hardware_report"
    ),
}


def is_own(module_name: object) -> bool:
    """Tell whether a module belongs to a package that endpoints do not have."""
    return isinstance(module_name, str) and module_name.partition(".")[0] in OWN_PACKAGES


def is_official(module_name: str) -> bool:
    """Tell whether a module belongs to the official package."""
    return module_name.partition(".")[0] == OFFICIAL_PACKAGE


def find_own(module: str, path: str) -> Any:
    """Give our object for an official name.

    Raises:
        LookupError: we have none.
    """
    return _import(_OWN[Name(module, path)])


def official_name(value: Any) -> Name | None:
    """Give the official name of a class or function of ours, where it has one."""
    for own, official in _OFFICIAL.items():
        if own.path == value.__name__ and _import(own) is value:
            return official
    return None


@functools.cache
def travelling_source(module_name: str) -> str | None:
    """Give the source that the functions of a module travel with; ``None`` if they do not."""
    if module_name not in TRAVELLING_MODULES:
        return None
    import inspect

    return inspect.getsource(importlib.import_module(module_name))


def belongs_to_us(value: Any) -> bool:
    """Tell whether a value is a module, class, function or instance of our packages."""
    if isinstance(value, ModuleType):
        return is_own(value.__name__)
    return is_own(getattr(value, "__module__", None)) or is_own(type(value).__module__)


def _import(name: Name) -> Any:
    return functools.reduce(getattr, name.path.split("."), importlib.import_module(name.module))
